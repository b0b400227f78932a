"""Spans as plain data: what processors and exporters of the tracing API hand around."""

from __future__ import annotations

import dataclasses
import enum
import time
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.trace import SpanKind, StatusCode, TraceState

_LEAST_NANO = 10**15  # a number of this size is no time in seconds


class ExportResult(enum.Enum):
    """What became of an export."""

    SUCCESS = 0
    FAILURE = 1


class Timestamp(float):
    """Seconds since 1970 that remember their nanoseconds, for which a float has no room."""

    __slots__ = ("nanoseconds",)
    nanoseconds: int

    @classmethod
    def of_nano(cls, nanoseconds: int) -> Timestamp:
        made = cls(nanoseconds / 1e9)
        made.nanoseconds = nanoseconds
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Timestamp.of_nano, (self.nanoseconds,)

    __copy__ = __deepcopy__ = lambda self, *_: self  # immutable


def _now() -> float:
    return Timestamp.of_nano(time.time_ns())


@dataclasses.dataclass
class SpanStatus:
    """How what a span stands for ended."""

    code: StatusCode = StatusCode.UNSET
    description: str | None = None


@dataclasses.dataclass
class SpanEvent:
    """Something that happened during a span."""

    name: str
    timestamp: float = dataclasses.field(default_factory=_now)
    """Seconds since 1970."""
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class SpanLink:
    """Another span that a span has to do with."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    trace_state: str = ""


@dataclasses.dataclass
class Span:
    """A span, finished or not. `Span.of` makes one of a span of an SDK."""

    trace_id: str
    """32 hexadecimal digits."""
    span_id: str
    """16 hexadecimal digits."""
    parent_span_id: str | None = None
    """None at a root."""
    name: str = ""
    start_time: float = dataclasses.field(default_factory=_now)
    """Seconds since 1970."""
    end_time: float | None = None
    """None as long as the span has not ended."""
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    events: list[Any] = dataclasses.field(default_factory=list)
    """Each a `SpanEvent`, or a mapping with `name`, `timestamp` and `attributes`."""
    status: SpanStatus = dataclasses.field(default_factory=SpanStatus)
    kind: SpanKind = SpanKind.INTERNAL
    links: list[Any] = dataclasses.field(default_factory=list)
    """Each a `SpanLink`, or a mapping with `trace_id`, `span_id` and `attributes`."""
    trace_state: str = ""
    resource: Any = None
    """Attributes of who made the span: a mapping or a Resource."""
    scope: Any = None
    """Which part of the program made it: a name or an InstrumentationScope."""

    @classmethod
    def of(cls, span: Any) -> Span:
        """This span, or a copy of one that an SDK made (whatever has the properties of its ReadableSpan)."""
        if isinstance(span, cls):
            return span
        context = span.get_span_context()
        return cls(
            trace_id=format(context.trace_id, "032x"),
            span_id=format(context.span_id, "016x"),
            parent_span_id=None if span.parent is None else format(span.parent.span_id, "016x"),
            name=span.name,
            start_time=Timestamp.of_nano(span.start_time or 0),
            end_time=None if span.end_time is None else Timestamp.of_nano(span.end_time),
            attributes=dict(span.attributes or {}),
            events=[SpanEvent(event.name, Timestamp.of_nano(event.timestamp), dict(event.attributes or {})) for event in span.events],
            status=SpanStatus(span.status.status_code, span.status.description),
            kind=span.kind,
            links=[_link_of(link) for link in span.links],
            trace_state=_state_text(context.trace_state),
            resource=span.resource,
            scope=getattr(span, "instrumentation_scope", None),
        )

    @property
    def duration(self) -> float | None:
        """Seconds; None as long as the span has not ended."""
        return None if self.end_time is None else (_nano(self.end_time) - _nano(self.start_time)) / 1e9


def exportable(spans: Iterable[Any]) -> list[Any]:
    """The spans in forms that the native encoder takes."""
    return [_dictionary(span) if isinstance(span, Span) else span for span in spans]


def _dictionary(span: Span) -> dict[str, Any]:
    status = span.status
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id or None,
        "trace_state": span.trace_state,
        "name": span.name,
        "kind": span.kind,
        "start_time_unix_nano": _nano(span.start_time),
        "end_time_unix_nano": None if span.end_time is None else _nano(span.end_time),
        "attributes": span.attributes,
        "events": [_event_dictionary(event) for event in span.events or ()],
        "links": [dataclasses.asdict(link) if isinstance(link, SpanLink) else link for link in span.links or ()],
        "status": {"code": status.code, "message": status.description or ""} if isinstance(status, SpanStatus) else status,
        "resource": span.resource,
        "scope": span.scope,
    }


def _event_dictionary(event: Any) -> Any:
    if isinstance(event, SpanEvent):
        return {"name": event.name, "timestamp": _nano(event.timestamp), "attributes": event.attributes}
    if isinstance(event, Mapping) and isinstance(event.get("timestamp"), (int, float)):
        return {**event, "timestamp": _nano(event["timestamp"])}
    return event


def _nano(time_of: Any) -> Any:
    """Of seconds; a number that is too large for these is taken for nanoseconds. What is no number is the encoder's to refuse."""
    if isinstance(time_of, Timestamp):
        return time_of.nanoseconds
    if isinstance(time_of, bool) or not isinstance(time_of, (int, float)) or time_of != time_of or abs(time_of) == float("inf"):
        return time_of
    whole = int(time_of)
    return whole if whole >= _LEAST_NANO else whole * 10**9 + round((time_of - whole) * 1e9)


def _link_of(link: Any) -> SpanLink:
    context = link.context
    return SpanLink(
        format(context.trace_id, "032x"), format(context.span_id, "016x"), dict(link.attributes or {}), _state_text(context.trace_state)
    )


def _state_text(state: TraceState | None) -> str:
    return state.to_header() if state else ""
