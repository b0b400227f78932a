"""Telemetry as a test sees it: plain objects, read from OTLP requests."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias

Value: TypeAlias = "str | bool | int | float | bytes | list[Value] | dict[str, Value] | None"
"""The value of an attribute or the body of a log record."""
Attributes: TypeAlias = dict[str, Value]


@dataclasses.dataclass(frozen=True)
class ReceivedResource:
    attributes: Attributes
    dropped_attributes_count: int = 0
    schema_url: str = ""

    @property
    def service_name(self) -> str | None:
        name = self.attributes.get("service.name")
        return name if isinstance(name, str) else None


@dataclasses.dataclass(frozen=True)
class ReceivedScope:
    name: str
    version: str
    attributes: Attributes
    dropped_attributes_count: int = 0
    schema_url: str = ""


@dataclasses.dataclass(frozen=True)
class ReceivedEvent:
    name: str
    time: int
    """Nanoseconds since 1970, as all times here; 0: unknown."""
    attributes: Attributes
    dropped_attributes_count: int = 0


@dataclasses.dataclass(frozen=True)
class ReceivedLink:
    trace_id: str
    span_id: str
    trace_state: str
    flags: int
    attributes: Attributes
    dropped_attributes_count: int = 0


@dataclasses.dataclass(frozen=True)
class ReceivedSpan:
    name: str
    trace_id: str
    """32 lower-case hexadecimal digits."""
    span_id: str
    """16 lower-case hexadecimal digits."""
    parent_span_id: str | None
    """None at a root."""
    trace_state: str
    flags: int
    kind: str
    """INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER or UNSPECIFIED."""
    start_time: int
    end_time: int
    attributes: Attributes
    events: list[ReceivedEvent]
    links: list[ReceivedLink]
    status_code: str
    """UNSET, OK or ERROR."""
    status_message: str
    dropped_attributes_count: int
    dropped_events_count: int
    dropped_links_count: int
    resource: ReceivedResource
    scope: ReceivedScope

    @property
    def duration(self) -> int:
        """Nanoseconds."""
        return self.end_time - self.start_time


@dataclasses.dataclass(frozen=True)
class ReceivedExemplar:
    value: int | float | None
    time: int
    trace_id: str | None
    span_id: str | None
    filtered_attributes: Attributes


@dataclasses.dataclass(frozen=True)
class ReceivedBuckets:
    """One half of an exponential histogram."""

    offset: int
    bucket_counts: list[int]


@dataclasses.dataclass(frozen=True)
class ReceivedDataPoint:
    """Fields that a kind of metric does not have are None."""

    attributes: Attributes
    time: int
    start_time: int
    flags: int
    value: int | float | None = None
    """Of gauges and sums."""
    count: int | None = None
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    bucket_counts: list[int] | None = None
    explicit_bounds: list[float] | None = None
    scale: int | None = None
    zero_count: int | None = None
    zero_threshold: float | None = None
    positive: ReceivedBuckets | None = None
    negative: ReceivedBuckets | None = None
    quantiles: list[tuple[float, float]] | None = None
    """(quantile, value) of summaries."""
    exemplars: list[ReceivedExemplar] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class ReceivedMetric:
    name: str
    description: str
    unit: str
    type: str
    """GAUGE, SUM, HISTOGRAM, EXPONENTIAL_HISTOGRAM, SUMMARY, or UNSPECIFIED where it holds nothing."""
    temporality: str | None
    """DELTA, CUMULATIVE or UNSPECIFIED; None for gauges and summaries."""
    is_monotonic: bool | None
    """Of sums."""
    points: list[ReceivedDataPoint]
    metadata: Attributes
    resource: ReceivedResource
    scope: ReceivedScope

    @property
    def value(self) -> int | float | None:
        """That of the newest data point."""
        return self.points[-1].value if self.points else None


@dataclasses.dataclass(frozen=True)
class ReceivedLogRecord:
    body: Value
    severity_number: int
    severity_text: str
    time: int
    observed_time: int
    event_name: str
    trace_id: str | None
    span_id: str | None
    flags: int
    attributes: Attributes
    dropped_attributes_count: int
    resource: ReceivedResource
    scope: ReceivedScope
