"""The OpenTelemetry Python SDK sends; every reader of Arrow files finds what was sent, field by field."""

import math

import grpc
import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

import sdk_rows
import store
from harness import assert_balanced, inspect

WAYS = [("grpc", False), ("grpc", True), ("http", False), ("http", True)]
WAY_NAMES = ["grpc", "grpc-gzip", "http", "http-gzip"]

RESOURCE = Resource(
    {"service.name": "shop", "service.instance.id": "7", "process.pid": 4711, "host.load": 0.25, "cloud": True, "host.ip": ["10.0.0.1", "::1"]},
    schema_url="https://opentelemetry.io/schemas/1.30.0",
)
ALL_TYPES = {
    "text": "päper ✂ \"quoted\"\n", "empty": "", "yes": True, "no": False, "int": -(2**63), "max": 2**63 - 1, "zero": 0, "half": 0.5,
    "tiny": 5e-324, "whole": 3.0, "third": 1 / 3, "texts": ["a", "", "ü"], "ints": [1, -2, 2**62], "doubles": [0.1, 2.0], "bools": [True, False],
    "none": [], "bytes": b"\x00\xff\xfe",
}


class Recording:
    """Mixed into an exporter: keeps what it is given to export."""

    def export(self, batch, *args, **kwargs):
        self.__dict__.setdefault("sent", []).append(batch)
        return super().export(batch, *args, **kwargs)


def exporter(signal, server, way):
    protocol, gzip = way
    grpc_class, http_class = {
        "traces": (grpc_traces.OTLPSpanExporter, http_traces.OTLPSpanExporter),
        "metrics": (grpc_metrics.OTLPMetricExporter, http_metrics.OTLPMetricExporter),
        "logs": (grpc_logs.OTLPLogExporter, http_logs.OTLPLogExporter),
    }[signal]
    if protocol == "grpc":
        options = {"endpoint": f"http://{server.grpc}", "insecure": True, "compression": grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression}
    else:
        options = {"endpoint": f"http://{server.http}/v1/{signal}", "compression": Compression.Gzip if gzip else Compression.NoCompression}
    base = grpc_class if protocol == "grpc" else http_class
    return type("Recording" + base.__name__, (Recording, base), {})(**options)


def record_spans(sink):
    """Every kind, status and shape of span; returns the rows that are to be found."""
    provider = TracerProvider(resource=RESOURCE, span_limits=SpanLimits(max_events=3, max_links=2, max_span_attributes=20))
    provider.add_span_processor(BatchSpanProcessor(sink))
    tracer = provider.get_tracer("checkout", "1.2.3", "https://example.com/scope", {"scope.int": 5, "scope.text": "x"})
    other = provider.get_tracer("no version")
    remote = SpanContext(0xABCDEF0123456789ABCDEF0123456789, 0x00000000000000FF, is_remote=True, trace_flags=TraceFlags(1),
                         trace_state=TraceState([("vendor", "a-b"), ("other", "1")]))
    parent = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    with tracer.start_as_current_span("root", context=otel_context.Context(), kind=SpanKind.SERVER, attributes=ALL_TYPES) as root:
        root.add_event("message", {"n": 1, "ok": True, "text": "t"}, timestamp=1_700_000_000_000_000_001)
        root.add_event("no attributes")
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, links=[Link(remote, {"why": "retry", "n": 2}), Link(root.get_span_context())]) as child:
            child.set_status(Status(StatusCode.ERROR, "it fell over"))
            child.record_exception(ValueError("bad value"))
            for i in range(5):
                child.add_event(f"event {i}")
        with other.start_as_current_span("ok", kind=SpanKind.PRODUCER) as ok:
            ok.set_status(StatusCode.OK)
    tracer.start_span("from elsewhere", context=parent, kind=SpanKind.CONSUMER, start_time=1_700_000_000_123_456_789).end(1_700_000_001_123_456_788)
    dropped = tracer.start_span("too many", context=otel_context.Context())
    for i in range(30):
        dropped.set_attribute(f"key {i}", i)
    dropped.end()
    for i in range(500):
        other.start_span(f"span {i % 7}", attributes={"http.route": f"/item/{i % 11}", "i": i}).end()
    provider.shutdown()
    return [sdk_rows.span_row(span) for batch in sink.sent for span in batch]


def record_metrics(sink):
    """Every instrument, histograms of both kinds, exemplars."""
    reader = PeriodicExportingMetricReader(sink, export_interval_millis=3_600_000)
    views = [View(instrument_name="latency.exponential", aggregation=ExponentialBucketHistogramAggregation(max_size=20))]
    provider = MeterProvider([reader], resource=RESOURCE, views=views, exemplar_filter=AlwaysOnExemplarFilter())
    meter = provider.get_meter("meters", "0.1", "https://example.com/meter", {"scope.double": 1.5})
    observe = {"callbacks": [lambda options: [Observation(7, {"cpu": 0}), Observation(8.5, {"cpu": 1})]]}
    meter.create_observable_counter("bytes.read", unit="By", description="read so far", **observe)
    meter.create_observable_up_down_counter("connections", **observe)
    meter.create_observable_gauge("temperature", unit="Cel", **observe)
    counter = meter.create_counter("requests", "{request}", "requests served")
    up_down = meter.create_up_down_counter("queue.length")
    gauge = meter.create_gauge("fill")
    histogram = meter.create_histogram("latency", "ms", "how long", explicit_bucket_boundaries_advisory=[1, 5, 10.5])
    exponential = meter.create_histogram("latency.exponential", "ms")
    tracer = TracerProvider().get_tracer("exemplars")
    with tracer.start_as_current_span("measured"):
        for i in range(100):
            counter.add(i, {"http.route": f"/{i % 3}", "ok": i % 2 == 0})
            up_down.add(-i if i % 2 else i * 1.5)
            histogram.record(i / 7, {"i": i % 2})
            exponential.record(math.exp(i / 10) if i % 10 else 0, {"negative": False})
    gauge.set(0.125, {"tank": "left"})
    gauge.set(3, {"tank": "right"})
    provider.shutdown()
    return [row for batch in sink.sent for row in sdk_rows.metric_rows(batch)]


BODIES = ["plain text", "", 42, -1.5, True, None, b"\x00\x01", ["a", 1, [2.5, False]], {"nested": {"deep": [1, "x"]}, "n": 1}]


def record_logs(sink):
    """Bodies of every type, severities, a record within a span, an event."""
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(sink))
    logger = provider.get_logger("logs", "2", "https://example.com/logs", {"scope.bool": True})
    for i, body in enumerate(BODIES):
        logger.emit(LogRecord(timestamp=1_700_000_000_000_000_000 + i, observed_timestamp=1_700_000_000_500_000_000 + i, body=body,
                              severity_number=SeverityNumber.WARN, severity_text="warning", attributes={"i": i, "nested": {"a": [1, {"b": "c"}]}}))
    for severity in SeverityNumber:
        logger.emit(LogRecord(timestamp=1_700_000_001_000_000_000 + severity.value, severity_number=severity, body=severity.name, attributes=ALL_TYPES))
    with TracerProvider().get_tracer("t").start_as_current_span("around"):
        logger.emit(LogRecord(timestamp=1_700_000_002_000_000_000, body="in a span", event_name="user.login"))
    logger.emit(LogRecord(timestamp=1_700_000_003_000_000_000, body="nothing else"))
    provider.shutdown()
    return [sdk_rows.log_row(record) for batch in sink.sent for record in batch]


SUBJECTS = {
    "traces": (record_spans, lambda row: row["span_id"]),
    "metrics": (record_metrics, lambda row: (row["metric_name"], str(sorted(row["attributes"].items())))),
    "logs": (record_logs, lambda row: row["time"]),
}


@pytest.mark.parametrize("way", WAYS, ids=WAY_NAMES)
def test_everything_sent_is_stored_field_by_field(serve, directory, way):
    server = serve(directory)
    sent = {signal: record(exporter(signal, server, way)) for signal, (record, _) in SUBJECTS.items()}
    assert len(sent["traces"]) == 505 and len(sent["metrics"]) == 18 and len(sent["logs"]) == len(BODIES) + len(SeverityNumber) + 2
    server.stop()
    for signal, (_, key) in SUBJECTS.items():
        for name, read in store.READERS.items():
            print(signal, name)
            sdk_rows.assert_same(sent[signal], read(directory, signal), key)
    found = inspect(directory)
    assert_balanced(found["ledger"])
    for signal in SUBJECTS:
        assert found["ledger"][signal]["stored"] == found["signals"][signal]["rows"] == len(sent[signal])
        assert found["signals"][signal]["services"] == {"shop": len(sent[signal])}


def test_the_data_tell_their_kinds(serve, directory):
    """The test above compares what arrived with what was sent; this one that all kinds were among it."""
    server = serve(directory)
    for signal, (record, _) in SUBJECTS.items():
        record(exporter(signal, server, ("grpc", False)))
    server.stop()
    assert set(store.column(directory, "traces", "kind")) == {"INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}
    assert set(store.column(directory, "traces", "status_code")) == {"UNSET", "OK", "ERROR"}
    assert set(store.column(directory, "metrics", "metric_type")) == {"GAUGE", "SUM", "HISTOGRAM", "EXPONENTIAL_HISTOGRAM"}
    assert any(store.column(directory, "metrics", "exemplars"))
    assert set(store.column(directory, "logs", "body_type")) == set(store.BODY_TYPES)
    assert set("sbidxa") <= set("".join(filter(None, store.column(directory, "traces", "attributes_types"))))
    assert max(store.column(directory, "traces", "dropped_attributes_count")) == 10
    assert max(store.column(directory, "traces", "dropped_events_count")) == 3
