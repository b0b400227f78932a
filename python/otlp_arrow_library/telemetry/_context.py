"""Spans of the running program: started, found, linked. They are spans of the global TracerProvider, ours or any other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Status, StatusCode

from . import _events

_logger = logging.getLogger("otlp_arrow_library.telemetry")

_TRACE_CONTEXT_KEY = context_api.create_key("otlp-arrow-trace-context")
_TRACER_NAME = "otlp_arrow_library.telemetry"


class TraceContext:
    """A span, and its place among the spans of the program. Also a context manager, which ends the span and records what was
    raised. Methods may be called from any thread and task, and after the end, when they do nothing; none raises.
    """

    __slots__ = ("_span", "_context", "_before", "_is_ended", "__weakref__")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._context: Context | None = None  # with this span in it, where start_span made it the current one
        self._before: Context | None = None  # what is current again at its end
        self._is_ended = False

    @property
    def span(self) -> trace.Span:
        """The span of the OpenTelemetry API."""
        return self._span

    def set_attribute(self, key: str, value: Any) -> None:
        """Sets an attribute of the span."""
        _guarded(self._span.set_attribute, key, value)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Adds an event, of now, to the span."""
        _guarded(self._span.add_event, name, attributes)

    def set_status(self, code: StatusCode, description: str | None = None) -> None:
        """Says how what the span stands for ended."""
        _guarded(self._span.set_status, Status(code, description if code is StatusCode.ERROR else None))

    def record_exception(self, exception: BaseException, attributes: Mapping[str, Any] | None = None) -> None:
        """Adds an event with the exception's type, message and stack trace."""
        _guarded(self._span.record_exception, exception, attributes)

    def end(self) -> None:
        """Ends the span. The one that was current when it started is current again."""
        if self._is_ended:
            return
        self._is_ended = True
        self._leave()
        _guarded(self._span.end)

    def get_trace_id(self) -> str:
        """32 lower-case hexadecimal digits; all zero where nothing is recorded."""
        return format(self._span.get_span_context().trace_id, "032x")

    def get_span_id(self) -> str:
        """16 lower-case hexadecimal digits; all zero where nothing is recorded."""
        return format(self._span.get_span_context().span_id, "016x")

    def is_recording(self) -> bool:
        """False after the end, and where the span is sampled out or no provider is set up."""
        return self._span.is_recording()

    def __enter__(self) -> TraceContext:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if isinstance(error, Exception):
            tell_exception(self._span, error)
        self.end()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TraceContext):
            return self._span is other._span or self._ids() == other._ids() != (0, 0)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._ids())

    def __repr__(self) -> str:
        return f"<TraceContext trace_id={self.get_trace_id()} span_id={self.get_span_id()}{', ended' if self._is_ended else ''}>"

    def _ids(self) -> tuple[int, int]:
        context = self._span.get_span_context()
        return context.trace_id, context.span_id

    def _enter(self, before: Context) -> None:
        self._before = before
        self._context = context_api.set_value(_TRACE_CONTEXT_KEY, self, trace.set_span_in_context(self._span, before))
        context_api.attach(self._context)

    def _leave(self) -> None:
        """Where this span is the current one, the newest of those around it that has not ended becomes that. No token is
        used: these are good in the task that made them alone, and this one may be another.
        """
        if self._context is not None and self._before is not None and context_api.get_current() is self._context:
            context_api.attach(_without_ended(self._before))
            self._before = None


def start_span(name: str, attributes: Mapping[str, Any] | None = None, parent: TraceContext | trace.Span | trace.SpanContext | None = None) -> TraceContext:
    """Starts a span and makes it the current one, until its `end()`. Its parent is `parent`, or else the current span.

    Emits `span_started`. Without a TracerProvider (`sdk.configure`) nothing is recorded.
    """
    before = _without_ended(context_api.get_current())
    started = TraceContext(begin_span(name, _context_of(parent, before), attributes))
    started._enter(before)
    _events.emit(_events.SPAN_STARTED, started)
    return started


def get_current_span() -> TraceContext | None:
    """The span that the program is in, by whatever API it was started; None where there is none."""
    context = context_api.get_current()
    span = trace.get_current_span(context)
    if span is trace.INVALID_SPAN:
        return None
    known = context.get(_TRACE_CONTEXT_KEY)
    if isinstance(known, TraceContext) and known._span is span:
        return _newest_open(known)
    return TraceContext(span) if span.get_span_context().is_valid else None


def link_span(context: TraceContext | trace.Span | trace.SpanContext, attributes: Mapping[str, Any] | None = None) -> bool:
    """Links the current span to another one. False where there is no current span that records, or the other one is none."""
    current = get_current_span()
    target = _span_context_of(context)
    if current is None or not current.is_recording() or target is None or not target.is_valid:
        return False
    current.span.add_link(target, attributes)
    return True


def _newest_open(known: TraceContext) -> TraceContext | None:
    """Spans that were ended elsewhere, in another task, may still be found in a context."""
    while known._is_ended:
        outer = known._before.get(_TRACE_CONTEXT_KEY) if known._before is not None else None
        if not isinstance(outer, TraceContext):
            return None
        known = outer
    return known


def _without_ended(context: Context) -> Context:
    """What was current before the ended spans that `start_span` had made current."""
    while isinstance(known := context.get(_TRACE_CONTEXT_KEY), TraceContext) and known._is_ended:
        if known._context is context and known._before is not None:
            context = known._before
        elif trace.get_current_span(context) is known._span:  # with values that somebody else has put on top
            outer = _newest_open(known)
            context = trace.set_span_in_context(trace.INVALID_SPAN if outer is None else outer._span, context)
            return context_api.set_value(_TRACE_CONTEXT_KEY, outer, context)
        else:
            break
    return context


def _context_of(parent: object, current: Context) -> Context:
    if parent is None:
        return current
    span_context = _span_context_of(parent)
    if span_context is None:
        _logger.warning("start_span: parent is of type %s, and must be a TraceContext; the current span is the parent", type(parent).__name__)
        return current
    if isinstance(parent, trace.SpanContext):
        return trace.set_span_in_context(trace.NonRecordingSpan(parent), current)
    return trace.set_span_in_context(parent._span if isinstance(parent, TraceContext) else parent, current)  # type: ignore[arg-type]


def _span_context_of(value: object) -> trace.SpanContext | None:
    if isinstance(value, TraceContext):
        return value._span.get_span_context()
    if isinstance(value, trace.Span):
        return value.get_span_context()
    return value if isinstance(value, trace.SpanContext) else None


_tracers: tuple[Any, Any] = (None, None)


def tracer() -> trace.Tracer:
    """Of the global provider. Until one is set, the API's own stands in, which goes over to it by itself."""
    global _tracers
    provider = trace.get_tracer_provider()
    known_provider, known = _tracers
    if known_provider is not provider:
        known = provider.get_tracer(_TRACER_NAME)
        _tracers = (provider, known)
    return known  # type: ignore[no-any-return]


def begin_span(name: str, context: Context | None, attributes: Mapping[str, Any] | None) -> trace.Span:
    """A span of the global provider; without its attributes, or without record, where these or the provider raise."""
    try:
        return tracer().start_span(name, context, attributes=attributes)
    except Exception as error:
        _logger.warning("a span could not be started with its attributes: %s", type(error).__name__)
    try:
        return tracer().start_span(name, context)
    except Exception as error:
        _logger.warning("a span could not be started and is not recorded: %s", type(error).__name__)
        return trace.INVALID_SPAN


def tell_exception(span: trace.Span, error: Exception) -> None:
    """As `start_as_current_span` of the API does."""
    if not span.is_recording():
        return
    _guarded(span.record_exception, error)
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # its own __str__ raises
        text = type(error).__name__
    _guarded(span.set_status, Status(StatusCode.ERROR, text))


def _guarded(method: Callable[..., Any], *arguments: Any) -> None:
    """A program must not fail for what an attribute, or a span of another SDK, raises."""
    try:
        method(*arguments)
    except Exception as error:
        _logger.warning("%s raised %s and is left out", getattr(method, "__name__", "a span's method"), type(error).__name__)
