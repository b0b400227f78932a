"""What the native spans call Python for: events and links as objects, exceptions as attributes, JSON, decorators."""

from __future__ import annotations

import datetime
import functools
import inspect
import json
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from opentelemetry import context, trace
from opentelemetry.context import contextvars_context
from opentelemetry.trace import propagation

from .. import _native


class Event:
    """Something that happened at a time within a span."""

    __slots__ = ("_attributes", "_dropped", "_name", "_timestamp")

    def __init__(self, name: str, attributes: Mapping[str, Any], timestamp: int, dropped: int = 0) -> None:
        self._name = name
        self._attributes = MappingProxyType(attributes)
        self._timestamp = timestamp
        self._dropped = dropped

    @property
    def name(self) -> str:
        return self._name

    @property
    def attributes(self) -> Mapping[str, Any]:
        return self._attributes

    @property
    def timestamp(self) -> int:
        """Nanoseconds since 1970."""
        return self._timestamp

    @property
    def dropped_attributes(self) -> int:
        return self._dropped

    def __repr__(self) -> str:
        return f"Event({self._name!r}, {dict(self._attributes)!r}, timestamp={self._timestamp})"


class Link(trace.Link):
    """A link as a span keeps it: with attributes that are checked and within the limits."""

    def __init__(self, span_context: trace.SpanContext, attributes: Mapping[str, Any], dropped: int = 0) -> None:
        super().__init__(span_context, MappingProxyType(attributes))
        self._dropped = dropped

    @property
    def dropped_attributes(self) -> int:
        return self._dropped


class InstrumentationInfo(NamedTuple):
    """What `Span.instrumentation_info` gives; new programs ask for `instrumentation_scope`."""

    name: str
    version: str
    schema_url: str | None


def _instrumentation_info(scope: Any) -> InstrumentationInfo:
    return InstrumentationInfo(scope.name, scope.version or "", scope.schema_url)


def _exception_attributes(exception: BaseException, escaped: bool, attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    kind = type(exception)
    module = kind.__module__
    described: dict[str, Any] = {
        "exception.type": f"{module}.{kind.__qualname__}" if module and module != "builtins" else kind.__qualname__,
        "exception.message": _text_of(exception),
        "exception.stacktrace": _stack_of(exception),
        "exception.escaped": str(escaped),
    }
    if attributes:
        described.update(attributes)
    return described


def _text_of(exception: BaseException) -> str:
    try:
        return str(exception)
    except Exception as error:
        return f"<str() raised {type(error).__name__}>"


def _stack_of(exception: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(exception))
    except Exception as error:
        return f"<formatting the traceback raised {type(error).__name__}>"


def _decorate(function: Callable[..., Any], recreate: Callable[[], Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: Any, **keywords: Any) -> Any:
            with recreate():
                return await function(*args, **keywords)

        return asynchronous

    @functools.wraps(function)
    def synchronous(*args: Any, **keywords: Any) -> Any:
        with recreate():
            return function(*args, **keywords)

    return synchronous


# --- JSON ---


def _iso(nanoseconds: int | None) -> str | None:
    if not nanoseconds:
        return None
    return datetime.datetime.fromtimestamp(nanoseconds / 1e9, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _context_json(span_context: trace.SpanContext) -> dict[str, str]:
    return {
        "trace_id": f"0x{trace.format_trace_id(span_context.trace_id)}",
        "span_id": f"0x{trace.format_span_id(span_context.span_id)}",
        "trace_state": repr(span_context.trace_state),
    }


def _span_to_json(span: Any, indent: int | None) -> str:
    """As the OpenTelemetry SDK's spans write themselves."""
    status = {"status_code": span.status.status_code.name}
    if span.status.description:
        status["description"] = span.status.description
    described = {
        "name": span.name,
        "context": _context_json(span.context),
        "kind": str(span.kind),
        "parent_id": f"0x{trace.format_span_id(span.parent.span_id)}" if span.parent is not None else None,
        "start_time": _iso(span.start_time),
        "end_time": _iso(span.end_time),
        "status": status,
        "attributes": dict(span.attributes),
        "events": [{"name": e.name, "timestamp": _iso(e.timestamp), "attributes": dict(e.attributes)} for e in span.events],
        "links": [{"context": _context_json(link.context), "attributes": dict(link.attributes)} for link in span.links],
        "resource": json.loads(span.resource.to_json()),
    }
    return json.dumps(described, indent=indent, default=str)


# --- handing it over ---


def _load() -> None:
    runtime = context._RUNTIME_CONTEXT
    is_stock = type(runtime) is contextvars_context.ContextVarsRuntimeContext
    _native.load_tracing(
        {
            "context_type": context.Context,
            "context_variable": runtime._current_context if is_stock else None,  # type: ignore[attr-defined]
            "get_current": context.get_current,
            "attach": context.attach,
            "detach": context.detach,
            "span_key": propagation._SPAN_KEY,
            "span_class": trace.Span,
            "span_context_type": trace.SpanContext,
            "trace_flags_type": trace.TraceFlags,
            "default_trace_state": trace.DEFAULT_TRACE_STATE,
            "non_recording_span": trace.NonRecordingSpan,
            "invalid_span_context": trace.INVALID_SPAN_CONTEXT,
            "span_kinds": tuple(trace.SpanKind),
            "status_class": trace.Status,
            "status_unset": trace.StatusCode.UNSET,
            "status_ok": trace.StatusCode.OK,
            "status_error": trace.StatusCode.ERROR,
            "exception_attributes": _exception_attributes,
            "make_event": Event,
            "make_link": Link,
            "span_to_json": _span_to_json,
            "instrumentation_info": _instrumentation_info,
            "decorate": _decorate,
            "mapping_proxy": MappingProxyType,
        }
    )
    trace.Span.register(_native.Span)
    trace.Tracer.register(_native.Tracer)


_load()
