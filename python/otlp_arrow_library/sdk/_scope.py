"""What produces telemetry within a program: a library or module, with the resource that the program is."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .. import _native
from .._attributes import clean_attributes
from ._resource import Resource
from ._resource_detectors import in_forked_child


class InstrumentationScope:
    """Name, version, schema URL and attributes that a tracer, meter or logger was asked for with."""

    __slots__ = ("__weakref__", "_attributes", "_name", "_resource", "_schema_url", "_version", "native")

    def __init__(
        self,
        recorder: _native.Recorder,
        resource: Resource,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self._name = str(name)
        self._version = None if version is None else str(version)
        self._schema_url = str(schema_url or "")
        cleaned = clean_attributes(attributes) if isinstance(attributes, Mapping) else {}
        self._attributes = MappingProxyType(cleaned)
        self.native = _native.Scope(
            recorder, dict(resource.attributes), resource.schema_url or "", self._name, self._version or "", self._schema_url, cleaned
        )
        self._resource = resource
        renew_in_children(self)

    def renew_resource(self) -> None:
        """In a forked child."""
        self._resource = in_forked_child(self._resource)
        self.native.set_resource(dict(self._resource.attributes), self._resource.schema_url)

    @property
    def name(self) -> str:
        return self._name

    @property
    def version(self) -> str | None:
        return self._version

    @property
    def schema_url(self) -> str:
        return self._schema_url

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self._attributes

    def __repr__(self) -> str:
        return f"InstrumentationScope({self._name!r}, {self._version!r}, {self._schema_url!r}, {dict(self._attributes)!r})"


_of_this_process: weakref.WeakSet[Any] = weakref.WeakSet()


def renew_in_children(holder: Any) -> None:
    """A forked child calls its `renew_resource()`, before anything else."""
    _of_this_process.add(holder)


def _after_fork() -> None:
    for holder in list(_of_this_process):
        holder.renew_resource()


os.register_at_fork(after_in_child=_after_fork)


def scope_key(name: object, version: object, schema_url: object, attributes: object) -> tuple[str, str, str, str]:
    """Equal for equal arguments of `get_meter` and its sisters, whatever they are."""
    given = attributes if isinstance(attributes, Mapping) else {}
    described = repr(sorted(clean_attributes(given).items())) if given else ""
    return str(name), str(version or ""), str(schema_url or ""), described
