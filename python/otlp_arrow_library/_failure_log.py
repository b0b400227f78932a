"""Log lines of exporters whose exports fail, in bounded number."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ._errors import OtlpError, OtlpShutdownError

_logger = logging.getLogger("otlp_arrow_library")
_INTERVAL_SECS = 60.0


class FailureLog:
    """Each kind of failure once a minute with the reason, what comes in between as a count; the end of the library once."""

    def __init__(self, exporter: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._exporter = exporter
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._unsaid: dict[str, int] = {}

    def report(self, error: OtlpError) -> None:
        unsaid = self._unsaid_before(error)
        if unsaid is not None:
            more = f" ({unsaid} more failed like this since the last message)" if unsaid else ""
            _logger.error("%s: not everything is recorded: %s: %s%s", self._exporter, type(error).__name__, error, more)

    def _unsaid_before(self, error: OtlpError) -> int | None:
        """How many were not logged before this one, which is to be logged; None where it is not."""
        kind = f"{type(error).__name__} {error.retryable}"
        with self._lock:
            last = self._last.get(kind)
            once = isinstance(error, OtlpShutdownError)
            if last is not None and (once or self._clock() - last < _INTERVAL_SECS):
                self._unsaid[kind] = self._unsaid.get(kind, 0) + 1
                return None
            self._last[kind] = self._clock()
            return self._unsaid.pop(kind, 0)
