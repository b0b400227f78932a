"""Span processors: they give ended spans to an exporter. Providers of ours and of the OpenTelemetry SDK take them.

    provider.add_span_processor(BatchSpanProcessor(OTLPExporter("http://127.0.0.1:4318")))
"""

from __future__ import annotations

import collections
import logging
import os
import sys
import threading
import time
import weakref
from typing import Any, Protocol

from opentelemetry import context as context_api
from opentelemetry.context import Context

from .._errors import OtlpConfigError, OtlpExportError
from .._failure_log import FailureLog
from ._models import Span

_logger = logging.getLogger("otlp_arrow_library.telemetry")

_MOST = 10_000_000  # spans in a queue, milliseconds of a delay
_DEFAULTS = {
    "max_queue_size": ("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1),
    "schedule_delay_millis": ("OTEL_BSP_SCHEDULE_DELAY", 5000, 0),
    "max_export_batch_size": ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1),
    "export_timeout_millis": ("OTEL_BSP_EXPORT_TIMEOUT", 30_000, 0),
}


class SpanExporter(Protocol):
    """What a processor needs. `export` gets a list of this module's `Span`, or the spans as they are where the exporter is one
    of the OpenTelemetry SDK's or says `takes_sdk_spans = True`.
    """

    def export(self, spans: list[Any], /) -> Any: ...
    def shutdown(self) -> Any: ...


class _Processor:
    """Calls an exporter and survives it."""

    def __init__(self, exporter: SpanExporter) -> None:
        if not callable(getattr(exporter, "export", None)):
            raise OtlpConfigError(f"exporter is of type {type(exporter).__name__}, which has no method export; give a span exporter, such as OTLPExporter(...)")
        self.span_exporter = exporter
        self._takes_sdk_spans = _takes_sdk_spans(exporter)
        self._failures = FailureLog(type(self).__name__)
        self.exported_spans = 0
        """Spans that the exporter took."""
        self.failed_spans = 0
        """Spans that it refused, or that its exceptions lost."""

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Called when a span starts; there is nothing to do yet."""

    def _on_ending(self, span: Any) -> None:
        """Called by the OpenTelemetry SDK."""

    def _export(self, spans: list[Any]) -> None:
        token = _suppress_instrumentation()
        try:
            given = spans if self._takes_sdk_spans else [Span.of(span) for span in spans]
            result = self.span_exporter.export(given)
        except Exception as error:
            self.failed_spans += len(spans)
            failure = OtlpExportError(f"{type(self.span_exporter).__name__} raised {type(error).__name__}: {error}")
            self._failures.report(failure)
            _logger.debug("the exporter's exception", exc_info=error)
        else:
            if getattr(result, "name", None) == "FAILURE":  # of whoever's enumeration; the exporter has told why
                self.failed_spans += len(spans)
            else:
                self.exported_spans += len(spans)
        finally:
            _restore(token)

    def _shut_down_exporter(self) -> None:
        try:
            self.span_exporter.shutdown()
        except Exception as error:
            _logger.warning("%s.shutdown() raised %s: %s", type(self.span_exporter).__name__, type(error).__name__, error)


class SimpleSpanProcessor(_Processor):
    """Exports each span when it ends, on the thread that ends it. For tests and short programs."""

    def __init__(self, exporter: SpanExporter) -> None:
        super().__init__(exporter)
        self._is_shut_down = False

    def on_end(self, span: Any) -> None:
        """Called when a span ends."""
        if not self._is_shut_down and _is_sampled(span):
            self._export([span])

    def force_flush(self, timeout_ms: float = 30_000) -> bool:
        """Asks the exporter to."""
        return _flush_exporter(self.span_exporter, timeout_ms)

    def shutdown(self) -> None:
        """Shuts the exporter down; spans that end later are not exported."""
        if not self._is_shut_down:
            self._is_shut_down = True
            self._shut_down_exporter()


class BatchSpanProcessor(_Processor):
    """Exports spans in batches, on a thread of its own.

    A batch goes out when `max_export_batch_size` spans wait, every `schedule_delay_millis`, and at `force_flush`. At most
    `max_queue_size` spans wait; those that end beyond that are dropped and counted. `shutdown` waits for
    `export_timeout_millis` at most. What is not given comes from OTEL_BSP_*. Raises `OtlpConfigError`; nothing else of it raises.
    """

    def __init__(
        self,
        exporter: SpanExporter,
        max_queue_size: int | None = None,
        schedule_delay_millis: float | None = None,
        max_export_batch_size: int | None = None,
        export_timeout_millis: float | None = None,
    ) -> None:
        super().__init__(exporter)
        self.max_queue_size = int(_setting("max_queue_size", max_queue_size))
        self.max_export_batch_size = int(_setting("max_export_batch_size", max_export_batch_size))
        if self.max_export_batch_size > self.max_queue_size:
            if max_export_batch_size is not None and max_queue_size is not None:
                raise OtlpConfigError(f"max_export_batch_size is {max_export_batch_size}, and must not be larger than max_queue_size, {max_queue_size}")
            self.max_export_batch_size = self.max_queue_size
        self._delay = _setting("schedule_delay_millis", schedule_delay_millis) / 1000
        self._patience = _setting("export_timeout_millis", export_timeout_millis) / 1000
        self.dropped_spans = 0
        """Spans that found no room in the queue, or that shutdown had no time for."""
        self._is_shut_down = False
        self._begin()
        _BATCHES.add(self)

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._queue: collections.deque[Any] = collections.deque()
        self._thread: threading.Thread | None = None
        self._taken = 0  # spans that ever came into the queue
        self._done = 0  # of these, handed to the exporter or dropped
        self._wanted = 0  # until _done is that much there is no delay
        self._is_exporting = False

    def on_end(self, span: Any) -> None:
        """Called when a span ends."""
        if not _is_sampled(span):
            return
        with self._changed:
            if self._is_shut_down or len(self._queue) >= self.max_queue_size:
                self._drop(1)
                return
            self._queue.append(span)
            self._taken += 1
            if self._thread is None:
                self._start_thread()
            elif len(self._queue) == self.max_export_batch_size:
                self._changed.notify_all()

    def force_flush(self, timeout_ms: float | None = None) -> bool:
        """True when all spans that had ended are exported, False when that took longer."""
        deadline = time.monotonic() + (self._patience if timeout_ms is None else max(0.0, timeout_ms / 1000))
        with self._changed:
            target = self._taken
            self._wanted = max(self._wanted, target)
            self._changed.notify_all()
            while self._done < target:
                if self._is_thread_alive():
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return False
                    self._changed.wait(left)
                elif not self._export_one_batch():
                    break
        return _flush_exporter(self.span_exporter, max(0.0, deadline - time.monotonic()) * 1000)

    def shutdown(self, timeout_ms: float | None = None) -> None:
        """Exports what waits, for `timeout_ms` (`export_timeout_millis`) at most, and shuts the exporter down."""
        deadline = time.monotonic() + (self._patience if timeout_ms is None else max(0.0, timeout_ms / 1000))
        with self._changed:
            if self._is_shut_down:
                return
            self._is_shut_down = True
            self._changed.notify_all()
            while self._done < self._taken:
                if self._is_thread_alive():
                    left = deadline - time.monotonic()
                    if left <= 0:
                        break
                    self._changed.wait(left)
                elif time.monotonic() > deadline or not self._export_one_batch():
                    break
            if left_over := len(self._queue):
                self._queue.clear()
                self._done += left_over
                self._drop(left_over)
        self._shut_down_exporter()

    @property
    def queued_spans(self) -> int:
        """Spans that wait."""
        return len(self._queue)

    def _drop(self, spans: int) -> None:
        self.dropped_spans += spans
        why = "it is shut down" if self._is_shut_down else f"{self.max_queue_size} spans wait already (max_queue_size)"
        self._failures.report(OtlpExportError(f"spans are dropped: {why}", retryable=True))

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=_work, args=(self, self._changed), name="otlp-arrow-batch", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter ends: shutdown exports by itself
            self._thread = None

    def _is_thread_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and self._thread is not threading.current_thread()

    def _is_due(self) -> bool:
        return len(self._queue) >= self.max_export_batch_size or self._done < self._wanted or self._is_shut_down

    def _export_one_batch(self) -> bool:
        """With the lock, which is let go for the export. False where there is nothing, or another thread exports."""
        if not self._queue or self._is_exporting:
            return False
        batch = [self._queue.popleft() for _ in range(min(len(self._queue), self.max_export_batch_size))]
        self._is_exporting = True
        self._changed.release()
        try:
            self._export(batch)
        finally:
            self._changed.acquire()
            self._is_exporting = False
            self._done += len(batch)
            self._changed.notify_all()
        return True

    def _wait_and_export(self, until: float) -> float | None:
        """One step of the thread, with the lock; when the next delay ends, or None at the end of all."""
        left = until - time.monotonic()
        if self._is_exporting or (left > 0 and not self._is_due()):
            self._changed.wait(None if self._is_exporting else left)
            return until
        if not self._export_one_batch() and self._is_shut_down:
            return None
        return until if self._is_due() else time.monotonic() + self._delay

    def _after_fork(self) -> None:
        """The parent exports what waited there; what was locked there stays locked."""
        self._failures = FailureLog(type(self).__name__)
        self._begin()


def _work(processor: BatchSpanProcessor, changed: threading.Condition) -> None:
    until: float | None = time.monotonic() + processor._delay
    while until is not None:
        with changed:
            until = processor._wait_and_export(until)


_BATCHES: weakref.WeakSet[BatchSpanProcessor] = weakref.WeakSet()


def _renew_batches() -> None:
    for processor in list(_BATCHES):
        processor._after_fork()


os.register_at_fork(after_in_child=_renew_batches)


def _takes_sdk_spans(exporter: object) -> bool:
    if getattr(exporter, "takes_sdk_spans", False):
        return True
    module: Any = sys.modules.get("opentelemetry.sdk.trace.export")  # not loaded: the exporter cannot be one of its
    base = getattr(module, "SpanExporter", None)
    return isinstance(base, type) and isinstance(exporter, base)


def _is_sampled(span: Any) -> bool:
    if isinstance(span, Span):
        return True
    try:
        return bool(span.get_span_context().trace_flags & 1)
    except Exception:
        return False  # no span


def _flush_exporter(exporter: Any, timeout_ms: float) -> bool:
    flush = getattr(exporter, "force_flush", None)
    if not callable(flush):
        return True
    try:
        return flush(int(timeout_ms)) is not False
    except Exception as error:
        _logger.warning("%s.force_flush() raised %s: %s", type(exporter).__name__, type(error).__name__, error)
        return False


def _suppress_instrumentation() -> Any:
    """What an exporter does over the network must not make spans of its own."""
    key = context_api._SUPPRESS_INSTRUMENTATION_KEY
    return context_api.attach(context_api.set_value(key, True))


def _restore(token: Any) -> None:
    context_api.detach(token)


def _setting(name: str, value: float | None) -> float:
    variable, default, least = _DEFAULTS[name]
    if value is None:
        text = os.environ.get(variable, "").strip()
        if not text:
            return default
        name = variable
        try:
            value = float(text)
        except ValueError:
            raise OtlpConfigError(f"{name}: {text!r} is no number; give one such as {default}") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= _MOST:
        raise OtlpConfigError(f"{name}: {value!r} is out of range; give a number from {least} to {_MOST}")
    return value
