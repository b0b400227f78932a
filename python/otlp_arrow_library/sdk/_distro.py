"""Recording without a line of code: what `opentelemetry-instrument` finds by the package's entry points.

    OTEL_PYTHON_CONFIGURATOR=otlp_arrow OTLP_OUTPUT_DIR=./telemetry opentelemetry-instrument python app.py

Installing the package alone changes nothing: without that variable, or OTEL_PYTHON_DISTRO=otlp_arrow, another package's
configurator and distro are used as if these were not there.
"""

from __future__ import annotations

import logging
import os
from importlib.metadata import entry_points
from typing import Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined, unused-ignore]

_logger = logging.getLogger("otlp_arrow_library.sdk")

_NAME = "otlp_arrow"
_CONFIGURATOR, _DISTRO = "OTEL_PYTHON_CONFIGURATOR", "OTEL_PYTHON_DISTRO"


class Configurator:
    """Calls `configure()` with what the environment says."""

    def configure(self, **arguments: Any) -> None:
        """`auto_instrumentation_version` becomes an attribute of the resource. What cannot be recorded is told; nothing is raised."""
        if other := _other("opentelemetry_configurator", _CONFIGURATOR):
            other().configure(**arguments)
            return
        from ._configure import configure

        version = arguments.get("auto_instrumentation_version")
        attributes = {**(arguments.get("resource_attributes") or {}), **({"telemetry.auto.version": version} if version else {})}
        wants_logging = os.environ.get("OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED", "").strip().lower() == "true"
        try:
            configure(resource=attributes, logging_level=logging.NOTSET if wants_logging else None)
        except Exception as error:  # a program runs whatever its telemetry does
            _logger.error("this program is not recorded: %s: %s", type(error).__name__, error)


class Distro(BaseDistro):  # type: ignore[misc, unused-ignore]
    """Chooses the configurator above: OTEL_PYTHON_DISTRO=otlp_arrow is enough."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        other = _other("opentelemetry_distro", _DISTRO)
        return super().__new__(cls, *args, **kwargs) if other is None else other()

    def _configure(self, **kwargs: Any) -> None:
        if os.environ.get(_DISTRO) == _NAME:
            os.environ.setdefault(_CONFIGURATOR, _NAME)


def _other(group: str, variable: str) -> Any:
    """The class of another package where nobody has chosen ours."""
    if os.environ.get(variable) == _NAME:
        return None
    for entry in entry_points(group=group):
        if entry.name != _NAME:
            return entry.load()
    return None
