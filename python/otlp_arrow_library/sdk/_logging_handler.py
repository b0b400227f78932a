"""A handler for Python's `logging` that emits log records."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from typing import Any

from opentelemetry import _logs as api

from .. import _native

_NOT_ATTRIBUTES = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
_SEVERITY_TEXTS = {"WARNING": "WARN", "CRITICAL": "FATAL"}
# What the library itself says while it records would come back to it.
_OWN_LOGGER = "otlp_arrow_library"
_BODIES = (str, bool, int, float, bytes, dict, list, tuple)


class LoggingHandler(logging.Handler):
    """Emits what is logged: the message (or what a formatter makes of it) as the body, `extra` as attributes, the code's place
    as code.*, an exception as exception.*, in the current span's context.

    `logger_provider` None: the global one. `log_code_attributes=False` leaves code.* away.
    """

    _not_attributes = _NOT_ATTRIBUTES

    def __init__(
        self, level: int | str = logging.NOTSET, logger_provider: api.LoggerProvider | None = None, log_code_attributes: bool = True
    ) -> None:
        super().__init__(level=level)
        self._logger_provider = logger_provider or api.get_logger_provider()
        self._log_code_attributes = log_code_attributes
        self._loggers: dict[str, api.Logger] = {}
        self._emitting = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            logger = self._loggers.get(record.name)
            if logger is None:
                if record.name.partition(".")[0] == _OWN_LOGGER:
                    return
                logger = self._loggers[record.name] = api.get_logger(record.name, logger_provider=self._logger_provider)
            if isinstance(logger, _native.Logger) and logger._emit_logged(self, record):
                return
            self._emit_in_python(logger, record)
        except Exception:
            self.handleError(record)

    def _emit_in_python(self, logger: api.Logger, record: logging.LogRecord) -> None:
        if getattr(self._emitting, "is_emitting", False):
            return
        self._emitting.is_emitting = True
        try:
            logger.emit(
                timestamp=int(record.created * 1e9),
                observed_timestamp=time.time_ns(),
                severity_number=api.SeverityNumber(severity_of(record.levelno)),
                severity_text=_SEVERITY_TEXTS.get(record.levelname, record.levelname),
                body=self._body_of(record),
                attributes=self._attributes_of(record),
                event_name=_event_name_of(record),
            )
        finally:
            self._emitting.is_emitting = False

    def flush(self) -> None:
        """What was emitted is recorded already."""

    def _body_of(self, record: logging.LogRecord) -> Any:
        if self.formatter is not None:
            return self.format(record)
        if not record.args and isinstance(record.msg, _BODIES):
            return record.msg
        return record.getMessage()

    def _attributes_of(self, record: logging.LogRecord) -> dict[str, Any]:
        attributes = {key: value for key, value in vars(record).items() if key not in _NOT_ATTRIBUTES and key not in _EVENT_NAMES}
        if self._log_code_attributes:
            attributes["code.file.path"] = record.pathname
            attributes["code.function.name"] = record.funcName
            attributes["code.line.number"] = record.lineno
        if record.exc_info:
            kind, value, trace = record.exc_info
            if kind is not None:
                attributes["exception.type"] = kind.__name__
            if value is not None and value.args:
                attributes["exception.message"] = str(value.args[0])
            if trace is not None:
                attributes["exception.stacktrace"] = "".join(traceback.format_exception(kind, value, trace))
        return attributes


_EVENT_NAMES = ("otel.event.name", "event.name")  # the second is the older one


def _event_name_of(record: logging.LogRecord) -> str | None:
    fields = vars(record)
    for name in _EVENT_NAMES:
        if name in fields:
            return fields[name]  # type: ignore[no-any-return]
    return None


# DEBUG, INFO, WARN and ERROR have four numbers each; of Python's ten levels the last seven share the fourth.
_SEVERITIES = (
    [0] * 10
    + [first + min(step, 3) for first in (5, 9, 13, 17) for step in range(10)]
    + [21, 22, 23]
)


def severity_of(level: int) -> int:
    """OTLP's severity number of a level of `logging`."""
    if level < 0:
        return 0
    return _SEVERITIES[level] if level < len(_SEVERITIES) else 24
