"""The logs API over a ring: `LoggerProvider`."""

from __future__ import annotations

import atexit
import dataclasses
import logging
import os
import threading
import time
import traceback
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry import _logs as api

from ._provider import RecordingProvider, millis_until
from ._recorder import Recorder, hold_recorder
from ._resource import Resource, ResourceLike
from ._scope import InstrumentationScope, scope_key
from .. import _native
from .._errors import OtlpConfigError

if TYPE_CHECKING:
    from .._library import OtlpLibrary

_logger = logging.getLogger("otlp_arrow_library.sdk")

_UNLIMITED = -1
_DEFAULT_COUNT = 128


@dataclasses.dataclass(frozen=True)
class LogRecordLimits:
    """Most attributes of a log record, and most characters of an attribute's text; -1: any number.

    None: what OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT and OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT say, else
    OTEL_ATTRIBUTE_COUNT_LIMIT and OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, else 128 attributes of any length.
    """

    max_attributes: int | None = None
    max_attribute_length: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_attributes", "max_attribute_length"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not _UNLIMITED <= value < 2**31):
                raise OtlpConfigError(f"{name}: {value!r} is no int from 0 on, -1 (no limit) or None (what the environment says)")

    def resolved(self) -> tuple[int, int]:
        """Both limits, with what the environment says; -1: none."""
        count, length = self.max_attributes, self.max_attribute_length
        if count is None:
            count = _limit_of("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT", _DEFAULT_COUNT)
        if length is None:
            length = _limit_of("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", _UNLIMITED)
        return count, length


@dataclasses.dataclass
class ReadWriteLogRecord:
    """What log record processors are given. What they change in `log_record` is recorded so."""

    log_record: api.LogRecord
    resource: Any
    instrumentation_scope: Any
    limits: Any = None

    @property
    def dropped_attributes(self) -> int:
        return 0


class LoggerProvider(RecordingProvider, api.LoggerProvider):
    """Loggers that record natively into a ring.

    `mmap_file`, `library`, `recorder` and `resource` as of `MeterProvider`; `log_record_limits`: a LogRecordLimits of this
    package or of the OpenTelemetry SDK. Processors of the OpenTelemetry SDK may be added;
    every record costs what they cost then.

    Raises OtlpConfigError for arguments that cannot be, OtlpIOError where the ring cannot be opened.
    """

    def __init__(
        self,
        resource: ResourceLike | Mapping[str, Any] | None = None,
        shutdown_on_exit: bool = True,
        *,
        mmap_file: str | os.PathLike[str] | None = None,
        library: OtlpLibrary | None = None,
        recorder: Recorder | None = None,
        log_record_limits: Any = None,
    ) -> None:
        self._limits = _resolved(log_record_limits)
        super().__init__(resource, lambda: hold_recorder(mmap_file, library, recorder))
        self._processors: list[Any] = []
        self._loggers: dict[object, Logger] = {}
        self._lock = threading.Lock()
        self._is_shut_down = False
        self._at_exit = atexit.register(self.shutdown) if shutdown_on_exit else None
        _providers.add(self)

    def get_logger(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Mapping[str, Any] | None = None
    ) -> api.Logger:
        """The logger of an instrumentation scope; the same one for equal arguments."""
        if self._held is None or self._is_shut_down:
            return api.NoOpLogger(name, version=version, schema_url=schema_url, attributes=attributes)
        key = scope_key(name, version, schema_url, attributes)
        logger = self._loggers.get(key)
        if logger is not None:
            return logger
        with self._lock:
            logger = self._loggers.get(key)
            if logger is None:
                scope = InstrumentationScope(self._held.recorder.native, self._resource, name, version, schema_url, attributes)
                logger = self._loggers[key] = Logger(self, scope)
            return logger

    def add_log_record_processor(self, log_record_processor: Any) -> None:
        """From now on its `on_emit` sees each record before it is recorded."""
        if not callable(getattr(log_record_processor, "on_emit", None)):
            _logger.error("a log record processor of type %s has no on_emit, and is not added", type(log_record_processor).__name__)
            return
        self._processors.append(log_record_processor)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """True when all that was emitted is where it is meant to be: in the ring file, or in the library's readable files."""
        if self._held is None or self._is_shut_down:
            return True
        deadline = time.monotonic() + timeout_millis / 1000
        flushed = all([_flush(processor, millis_until(deadline)) for processor in self._processors])
        return self._held.recorder.force_flush(millis_until(deadline)) and flushed

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Flushes. Nothing is recorded afterwards."""
        with self._lock:
            if self._is_shut_down:
                return
            self._is_shut_down = True
        if self._at_exit is not None:
            atexit.unregister(self._at_exit)
        deadline = time.monotonic() + timeout_millis / 1000
        for processor in self._processors:
            try:
                processor.shutdown()
            except Exception:
                _logger.exception("a log record processor's shutdown failed")
        for logger in self._loggers.values():
            logger._scope.native.close()
        if self._held is not None:
            self._held.release(millis_until(deadline))

    def _continue_in_child(self) -> None:
        self._lock = threading.Lock()


class Logger(_native.Logger, api.Logger):
    """Emits log records; `emit` is native."""

    def __init__(self, provider: LoggerProvider, scope: InstrumentationScope) -> None:
        api.Logger.__init__(self, scope.name, scope.version, scope.schema_url, scope.attributes)
        self._provider = provider
        self._scope = scope
        self._open(scope.native, exception_attributes, provider._processors, *provider._limits)

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        return self._scope

    @property
    def resource(self) -> Resource:
        return self._provider.resource

    def enabled(self, *, context: Any = None, severity_number: Any = None, event_name: str | None = None) -> bool:
        """False after the provider's shutdown."""
        return not self._provider._is_shut_down

    def _emit_processed(self, record: Any = None, **fields: Any) -> None:
        """Through the processors of Python. What one of them raises is logged, the others go on."""
        log_record = record if record is not None else api.LogRecord(**fields)
        log_record = getattr(log_record, "log_record", log_record)
        exception = getattr(log_record, "exception", None)
        if exception is not None:
            log_record.attributes = {**exception_attributes(exception), **(log_record.attributes or {})}
            log_record.exception = None
        elif log_record.attributes is None:
            log_record.attributes = {}
        given = _read_write_record(log_record, self._provider.resource, self._scope)
        for processor in list(self._provider._processors):
            try:
                processor.on_emit(given)
            except Exception:
                _logger.exception("a log record processor failed; the others go on")
        self._emit_record(given.log_record)


def exception_attributes(exception: BaseException) -> dict[str, Any]:
    """exception.type, .message and .stacktrace, as the semantic conventions have them."""
    kind = type(exception)
    module = "" if kind.__module__ in (None, "builtins") else f"{kind.__module__}."
    return {
        "exception.type": f"{module}{kind.__qualname__}",
        "exception.message": _text_of(exception),
        "exception.stacktrace": _trace_of(exception),
    }


def _text_of(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as error:
        return f"<str() raised {type(error).__name__}>"


def _trace_of(exception: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(exception))
    except Exception as error:
        return f"<the trace could not be formatted: {type(error).__name__}>"


def _read_write_record(log_record: Any, resource: Resource, scope: InstrumentationScope) -> Any:
    """The OpenTelemetry SDK's own class where it is loaded, as its processors are then."""
    import sys

    sdk = sys.modules.get("opentelemetry.sdk._logs")
    kind = getattr(sdk, "ReadWriteLogRecord", None)
    if sdk is None or kind is None:
        return ReadWriteLogRecord(log_record, resource, scope)
    from opentelemetry.sdk.resources import Resource as SdkResource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope as SdkScope

    return kind(
        log_record=log_record,
        resource=SdkResource(dict(resource.attributes), resource.schema_url),
        instrumentation_scope=SdkScope(scope.name, scope.version, scope.schema_url, dict(scope.attributes)),
    )


def _resolved(limits: Any) -> tuple[int, int]:
    if limits is None:
        return LogRecordLimits().resolved()
    if isinstance(limits, LogRecordLimits):
        return limits.resolved()
    missing: Any = object()
    # The OpenTelemetry SDK's, which has asked the environment already; None is no limit there.
    count: Any = getattr(limits, "max_log_record_attributes", missing)
    length: Any = getattr(limits, "max_log_record_attribute_length", missing)
    if count is missing or length is missing:
        raise OtlpConfigError(f"log_record_limits: {limits!r} is of type {type(limits).__name__}; give a LogRecordLimits")
    return LogRecordLimits(_UNLIMITED if count is None else count, _UNLIMITED if length is None else length).resolved()


def _flush(processor: Any, timeout_millis: float) -> bool:
    try:
        return processor.force_flush(int(timeout_millis)) is not False
    except Exception:
        _logger.exception("a log record processor could not be flushed")
        return False


def _limit_of(variable: str, general: str, default: int) -> int:
    for name in (variable, general):
        text = os.environ.get(name)
        if text is None:
            continue
        text = text.strip()
        if not text:
            return _UNLIMITED
        if text.isdecimal() and int(text) < 2**31:
            return int(text)
        _logger.warning("%s is %r, and is left aside; give a number from 0 on", name, text)
    return default


_providers: weakref.WeakSet[LoggerProvider] = weakref.WeakSet()


def _continue_in_child() -> None:
    for provider in list(_providers):
        provider._continue_in_child()


os.register_at_fork(after_in_child=_continue_in_child)
