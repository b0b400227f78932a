"""Who wants to know of what the tracing API does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .._errors import OtlpConfigError

if TYPE_CHECKING:
    from ._context import TraceContext

_logger = logging.getLogger("otlp_arrow_library.telemetry")

Listener = Callable[["TraceContext"], Any]

SPAN_STARTED = "span_started"
"""A span has been started by `start_span` or `traced`; a listener gets its `TraceContext`."""

_lock = threading.Lock()
listeners: dict[str, list[Listener]] = {SPAN_STARTED: []}
"""Of each event; the lists themselves stay the same."""


def subscribe(event: str, listener: Listener) -> Listener:
    """Calls `listener` at each event, on the thread where it happens, until `unsubscribe`. What it raises is logged. A listener
    that is there already is not added again. Returns the listener, for `unsubscribe`.
    """
    _check(event)
    if not callable(listener):
        raise OtlpConfigError(f"listener is of type {type(listener).__name__}; give a function that takes a TraceContext")
    with _lock:
        if listener not in listeners[event]:
            listeners[event].append(listener)
    return listener


def unsubscribe(event: str, listener: Listener) -> bool:
    """True where the listener was there."""
    _check(event)
    with _lock:
        was_there = listener in listeners[event]
        if was_there:
            listeners[event].remove(listener)
    return was_there


def emit(event: str, context: TraceContext) -> None:
    for listener in tuple(listeners[event]):
        try:
            listener(context)
        except Exception as error:
            name = getattr(listener, "__qualname__", type(listener).__name__)
            _logger.error("the listener %s of %s raised %s", name, event, type(error).__name__, exc_info=error)


def _check(event: str) -> None:
    if event not in listeners:
        raise OtlpConfigError(f"event: {event!r} is unknown; there is {', '.join(listeners)}")
