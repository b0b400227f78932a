"""The tracer provider."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from opentelemetry import trace as api

from .. import _native
from .._attributes import clean_attributes
from . import _trace_items  # hands the API over to the native types
from ._ids import RandomIdGenerator
from ._limits import SpanLimits
from ._processors import ProcessorList
from ._provider import RecordingProvider, millis_until
from ._recorder import ENVIRONMENT_VARIABLE, Recorder, SharedRecorder, hold_recorder
from ._resource import ResourceLike
from ._sampling import check_sampler, sampler_of_environment, specification_of
from ._scope import InstrumentationScope

if TYPE_CHECKING:
    from .._library import OtlpLibrary

_logger = logging.getLogger("otlp_arrow_library.sdk")

Span = _native.Span
Tracer = _native.Tracer


class UnrecordedScope:
    """An instrumentation scope whose spans go to processors alone."""

    def __init__(self, name: str, version: str | None, schema_url: str | None, attributes: Mapping[str, Any] | None) -> None:
        self.name = name
        self.version = version
        self.schema_url = schema_url or ""
        self.attributes: Mapping[str, Any] = MappingProxyType(dict(attributes or {}))
        self.native = None


class TracerProvider(RecordingProvider, api.TracerProvider):
    """Tracers whose spans are recorded natively, each thing as it happens: a program that dies leaves them to the collector.

    Records to `mmap_file` (a ring file, which `otlp-arrow collect` empties; "{pid}" in it gives each forked child its own), to
    `library` (an `OtlpLibrary` of this process) or to `recorder`; without any of them to the file that SDK_MMAP_EXPORTER_FILE
    names, and without that spans go to span processors alone.

    `sampler`, `id_generator` and the span processors may be ours or those of the OpenTelemetry SDK. `resource`: a `Resource`, of
    either kind, or a mapping of attributes; by default what the environment says.

    Raises OtlpConfigError for arguments that cannot be, OtlpIOError where the ring cannot be opened.
    """

    def __init__(
        self,
        sampler: Any = None,
        resource: ResourceLike | Mapping[str, Any] | None = None,
        shutdown_on_exit: bool = True,
        active_span_processor: Any = None,
        id_generator: Any = None,
        span_limits: Any = None,
        *,
        mmap_file: str | os.PathLike[str] | None = None,
        library: OtlpLibrary | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.sampler = sampler if sampler is not None else sampler_of_environment()
        check_sampler(self.sampler)
        self.id_generator = id_generator if id_generator is not None else RandomIdGenerator()
        self._span_limits = span_limits if span_limits is not None else SpanLimits()
        super().__init__(resource, lambda: _held(mmap_file, library, recorder))
        self._core = _native.TraceCore(
            recorder=None if self._held is None else self._held.recorder.native,
            sampler=specification_of(self.sampler),
            id_generator=None if type(self.id_generator) is RandomIdGenerator else self.id_generator,
            trace_ids_are_random=_are_random(self.id_generator),
            resource=self.resource,
            limits=self._span_limits,
        )
        self._processors = ProcessorList()
        self._tracers: dict[object, Any] = {}
        self._lock = threading.Lock()
        self._outcome: bool | None = None
        if active_span_processor is not None:
            self.add_span_processor(active_span_processor)
        self._at_exit = atexit.register(self.shutdown) if shutdown_on_exit else None

    def renew_resource(self) -> None:
        super().renew_resource()
        if hasattr(self, "_core"):  # else it is being made
            self._core.set_resource(self._resource)

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> api.Tracer:
        """The tracer of an instrumentation scope; the same one for equal arguments."""
        if self._is_disabled:
            return api.NoOpTracer()
        name, version = instrumenting_module_name, instrumenting_library_version
        if not name or not isinstance(name, str):
            _logger.error("get_tracer: the name of the module is %r, and should be a str that is not empty", name)
            name = str(name or "")
        attributes = _readable(attributes)
        key = (name, str(version or ""), str(schema_url or ""), repr(sorted(attributes.items())) if attributes else "")
        tracer = self._tracers.get(key)
        if tracer is None:
            scope: InstrumentationScope | UnrecordedScope
            if self._held is None:
                scope = UnrecordedScope(*key[:3], attributes)
            else:
                scope = InstrumentationScope(self._held.recorder.native, self._resource, *key[:3], attributes)
            # The first one that is made stays.
            tracer = self._tracers.setdefault(key, self._core.tracer(scope=scope.native, instrumentation_scope=scope))
        return cast(api.Tracer, tracer)

    def add_span_processor(self, span_processor: Any) -> None:
        """From now on it sees spans start and end, after those that were added before. Every span costs what it costs then."""
        if not callable(getattr(span_processor, "on_end", None)):
            _logger.error("a span processor of type %s has no on_end, and is not added", type(span_processor).__name__)
            return
        self._core.set_processors(self._processors.add(span_processor))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True when all ended spans are where they are meant to be: in the ring file, or in the library's readable files, and
        the processors are done with them."""
        if self._outcome is not None:
            return True
        deadline = time.monotonic() + timeout_millis / 1000
        flushed = self._processors.force_flush(timeout_millis)
        if self._held is None:
            return flushed
        return self._held.recorder.force_flush(millis_until(deadline)) and flushed

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Flushes. Spans that start afterwards record nothing, and nothing is added to those that are still open."""
        with self._lock:
            if self._outcome is not None:
                return
            self._outcome = False
        if self._at_exit is not None:
            atexit.unregister(self._at_exit)
        deadline = time.monotonic() + timeout_millis / 1000
        self._core.shut_down()
        self._processors.shutdown()
        self._outcome = self._held is None or self._held.release(millis_until(deadline))


def _held(mmap_file: Any, library: Any, recorder: Any) -> SharedRecorder | None:
    if mmap_file is None and library is None and recorder is None and not os.environ.get(ENVIRONMENT_VARIABLE):
        return None
    return hold_recorder(mmap_file, library, recorder)


def _are_random(id_generator: Any) -> bool:
    asked = getattr(id_generator, "is_trace_id_random", None)
    return bool(asked()) if callable(asked) else False


def _readable(attributes: Any) -> dict[str, Any]:
    """What can be read of the attributes of a scope; a mistake costs them, and a message."""
    try:
        return clean_attributes(attributes or {})
    except Exception as error:
        _logger.error("get_tracer: attributes of type %s cannot be read and are left out: %s", type(attributes).__name__, type(error).__name__)
        return {}


__all__ = ["Span", "Tracer", "TracerProvider", "_trace_items"]
