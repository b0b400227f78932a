"""Random objects of the OpenTelemetry SDK, over everything that its types allow."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.metrics import Exemplar
from opentelemetry.sdk.metrics import export as points
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

_TEXTS = ["", "a", "GET /users/{id}", "naïve", "日本語", "🦀 crab", "nul\0inside", "x" * 127, "y" * 128, "z" * 20_000, "\u007f\u0080\u07ff\uffff"]
_INTS = [0, 1, -1, 127, 128, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63)]
_FLOATS = [0.0, -0.0, 1.5, -2.25, 1e308, 5e-324, float("inf"), float("-inf")]
_TIMES = [0, 1, 1_700_000_000_123_456_789, 2**63, 2**64 - 1]


class SdkRandom:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.resources = [self.resource() for _ in range(3)]
        self.scopes: list[InstrumentationScope | None] = [None, *(self.scope() for _ in range(3))]

    def one(self, choices: Any) -> Any:
        return self.rng.choice(choices)

    def some(self, make: Callable[[], Any], most: int = 4) -> list[Any]:
        return [make() for _ in range(self.rng.choice([0, 1, self.rng.randint(0, most)]))]

    def text(self) -> str:
        return self.one(_TEXTS) if self.rng.random() < 0.4 else f"text-{self.rng.randrange(1000)}"

    def time(self) -> int:
        return self.one(_TIMES) if self.rng.random() < 0.2 else 1_700_000_000_000_000_000 + self.rng.randrange(10**15)

    def scalar(self) -> Any:
        kind = self.rng.randrange(6)
        if kind == 0:
            return self.one(_INTS)
        if kind == 1:
            return self.one(_FLOATS)
        return [self.text(), True, False, self.rng.randbytes(self.one([0, 1, 300])), None][kind - 2 + (self.rng.random() < 0.5)]

    def value(self, depth: int = 0) -> Any:
        kind = self.rng.randrange(8 if depth < 3 else 5)
        if kind < 5:
            return self.scalar()
        if kind == 5:
            return self.some(lambda: self.value(depth + 1))
        if kind == 6:
            return tuple(self.some(self.scalar))
        return {self.text(): self.value(depth + 1) for _ in range(self.rng.randrange(4))}

    def attributes(self, most: int = 6) -> dict[str, Any]:
        return {self.text() or "key": self.value() for _ in range(self.rng.randrange(most + 1))}

    def bounded(self) -> Any:
        """Attributes in every form that the SDK keeps them in, dropped ones included."""
        attributes = self.attributes()
        return self.one(
            [
                None,
                attributes,
                BoundedAttributes(attributes=attributes),
                BoundedAttributes(maxlen=2, attributes=attributes),
                BoundedAttributes(attributes=attributes, immutable=False),
            ]
        )

    def resource(self) -> Resource:
        return Resource({"n": self.rng.randrange(10**9), **self.attributes(3)}, self.one(["", "https://schema/1"]))

    def scope(self) -> InstrumentationScope:
        name = f"scope-{self.rng.randrange(10**9)}"
        return InstrumentationScope(name, self.one([None, "", "1.2"]), self.one([None, "https://schema/2"]), self.attributes(2))

    def trace_state(self) -> TraceState | None:
        return self.one([None, TraceState(), TraceState([("a", "1")]), TraceState([("a", "1"), ("t61@b", "23")])])

    def context(self) -> SpanContext:
        trace_id = self.one([1, 2**128 - 1, self.rng.getrandbits(128)])
        span_id = self.one([1, 2**64 - 1, self.rng.getrandbits(64)])
        return SpanContext(trace_id, span_id, self.rng.random() < 0.5, TraceFlags(self.rng.randrange(4)), self.trace_state())

    def event(self) -> Event:
        return Event(self.text(), self.bounded(), self.time())

    def link(self) -> Link:
        context = self.context()
        # The SDK's encoder leaves out a link's trace_state; ours keeps it (test_link_keeps_its_trace_state).
        return Link(SpanContext(context.trace_id, context.span_id, context.is_remote), self.bounded())

    def bounded_list(self, items: list[Any]) -> Any:
        return self.one([tuple(items), items, BoundedList.from_seq(None, items), BoundedList.from_seq(2, items)])

    def span(self) -> ReadableSpan:
        description = self.one([None, self.text()])
        return ReadableSpan(
            name=self.text(),
            context=self.context(),
            parent=self.one([None, self.context()]),
            resource=self.one(self.resources),
            attributes=self.bounded(),
            events=self.bounded_list(self.some(self.event)),
            links=self.bounded_list(self.some(self.link)),
            kind=self.one(list(SpanKind)),
            status=self.one([Status(StatusCode.UNSET), Status(StatusCode.OK), Status(StatusCode.ERROR, description)]),
            start_time=self.one([None, self.time()]),
            end_time=self.one([None, self.time()]),
            instrumentation_scope=self.one(self.scopes),
        )

    def log_record(self) -> ReadableLogRecord:
        context = self.context()
        record = LogRecord(
            timestamp=self.one([None, self.time()]),
            observed_timestamp=self.time(),
            severity_text=self.one([None, self.text()]),
            severity_number=self.one([None, *SeverityNumber]),
            body=self.value(),
            attributes=self.bounded(),
            event_name=self.one([None, self.text()]),
        )
        record.trace_id = self.one([0, context.trace_id])
        record.span_id = self.one([0, context.span_id])
        record.trace_flags = context.trace_flags
        return ReadableLogRecord(record, self.one(self.resources), self.one(self.scopes))

    def number(self) -> int | float:
        return self.one([self.one(_INTS), self.one(_FLOATS)])

    def exemplar(self) -> Exemplar:
        context = self.one([None, self.context()])
        ids = (None, None) if context is None else (context.trace_id, context.span_id)
        return Exemplar(self.attributes(2), self.number(), self.time(), ids[1], ids[0])

    def number_point(self) -> points.NumberDataPoint:
        return points.NumberDataPoint(self.attributes(), self.time(), self.time(), self.number(), self.some(self.exemplar))

    def counts(self) -> list[int]:
        return self.some(lambda: self.one([0, 1, 300, 2**40]), 12)

    def histogram_point(self) -> points.HistogramDataPoint:
        floats = [self.one([None, self.number()]) for _ in range(3)]
        bounds = [self.rng.random() for _ in range(3)]
        return points.HistogramDataPoint(
            attributes=self.attributes(),
            start_time_unix_nano=self.time(),
            time_unix_nano=self.time(),
            count=self.rng.randrange(2**40),
            sum=floats[0],
            bucket_counts=self.counts(),
            explicit_bounds=bounds,
            min=floats[1],
            max=floats[2],
            exemplars=self.some(self.exemplar),
        )

    def exponential_point(self) -> points.ExponentialHistogramDataPoint:
        buckets = [points.Buckets(self.rng.randint(-50, 50), self.counts()) for _ in range(2)]
        floats = [self.one([None, self.number()]) for _ in range(3)]
        return points.ExponentialHistogramDataPoint(
            attributes=self.attributes(),
            start_time_unix_nano=self.time(),
            time_unix_nano=self.time(),
            count=self.rng.randrange(2**40),
            sum=floats[0],
            scale=self.rng.randint(-10, 20),
            zero_count=self.rng.randrange(3),
            positive=buckets[0],
            negative=buckets[1],
            flags=self.rng.randrange(2),
            min=floats[1],
            max=floats[2],
            exemplars=self.some(self.exemplar),
        )

    def metric(self) -> points.Metric:
        temporality = self.one(list(points.AggregationTemporality))
        data = self.one(
            [
                points.Gauge(self.some(self.number_point)),
                points.Sum(self.some(self.number_point), temporality, self.rng.random() < 0.5),
                points.Histogram(self.some(self.histogram_point), temporality),
                points.ExponentialHistogram(self.some(self.exponential_point), temporality),
            ]
        )
        return points.Metric(self.text(), self.one([None, self.text()]), self.one([None, "ms"]), data)

    def metrics_data(self) -> points.MetricsData:
        scopes = [scope for scope in self.scopes if scope is not None]
        resources = self.rng.sample(self.resources, self.rng.randrange(len(self.resources) + 1))
        return points.MetricsData([self.resource_metrics(resource, scopes) for resource in resources])

    def resource_metrics(self, resource: Resource, scopes: list[InstrumentationScope]) -> points.ResourceMetrics:
        chosen = self.rng.sample(scopes, self.rng.randint(1, len(scopes)))
        scope_metrics = [points.ScopeMetrics(scope, self.some(self.metric, 6), scope.schema_url or "") for scope in chosen]
        return points.ResourceMetrics(resource, scope_metrics, resource.schema_url)
