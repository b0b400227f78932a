"""Who finds attributes of the resource by itself: the environment, and what OTEL_EXPERIMENTAL_RESOURCE_DETECTORS names."""

from __future__ import annotations

import logging
import os
import platform
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import unquote

from ._resource import Resource, as_resource

_logger = logging.getLogger("otlp_arrow_library.sdk")

_PATIENCE_SECS = 5.0  # with a detector of another package
_GROUP = "opentelemetry_resource_detector"


def detected_resource() -> Resource:
    """What all of them find; the environment (`otel`) wins unless OTEL_EXPERIMENTAL_RESOURCE_DETECTORS puts it elsewhere."""
    resource = Resource.get_empty()
    for name in _names(os.environ.get("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "")):
        resource = resource.merge(_detect(name))
    return resource


def _names(configured: str) -> list[str]:
    names = [name.strip() for name in configured.split(",") if name.strip()]
    if "service_instance" not in names:
        names.insert(0, "service_instance")
    if "*" in names:
        named = {*names, "otel"}
        found = sorted({*_OWN, *(entry.name for entry in entry_points(group=_GROUP))} - named)
        at = names.index("*")
        names[at : at + 1] = found
    return list(dict.fromkeys([*names, "otel"]))


def _detect(name: str) -> Resource:
    try:
        own = _OWN.get(name)
        return Resource(own()) if own else _detect_foreign(name)
    except Exception as error:
        _logger.warning("the resource detector %r failed and is left out: %s: %s", name, type(error).__name__, error)
        return Resource.get_empty()


def _detect_foreign(name: str) -> Resource:
    entry: Any = next(iter(entry_points(group=_GROUP, name=name)), None)
    if entry is None:
        known = ", ".join(sorted({*_OWN, "*", *(found.name for found in entry_points(group=_GROUP))}))
        raise LookupError(f"OTEL_EXPERIMENTAL_RESOURCE_DETECTORS: there is no detector {name!r}; there are {known}")
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(as_resource(entry.load()().detect()))
        except Exception as error:
            found.append(error)

    thread = threading.Thread(target=run, name="otlp-arrow-detector", daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECS)
    if not found:
        raise TimeoutError(f"it took longer than {_PATIENCE_SECS:g} s")
    if isinstance(found[0], Exception):
        raise found[0]
    resource: Resource = found[0]
    return resource


def _environment() -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for pair in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        key, equals, value = pair.partition("=")
        if equals and key.strip():
            attributes[key.strip()] = unquote(value.strip())
        elif pair.strip():
            _logger.warning("OTEL_RESOURCE_ATTRIBUTES: %r is left out; a pair is key=value, pairs are separated by commas", pair)
    if service_name := os.environ.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = service_name
    return attributes


def _process() -> dict[str, Any]:
    info, executable = sys.version_info, sys.executable or ""
    is_final = info.releaselevel == "final" and not info.serial
    return {
        "process.runtime.description": sys.version,
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(map(str, info[:3] if is_final else info)),
        "process.pid": os.getpid(),
        "process.parent_pid": os.getppid(),
        "process.executable.name": os.path.basename(executable),
        "process.executable.path": executable,
        "process.command": sys.orig_argv[0] if sys.orig_argv else "",  # arguments may be secrets
    }


def _operating_system() -> dict[str, Any]:
    return {"os.type": platform.system().lower(), "os.version": platform.release()}


def _host() -> dict[str, Any]:
    attributes: dict[str, Any] = {"host.name": socket.gethostname(), "host.arch": platform.machine()}
    if machine := _first_line(("/etc/machine-id", "/var/lib/dbus/machine-id")):
        attributes["host.id"] = machine
    return attributes


def _first_line(paths: Iterable[str]) -> str:
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                if line := file.readline(256).strip():
                    return line
        except (OSError, UnicodeDecodeError):
            continue
    return ""


_instance: tuple[int, str] = (0, "")
_given: set[str] = set()  # by us, in this process and its parents


def _service_instance() -> dict[str, Any]:
    """Random, the same for the life of a process; a forked child has another one."""
    global _instance
    if _instance[0] != os.getpid():
        _instance = (os.getpid(), str(uuid.uuid4()))
        _given.add(_instance[1])
    return {"service.instance.id": _instance[1]}


def in_forked_child(resource: Resource) -> Resource:
    """What a forked child is whose parent is `resource`: ids that were detected, and not given, are those of the child."""
    attributes: dict[str, Any] = dict(resource.attributes)
    of_the_sdk = getattr(sys.modules.get("opentelemetry.sdk.resources"), "_service_instance_id", None)
    if attributes.get("service.instance.id", "") in (*_given, of_the_sdk):
        attributes.update(_service_instance())
    for key, value in (("process.pid", os.getpid()), ("process.parent_pid", os.getppid())):
        if key in attributes:
            attributes[key] = value
    return resource if attributes == dict(resource.attributes) else Resource(attributes, resource.schema_url)


_OWN: dict[str, Callable[[], dict[str, Any]]] = {
    "otel": _environment,
    "process": _process,
    "os": _operating_system,
    "host": _host,
    "service_instance": _service_instance,
}
