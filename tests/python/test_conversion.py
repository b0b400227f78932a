"""The native conversion against the SDK's own encoder (opentelemetry-exporter-otlp-proto-common), message by message."""

from __future__ import annotations

import datetime
import json
import logging
import math
import struct
from typing import Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import export as metrics_export
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import INVALID_SPAN, Link, SpanContext, SpanKind, Status, StatusCode, TraceState
from random_sdk import SdkRandom

SEEDS = range(60)


@pytest.fixture(autouse=True)
def quiet_sdk(caplog):
    """The SDK warns of every attribute that it drops, and these tests make it drop many."""
    caplog.set_level(logging.ERROR)


def assert_same(ours: bytes, theirs: Any) -> None:
    message = type(theirs)()
    message.ParseFromString(ours)
    assert message == theirs


@pytest.mark.parametrize("seed", SEEDS)
def test_spans_are_encoded_as_the_sdk_does(seed):
    from otlp_arrow_library import _native

    make = SdkRandom(seed)
    spans = make.some(make.span, 60)
    assert_same(_native.encode_spans(spans), encode_spans(spans))


@pytest.mark.parametrize("seed", SEEDS)
def test_logs_are_encoded_as_the_sdk_does(seed):
    from otlp_arrow_library import _native

    make = SdkRandom(seed)
    records = make.some(make.log_record, 60)
    assert_same(_native.encode_logs(records), encode_logs(records))


@pytest.mark.parametrize("seed", SEEDS)
def test_metrics_are_encoded_as_the_sdk_does(seed):
    from otlp_arrow_library import _native

    metrics = SdkRandom(seed).metrics_data()
    assert_same(_native.encode_metrics(metrics), encode_metrics(metrics))


def spans_of(request: bytes) -> list[Any]:
    message = ExportTraceServiceRequest()
    message.ParseFromString(request)
    return [span for resource in message.resource_spans for scope in resource.scope_spans for span in scope.spans]


def logs_of(request: bytes) -> list[Any]:
    message = ExportLogsServiceRequest()
    message.ParseFromString(request)
    return [record for resource in message.resource_logs for scope in resource.scope_logs for record in scope.log_records]


def context(trace_id: int = 1, span_id: int = 2, **more: Any) -> SpanContext:
    return SpanContext(trace_id, span_id, **{"is_remote": False, **more})


def test_groups_are_equal_resources_and_scopes_in_order_of_appearance():
    from otlp_arrow_library import _native

    def span(resource: dict[str, Any], scope: str) -> ReadableSpan:  # equal, and never the same object
        return ReadableSpan("s", context(), resource=Resource(resource), instrumentation_scope=InstrumentationScope(scope))

    spans = [
        span({"a": 1, "b": 2}, "x"),
        span({"a": 2}, "x"),
        span({"b": 2, "a": True}, "y"),
        span({"a": 2}, "x"),
        span({"a": 1, "b": 2}, "x"),
    ]
    assert_same(_native.encode_spans(spans), encode_spans(spans))


def test_many_resources_take_time_in_proportion():
    from otlp_arrow_library import _native

    spans = [ReadableSpan("s", context(), resource=Resource({"n": n})) for n in range(600)]
    assert_same(_native.encode_spans(spans), encode_spans(spans))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0])
def test_floats_keep_their_bits(value):
    from otlp_arrow_library import _native

    span = spans_of(_native.encode_spans([{"trace_id": 1, "span_id": 2, "attributes": {"v": value}}]))[0]
    assert struct.pack("d", span.attributes[0].value.double_value) == struct.pack("d", value)


def test_link_keeps_its_trace_state():
    from otlp_arrow_library import _native

    link = Link(context(3, 4, trace_state=TraceState([("a", "1"), ("b", "2")])))
    assert spans_of(_native.encode_spans([ReadableSpan("s", context(), links=[link])]))[0].links[0].trace_state == "a=1,b=2"


def test_open_span_is_written_as_it_is_now():
    from otlp_arrow_library import _native

    tracer = TracerProvider().get_tracer("live")
    with tracer.start_as_current_span("open", attributes={"before": 1}) as span:
        span.add_event("here")
        now = spans_of(_native.encode_spans([span]))[0]
        span.set_attribute("after", 2)
    assert (now.name, now.end_time_unix_nano, [a.key for a in now.attributes], now.events[0].name) == ("open", 0, ["before"], "here")
    done = spans_of(_native.encode_spans([span]))[0]
    assert done.end_time_unix_nano == span.end_time and [a.key for a in done.attributes] == ["before", "after"]


def test_overridden_properties_are_asked():
    """Who hides something by overriding a property does so from us too."""
    from otlp_arrow_library import _native

    class Redacted(ReadableSpan):
        @property
        def attributes(self):
            return {"password": "***"}

    span = Redacted("s", context(), attributes={"password": "secret"}, start_time=1, end_time=2)
    assert_same(_native.encode_spans([span]), encode_spans([span]))
    assert b"secret" not in _native.encode_spans([span])


def test_spans_of_other_classes_are_read_by_their_properties():
    from otlp_arrow_library import _native

    class Wrapper:
        def __init__(self, span: ReadableSpan) -> None:
            self.span = span

        def __getattr__(self, name: str) -> Any:
            return getattr(self.span, name)

    make = SdkRandom(7)
    spans = [make.span() for _ in range(50)]
    assert_same(_native.encode_spans([Wrapper(span) for span in spans]), encode_spans(spans))


def test_span_without_recording_is_nothing():
    from otlp_arrow_library import _native

    unsampled = TracerProvider(sampler=ALWAYS_OFF).get_tracer("t").start_span("unsampled")
    assert _native.encode_spans([unsampled, INVALID_SPAN]) == b""


def test_generators_and_empty_batches():
    from otlp_arrow_library import _native

    assert _native.encode_spans([]) == _native.encode_spans(iter(())) == _native.encode_logs(()) == b""
    assert len(spans_of(_native.encode_spans(ReadableSpan(f"{i}", context()) for i in range(3)))) == 3
    assert _native.encode_metrics(metrics_export.MetricsData([])) == b""


SPAN_DICT = {
    "trace_id": "0af7651916cd43dd8448eb211c80319c",
    "span_id": "b7ad6b7169203331",
    "parent_span_id": 5,
    "trace_state": "a=1",
    "flags": 0x301,
    "name": "GET /",
    "kind": "server",
    "start_time_unix_nano": 10,
    "end_time_unix_nano": 20,
    "attributes": {"n": 1, "nested": {"list": [1, "two", None]}},
    "dropped_attributes_count": 1,
    "events": [{"name": "e", "time_unix_nano": 11, "attributes": {"k": "v"}, "dropped_attributes_count": 2}],
    "dropped_events_count": 3,
    "links": [{"trace_id": bytes(15) + b"\x01", "span_id": 7, "trace_state": {"x": "y"}, "attributes": {"l": True}, "flags": 0x100}],
    "dropped_links_count": 4,
    "status": {"code": "error", "message": "no"},
    "resource": {"attributes": {"service.name": "shop"}, "schema_url": "https://r"},
    "scope": {"name": "lib", "version": "1", "attributes": {"s": 1}, "schema_url": "https://s"},
}


def test_dictionary_with_every_key():
    from otlp_arrow_library import _native

    message = ExportTraceServiceRequest()
    message.ParseFromString(_native.encode_spans([SPAN_DICT]))
    resource = message.resource_spans[0]
    scope = resource.scope_spans[0]
    span = scope.spans[0]
    assert resource.resource.attributes[0].value.string_value == "shop" and resource.schema_url == "https://r"
    assert (scope.scope.name, scope.scope.version, scope.schema_url) == ("lib", "1", "https://s")
    assert span.trace_id.hex() == SPAN_DICT["trace_id"] and span.span_id.hex() == SPAN_DICT["span_id"]
    assert span.parent_span_id == (5).to_bytes(8, "big") and span.trace_state == "a=1" and span.flags == 0x301
    assert (span.name, span.kind, span.start_time_unix_nano, span.end_time_unix_nano) == ("GET /", 2, 10, 20)
    assert [a.key for a in span.attributes] == ["n", "nested"]
    assert [v.WhichOneof("value") for v in span.attributes[1].value.kvlist_value.values[0].value.array_value.values] == [
        "int_value",
        "string_value",
        None,
    ]
    assert (span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count) == (1, 3, 4)
    assert (span.events[0].name, span.events[0].time_unix_nano, span.events[0].dropped_attributes_count) == ("e", 11, 2)
    link = span.links[0]
    assert (link.trace_id[-1], link.span_id[-1], link.trace_state, link.flags) == (1, 7, "x=y", 0x100)
    assert (span.status.code, span.status.message) == (2, "no")


@pytest.mark.parametrize(
    ("key", "value", "field", "expected"),
    [
        ("kind", SpanKind.CLIENT, "kind", 3),
        ("kind", "SPAN_KIND_PRODUCER", "kind", 4),
        ("kind", "SpanKind.CONSUMER", "kind", 5),
        ("kind", 1, "kind", 1),
        ("start_time", "1970-01-01T00:00:01Z", "start_time_unix_nano", 10**9),
        ("end_time", datetime.datetime(1970, 1, 1, 0, 0, 2, 5), "end_time_unix_nano", 2 * 10**9 + 5000),
        ("parent_id", "0x00000000000000ff", "parent_span_id", bytes(7) + b"\xff"),
        ("parent_id", None, "parent_span_id", b""),
        ("name", None, "name", ""),
        ("name", 5, "name", "5"),
    ],
)
def test_forms_of_a_dictionarys_values(key, value, field, expected):
    from otlp_arrow_library import _native

    span = spans_of(_native.encode_spans([{"trace_id": 1, "span_id": 2, key: value}]))[0]
    assert getattr(span, field) == expected


@pytest.mark.parametrize("status", [Status(StatusCode.ERROR, "no"), {"status_code": StatusCode.ERROR, "description": "no"}, {"code": 2, "message": "no"}])
def test_forms_of_a_status(status):
    from otlp_arrow_library import _native

    span = spans_of(_native.encode_spans([{"trace_id": 1, "span_id": 2, "status": status}]))[0]
    assert (span.status.code, span.status.message) == (2, "no")


def test_what_span_to_json_wrote_is_taken():
    from otlp_arrow_library import _native

    make = SdkRandom(3)
    span = ReadableSpan(
        "s",
        context(),
        parent=context(1, 9),
        resource=Resource({"service.name": "a"}),
        attributes={"k": "v"},
        events=[Event("e", {"a": 1}, 1_000_000_000)],
        kind=SpanKind.CLIENT,
        status=Status(StatusCode.ERROR, "no"),
        start_time=make.one([1_000_000_000]),
        end_time=2_000_000_000,
    )
    [read] = spans_of(_native.encode_spans([json.loads(span.to_json())]))
    [direct] = spans_of(_native.encode_spans([span]))
    read.flags = direct.flags  # to_json leaves out whether the parent is remote
    assert read == direct


def test_log_record_as_dictionary():
    from otlp_arrow_library import _native

    record = {
        "timestamp": 5,
        "observed_timestamp": 6,
        "severity_number": SeverityNumber.WARN,
        "severity_text": "WARN",
        "body": {"nested": [1, 2]},
        "attributes": {"a": 1},
        "trace_id": "0x" + "1" * 32,
        "span_id": 3,
        "trace_flags": 1,
        "event_name": "e",
        "resource": {"service.name": "shop"},
        "scope": "logger",
    }
    [log] = logs_of(_native.encode_logs([record]))
    assert (log.time_unix_nano, log.observed_time_unix_nano, log.severity_number, log.severity_text) == (5, 6, 13, "WARN")
    assert (log.trace_id.hex(), log.span_id[-1], log.flags, log.event_name) == ("1" * 32, 3, 1, "e")
    assert log.body.kvlist_value.values[0].value.array_value.values[1].int_value == 2


def test_cache_of_resources_has_a_bound_and_takes_no_stale_ones():
    """Addresses of dead objects come back: what was written for one must not stand for another."""
    from otlp_arrow_library import _native

    for n in range(2000):
        message = ExportTraceServiceRequest()
        span = ReadableSpan("s", context(), resource=Resource({"n": n}), instrumentation_scope=InstrumentationScope(f"scope-{n}"))
        message.ParseFromString(_native.encode_spans([span]))
        [resource] = message.resource_spans
        assert resource.resource.attributes[0].value.int_value == n and resource.scope_spans[0].scope.name == f"scope-{n}"
