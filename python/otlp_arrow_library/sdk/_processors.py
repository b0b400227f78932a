"""Span processors: Python code that sees spans start and end."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

_logger = logging.getLogger("otlp_arrow_library.sdk")


class SpanProcessor:
    """To derive from. The OpenTelemetry SDK's processors may be added to a `TracerProvider` as well.

    What one raises is logged; the program and the other processors go on.
    """

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        """`span` has started, and may be changed. Called on the thread that starts it."""

    def on_end(self, span: Any) -> None:
        """`span` has ended; it is what span exporters take. Called on the thread that ends it."""

    def shutdown(self) -> None:
        """The provider is shut down."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """True when all that was held back is done with."""
        return True


class ProcessorList:
    """The processors of a provider."""

    def __init__(self) -> None:
        self.all: tuple[Any, ...] = ()
        self._lock = threading.Lock()

    def add(self, processor: Any) -> tuple[Any, ...]:
        with self._lock:
            self.all += (processor,)
            return self.all

    def force_flush(self, timeout_millis: float) -> bool:
        """Those that come when the time is over are left out."""
        deadline = time.monotonic() + timeout_millis / 1000
        flushed = True
        for processor in self.all:
            left = int((deadline - time.monotonic()) * 1000)
            if left < 0:
                return False
            try:
                flushed = processor.force_flush(left) is not False and flushed
            except Exception:
                _logger.exception("force_flush of the span processor %s failed", type(processor).__name__)
                flushed = False
        return flushed

    def shutdown(self) -> None:
        for processor in self.all:
            try:
                processor.shutdown()
            except Exception:
                _logger.exception("shutdown of the span processor %s failed", type(processor).__name__)
