"""The global providers, in one line: `configure(output_dir="./telemetry", service_name="shop")`."""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs, trace
from opentelemetry import metrics as metrics_api

from .._errors import OtlpConfigError
from ._recorder import ENVIRONMENT_VARIABLE, Recorder
from ._resource import Resource, ResourceLike, as_resource

if TYPE_CHECKING:
    from .._library import OtlpLibrary
    from ._logs import LoggerProvider
    from ._metrics import MeterProvider
    from ._trace import TracerProvider

_logger = logging.getLogger("otlp_arrow_library.sdk")

_FLUSH_MILLIS = 30_000


@dataclasses.dataclass(frozen=True)
class Configuration:
    """What `configure` has set up. A provider is None where its signal is switched off, or somebody else had set one."""

    tracer_provider: TracerProvider | None = None
    meter_provider: MeterProvider | None = None
    logger_provider: LoggerProvider | None = None
    library: OtlpLibrary | None = None
    """Where it records to a library."""
    logging_handler: logging.Handler | None = None

    def force_flush(self, timeout_millis: float = _FLUSH_MILLIS) -> bool:
        """True when all that was recorded is where it is meant to be."""
        outcomes = [_call("force_flush", provider, left) for provider, left in self._in_turn(timeout_millis)]
        return False not in outcomes

    def shutdown(self, timeout_millis: float = _FLUSH_MILLIS) -> None:
        """Flushes, and ends the recording; the end of the interpreter does so too. The library of a caller stays open."""
        if self.logging_handler is not None:
            logging.getLogger().removeHandler(self.logging_handler)
        for provider, left in self._in_turn(timeout_millis):
            _call("shutdown", provider, left)

    def _in_turn(self, timeout_millis: float) -> Iterable[tuple[Any, float]]:
        deadline = time.monotonic() + timeout_millis / 1000
        for provider in (self.tracer_provider, self.meter_provider, self.logger_provider):
            if provider is not None:
                yield provider, max(0.0, deadline - time.monotonic()) * 1000


_lock = threading.Lock()
_configured: Configuration | None = None


def configure(
    mmap_file: str | os.PathLike[str] | None = None,
    *,
    output_dir: str | os.PathLike[str] | None = None,
    library: OtlpLibrary | None = None,
    recorder: Recorder | None = None,
    service_name: str | None = None,
    resource: ResourceLike | Mapping[str, Any] | None = None,
    traces: bool = True,
    metrics: bool = True,
    logs: bool = True,
    sampler: Any = None,
    span_limits: Any = None,
    id_generator: Any = None,
    span_processors: Sequence[Any] = (),
    views: Sequence[Any] = (),
    temporality: Any = None,
    exemplar_filter: str | None = None,
    export_interval_millis: float | None = None,
    logging_level: int | str | None = None,
    shutdown_on_exit: bool = True,
) -> Configuration:
    """Sets the global providers of the OpenTelemetry API, to record natively.

    To: `mmap_file`, a ring file for `otlp-arrow collect` ("{pid}" in it gives each forked child its own); `output_dir`, a
    directory of Arrow files, written by a library that this makes; `library`, an `OtlpLibrary` of the caller's; `recorder`. Without
    any of them SDK_MMAP_EXPORTER_FILE names a ring file, or else OTLP_OUTPUT_DIR the directory (./output_dir).

    `service_name` wins over OTEL_SERVICE_NAME; `resource` as of the providers. `traces`, `metrics`, `logs` switch a signal off, as
    OTEL_TRACES_EXPORTER=none and its sisters do. `logging_level` takes what `logging` gets from that level on. The rest is the
    providers'. OTEL_SDK_DISABLED=true: nothing is set up.

    Call it once; a second call changes nothing, logs that, and returns the first one's outcome. Raises `OtlpConfigError` and `OtlpIOError`.
    """
    global _configured
    _check_sinks(mmap_file, output_dir, library, recorder)
    level = _level(logging_level)
    with _lock:
        if _configured is not None:
            _logger.warning("configure() is called a second time, which changes nothing")
            return _configured
        if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            _configured = Configuration()
            return _configured
        sink, own = _sink(mmap_file, output_dir, library, recorder)
        common = {**sink, "resource": _resource(resource, service_name), "shutdown_on_exit": shutdown_on_exit}
        makers: list[tuple[bool, str, Callable[[], Any]]] = [
            (traces, "traces", lambda: _tracer_provider(common, span_processors, sampler=sampler, span_limits=span_limits, id_generator=id_generator)),
            (metrics, "metrics", lambda: _meter_provider(common, views=views, temporality=temporality, exemplar_filter=exemplar_filter,
                                                         export_interval_millis=export_interval_millis)),
            (logs, "logs", lambda: _logger_provider(common)),
        ]  # fmt: skip
        made: list[Any] = []
        try:
            for is_wanted, signal, make in makers:
                made.append(make() if is_wanted and _is_wanted(signal) and not _has_provider(signal) else None)
        except BaseException:
            for provider in made:
                if provider is not None:
                    _call("shutdown", provider, 0)
            if own is not None:
                own.shutdown()
            raise
        tracers, meters, loggers = made
        _configured = Configuration(tracers, meters, loggers, own or library, _set_global(tracers, meters, loggers, level))
        return _configured


def _tracer_provider(common: dict[str, Any], processors: Sequence[Any], **options: Any) -> TracerProvider:
    from ._trace import TracerProvider

    provider = TracerProvider(**common, **options)
    for processor in processors:
        provider.add_span_processor(processor)
    return provider


def _meter_provider(common: dict[str, Any], **options: Any) -> MeterProvider:
    from ._metrics import MeterProvider

    return MeterProvider(**common, **options)


def _logger_provider(common: dict[str, Any]) -> LoggerProvider:
    from ._logs import LoggerProvider

    return LoggerProvider(**common)


def _set_global(tracers: Any, meters: Any, loggers: Any, level: int | None) -> logging.Handler | None:
    if tracers is not None:
        trace.set_tracer_provider(tracers)
    if meters is not None:
        metrics_api.set_meter_provider(meters)
    if loggers is None:
        return None
    _logs.set_logger_provider(loggers)
    if level is None:
        return None
    from ._logging_handler import LoggingHandler

    handler = LoggingHandler(level=level, logger_provider=loggers)
    logging.getLogger().addHandler(handler)
    return handler


def _check_sinks(*given: object) -> None:
    names = ("mmap_file", "output_dir", "library", "recorder")
    set_ones = [name for name, value in zip(names, given) if value is not None]
    if len(set_ones) > 1:
        raise OtlpConfigError(f"{' and '.join(set_ones)} are given; configure() records to one of them")


def _sink(mmap_file: Any, output_dir: Any, library: Any, recorder: Any) -> tuple[dict[str, Any], OtlpLibrary | None]:
    """The arguments that all providers get, and the library where there is one that nobody gave."""
    if recorder is not None:
        return {"recorder": recorder}, None
    if library is not None:
        return {"library": library}, None
    if mmap_file is not None or (output_dir is None and os.environ.get(ENVIRONMENT_VARIABLE)):
        return {"mmap_file": mmap_file or os.environ[ENVIRONMENT_VARIABLE]}, None
    from .._library import OtlpLibrary
    from .._shared import shared_library

    own = shared_library() if output_dir is None else OtlpLibrary(output_dir=output_dir)
    return {"library": own}, own


def _resource(resource: ResourceLike | Mapping[str, Any] | None, service_name: str | None) -> Resource:
    if service_name is not None and (not isinstance(service_name, str) or not service_name):
        raise OtlpConfigError(f"service_name: {service_name!r} is no name; give a text that is not empty, or None for OTEL_SERVICE_NAME")
    made = as_resource(resource)
    return made if service_name is None else made.merge(Resource({"service.name": service_name}))


def _is_wanted(signal: str) -> bool:
    return os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip().lower() != "none"


_PLACES = {
    "traces": ("opentelemetry.trace", "_TRACER_PROVIDER"),
    "metrics": ("opentelemetry.metrics._internal", "_METER_PROVIDER"),
    "logs": ("opentelemetry._logs._internal", "_LOGGER_PROVIDER"),
}


def _has_provider(signal: str) -> bool:
    """True where the program has set a provider of its own, which the API allows once."""
    module, variable = _PLACES[signal]
    provider = getattr(sys.modules.get(module), variable, None)
    if provider is not None:
        _logger.error("there is a global provider of %s already (%s), which stays: call configure() first", signal, type(provider).__name__)
    return provider is not None


def _level(level: int | str | None) -> int | None:
    if level is None or (isinstance(level, int) and not isinstance(level, bool)):
        return level
    known = logging.getLevelNamesMapping()
    if isinstance(level, str) and level.upper() in known:
        return known[level.upper()]
    raise OtlpConfigError(f"logging_level: {level!r} is unknown; give a level of the module logging, such as logging.INFO or 'INFO'")


def _call(method: str, provider: Any, timeout_millis: float) -> Any:
    try:
        return getattr(provider, method)(timeout_millis)
    except Exception as error:
        _logger.error("%s.%s() raised %s: %s", type(provider).__name__, method, type(error).__name__, error)
        return False


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
