"""`MockOtlpService`: given telemetry directly, and over real endpoints."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import duckdb
import polars
import pyarrow as pa
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from sample_data import gauges, logs, spans

import otlp_arrow_library
from otlp_arrow_library import MockOtlpService, OtlpConfigError, OtlpExportError, OtlpServerError
from otlp_arrow_library._otlp_reading import read_logs, read_metrics, read_spans

RESOURCE = Resource({"service.name": "shop"})


def finished_span(name: str = "GET /"):
    with TracerProvider(resource=RESOURCE).get_tracer("tests").start_as_current_span(name) as span:
        pass
    return span


def resource_metrics():
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], resource=RESOURCE).get_meter("tests")
    meter.create_counter("requests").add(3)
    meter.create_counter("errors").add(1)
    return reader.get_metrics_data().resource_metrics[0]


# --- the contract ----------------------------------------------------------------------------------------------------


def test_the_contracts_example():
    span = finished_span()

    mock_service = otlp_arrow_library.MockOtlpService()
    mock_service.receive_trace(span)
    mock_service.assert_traces_received(1)


def test_counts_what_was_given_and_forgets_it():
    service = MockOtlpService()
    service.assert_traces_received(0)
    service.receive_trace(finished_span("a"))
    service.receive_trace({"name": "b", "trace_id": "0" * 31 + "1", "span_id": "0" * 15 + "1"})
    service.receive_metric(resource_metrics())
    service.receive_log(LogRecord(body="hello", severity_number=SeverityNumber.INFO))
    service.assert_traces_received(2)
    service.assert_metrics_received(1)
    service.assert_logs_received(1)
    assert service.spans.names == ["a", "b"]
    assert service.metrics.names == ["requests", "errors"]
    assert service.logs.names == ["hello"]
    service.reset()
    service.assert_traces_received(0)
    service.assert_metrics_received(0)
    service.assert_logs_received(0)
    assert list(service.spans) == []


def test_a_span_that_is_still_open_is_received():
    service = MockOtlpService()
    with TracerProvider().get_tracer("tests").start_as_current_span("open") as span:
        service.receive_trace(span)
    received = service.spans.one("open")
    assert (received.start_time, received.end_time) == (span.start_time, 0)


@pytest.mark.parametrize(
    ("method", "received", "message"),
    [
        ("assert_traces_received", "receive_trace", r"expected 2 spans, received 1: \['GET /'\]"),
        ("assert_metrics_received", "receive_metric", r"expected 2 resource metrics, received 1: \['requests', 'errors'\]"),
        ("assert_logs_received", "receive_log", r"expected 2 log records, received 1: \['hello'\]"),
    ],
)
def test_a_wrong_count_is_told_with_what_came(method, received, message):
    service = MockOtlpService()
    items = {"receive_trace": finished_span(), "receive_metric": resource_metrics(), "receive_log": LogRecord(body="hello")}
    getattr(service, received)(items[received])
    getattr(service, method)(1)
    with pytest.raises(AssertionError, match=message):
        getattr(service, method)(2)


@pytest.mark.parametrize("method", ["receive_trace", "receive_metric", "receive_log"])
def test_what_is_no_telemetry_is_refused(method):
    service = MockOtlpService()
    with pytest.raises(OtlpExportError):
        getattr(service, method)(42)
    service.assert_traces_received(0)
    service.assert_metrics_received(0)
    service.assert_logs_received(0)


def test_threads_give_at_once():
    service, span = MockOtlpService(), finished_span()
    threads = [threading.Thread(target=lambda: [service.receive_trace(span) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert len(service.spans) <= 400
    service.assert_traces_received(400)


# --- what came, as objects and as Arrow ------------------------------------------------------------------------------


def test_a_span_as_an_object():
    service = MockOtlpService()
    provider = TracerProvider(resource=RESOURCE)
    tracer = provider.get_tracer("tests", "1.2", schema_url="https://example.com/1", attributes={"scope.key": 1})
    attributes = {"text": "a", "yes": True, "whole": -7, "real": 0.5, "list": ["a", "b"], "bytes": b"\x00\xff"}
    with tracer.start_as_current_span("parent") as parent:
        linked = Link(parent.get_span_context(), {"why": "because"})
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, attributes=attributes, links=[linked]) as child:
            child.add_event("retry", {"attempt": 2}, timestamp=5)
            child.set_status(Status(StatusCode.ERROR, "broken"))
    for span in (child, parent):
        service.receive_trace(span)
    received = service.spans.one("child")
    assert received.trace_id == f"{child.context.trace_id:032x}" and received.span_id == f"{child.context.span_id:016x}"
    assert received.parent_span_id == f"{parent.context.span_id:016x}"
    assert service.spans.one("parent").parent_span_id is None
    assert (received.kind, received.status_code, received.status_message) == ("CLIENT", "ERROR", "broken")
    assert (received.start_time, received.end_time) == (child.start_time, child.end_time)
    assert received.duration == child.end_time - child.start_time
    assert received.attributes == attributes
    assert [(e.name, e.time, e.attributes) for e in received.events] == [("retry", 5, {"attempt": 2})]
    assert [(link.span_id, link.attributes) for link in received.links] == [(f"{parent.context.span_id:016x}", {"why": "because"})]
    assert received.resource.service_name == "shop"
    assert (received.scope.name, received.scope.version) == ("tests", "1.2")
    assert received.scope.schema_url == "https://example.com/1"
    assert received.scope.attributes == {"scope.key": 1}


def test_every_kind_of_metric_as_an_object():
    reader = InMemoryMetricReader()
    exponential = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())
    meter = MeterProvider([reader], resource=RESOURCE, views=[exponential]).get_meter("tests")
    meter.create_counter("requests", unit="1", description="how many").add(3, {"route": "/"})
    meter.create_up_down_counter("open").add(-2)
    meter.create_gauge("temperature").set(20.5)
    meter.create_histogram("duration", explicit_bucket_boundaries_advisory=[1.0, 2.0]).record(1.5)
    meter.create_histogram("size").record(4.0)
    service = MockOtlpService()
    service.receive_metric(reader.get_metrics_data())
    requests = service.metrics.one("requests")
    assert (requests.type, requests.temporality, requests.is_monotonic) == ("SUM", "CUMULATIVE", True)
    assert (requests.unit, requests.description, requests.value) == ("1", "how many", 3)
    assert requests.points[0].attributes == {"route": "/"} and requests.points[0].time > 0
    assert (service.metrics.one("open").value, service.metrics.one("open").is_monotonic) == (-2, False)
    gauge = service.metrics.one("temperature")
    assert (gauge.type, gauge.temporality, gauge.is_monotonic, gauge.value) == ("GAUGE", None, None, 20.5)
    (point,) = service.metrics.one("duration").points
    assert (point.count, point.sum, point.min, point.max, point.value) == (1, 1.5, 1.5, 1.5, None)
    assert (point.bucket_counts, point.explicit_bounds) == ([0, 1, 0], [1.0, 2.0])
    (point,) = service.metrics.one("size").points
    assert service.metrics.one("size").type == "EXPONENTIAL_HISTOGRAM"
    assert (point.count, point.zero_count, sum(point.positive.bucket_counts)) == (1, 0, 1)


def test_objects_are_what_libprotobuf_reads():
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="summary")
    point = metric.summary.data_points.add(count=2, sum=3.5, time_unix_nano=7, flags=1)
    point.quantile_values.add(quantile=0.5, value=-1.0)
    other = request.resource_metrics[0].scope_metrics[0].metrics.add(name="histogram")
    bucket = other.exponential_histogram.data_points.add(scale=-3, zero_threshold=0.25)
    bucket.negative.offset = -5
    bucket.negative.bucket_counts.extend([1, 300, 70000])
    exemplar = bucket.exemplars.add(as_int=-9, trace_id=b"t" * 16, span_id=b"s" * 8)
    exemplar.filtered_attributes.add(key="k").value.kvlist_value.values.add(key="n").value.int_value = -(2**63)
    summary, histogram = read_metrics(request.SerializeToString())
    assert (summary.type, summary.points[0].quantiles, summary.points[0].flags) == ("SUMMARY", [(0.5, -1.0)], 1)
    (point,) = histogram.points
    assert (point.scale, point.zero_threshold, point.negative.offset) == (-3, 0.25, -5)
    assert point.negative.bucket_counts == [1, 300, 70000] and point.positive is None
    assert point.exemplars[0].value == -9 and point.exemplars[0].filtered_attributes == {"k": {"n": -(2**63)}}
    assert point.exemplars[0].trace_id == (b"t" * 16).hex()


def test_a_log_record_as_an_object():
    service = MockOtlpService()
    service.receive_log(
        LogRecord(timestamp=3, observed_timestamp=5, body={"a": [1, None]}, severity_text="warning", severity_number=SeverityNumber.WARN)
    )
    record = service.logs.one()
    assert (record.time, record.observed_time, record.severity_number, record.severity_text) == (3, 5, 13, "warning")
    assert record.body == {"a": [1, None]} and record.trace_id is None and record.attributes == {}


@pytest.mark.parametrize("read", [read_spans, read_metrics, read_logs])
@pytest.mark.parametrize("request_bytes", [b"\x0a", b"\x0a\x05ab", b"\xff" * 12, b"\x0f"])
def test_bytes_that_are_no_request_are_an_error(read, request_bytes):
    with pytest.raises(ValueError, match="no OTLP"):
        list(read(request_bytes))


def test_received_telemetry_is_an_arrow_table_too():
    service = MockOtlpService()
    service.receive_trace(finished_span("a"))
    service.receive_trace(finished_span("b"))
    service.receive_metric(resource_metrics())
    service.receive_log(LogRecord(body="hello"))
    table = pa.table(service.spans)
    assert table["name"].to_pylist() == ["a", "b"] and table["service_name"].to_pylist() == ["shop", "shop"]
    assert polars.DataFrame(service.metrics)["value_int"].to_list() == [3, 1]
    received = service.logs
    assert duckdb.sql("SELECT body FROM received").fetchall() == [("hello",)]
    service.receive_log(LogRecord(body="again"))
    assert pa.table(received).num_rows == 2


def test_what_is_not_the_only_one_is_told_with_what_came():
    service = MockOtlpService()
    with pytest.raises(AssertionError, match=r"expected one span, received 0; all that came: \[\]"):
        service.spans.one()
    service.receive_trace(finished_span("a"))
    service.receive_trace(finished_span("a"))
    with pytest.raises(AssertionError, match="called 'a', received 2"):
        service.spans.one("a")
    assert len(service.spans.named("a")) == 2 and service.spans[-1].name == "a" and len(service.spans[:1]) == 1


# --- endpoints -------------------------------------------------------------------------------------------------------


@pytest.fixture
def service():
    with MockOtlpService() as started:
        yield started


def span_exporter(service: MockOtlpService, protocol: str):
    if protocol == "grpc":
        return GrpcSpanExporter(endpoint=service.grpc_endpoint, insecure=True, timeout=20)
    return HttpSpanExporter(endpoint=f"{service.http_endpoint}/v1/traces", timeout=20)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_receives_all_signals_from_the_sdks_exporters(service, protocol):
    if protocol == "grpc":
        metric_exporter = GrpcMetricExporter(endpoint=service.grpc_endpoint, insecure=True)
        log_exporter = GrpcLogExporter(endpoint=service.grpc_endpoint, insecure=True)
    else:
        metric_exporter = HttpMetricExporter(endpoint=f"{service.http_endpoint}/v1/metrics")
        log_exporter = HttpLogExporter(endpoint=f"{service.http_endpoint}/v1/logs")
    tracer_provider = TracerProvider(resource=RESOURCE)
    tracer_provider.add_span_processor(SimpleSpanProcessor(span_exporter(service, protocol)))
    with tracer_provider.get_tracer("tests").start_as_current_span("GET /"):
        pass
    meter_provider = MeterProvider([PeriodicExportingMetricReader(metric_exporter, 3_600_000)], resource=RESOURCE)
    meter_provider.get_meter("tests").create_counter("requests").add(2)
    meter_provider.force_flush()
    logger_provider = LoggerProvider(resource=RESOURCE)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(log_exporter))
    logger_provider.get_logger("tests").emit(LogRecord(body="hello"))
    service.assert_traces_received(1)
    service.assert_metrics_received(1)
    service.assert_logs_received(1)
    assert service.spans.one("GET /").resource.service_name == "shop"
    assert service.metrics.one("requests").value == 2
    assert service.logs.one("hello").body == "hello"
    assert pa.table(service.spans)["name"].to_pylist() == ["GET /"]
    for provider in (tracer_provider, meter_provider, logger_provider):
        provider.shutdown()


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_exporters_try_again_when_it_is_unavailable(service, protocol):
    service.answer_next(1, "unavailable")
    assert span_exporter(service, protocol).export([finished_span()]) is SpanExportResult.SUCCESS
    service.assert_traces_received(1)
    assert service.refused_requests == 1


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_exporters_give_up_when_they_are_refused(service, protocol):
    service.answer_next(1, "refused", "not this one")
    exporter = span_exporter(service, protocol)
    assert exporter.export([finished_span()]) is SpanExportResult.FAILURE
    assert exporter.export([finished_span()]) is SpanExportResult.SUCCESS
    service.assert_traces_received(1)


def test_overloaded_is_429_with_a_time(service):
    service.answer_next(1, "overloaded", "later")
    request = urllib.request.Request(f"{service.http_endpoint}/v1/logs", logs("a", ["x"]), {"Content-Type": "application/x-protobuf"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=20)
    assert caught.value.code == 429 and int(caught.value.headers["Retry-After"]) >= 1
    with pytest.raises(OtlpConfigError, match="answer: 'late' is unknown"):
        service.answer_next(1, "late")


def test_reset_forgets_answers_too(service):
    service.answer_next(5, "refused")
    service.reset()
    assert span_exporter(service, "http").export([finished_span()]) is SpanExportResult.SUCCESS
    assert service.refused_requests == 0


def test_waits_for_what_comes(service):
    exporter = span_exporter(service, "grpc")
    sender = threading.Timer(0.05, lambda: exporter.export([finished_span("late")]))
    sender.start()
    assert service.wait_for_spans(1)[0].name == "late"
    sender.join()
    direct = threading.Timer(0.05, lambda: service.receive_log(LogRecord(body="direct")))
    direct.start()
    assert service.wait_for_logs(1)[0].body == "direct"
    direct.join()
    with pytest.raises(AssertionError, match="waited 0.05 s in vain; received: .*1 spans, 0 metrics, 1 log records"):
        service.wait_for_metrics(1, timeout=0.05)


def test_what_came_stays_after_stop():
    service = MockOtlpService()
    with pytest.raises(OtlpServerError, match=r"call start\(\) first"):
        service.grpc_endpoint  # noqa: B018
    assert service.start() is service and service.start() is service
    endpoint = service.http_endpoint
    span_exporter(service, "http").export([finished_span()])
    service.stop()
    service.stop()
    assert not service.is_started
    service.assert_traces_received(1)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(endpoint, timeout=20)
    # It can be started again, and goes on counting.
    with service:
        span_exporter(service, "http").export([finished_span()])
    service.assert_traces_received(2)


def test_listens_where_it_is_told(service):
    with pytest.raises(OtlpServerError, match=service.http_endpoint.removeprefix("http://")):
        MockOtlpService().start(http_address=service.http_endpoint.removeprefix("http://"))
    only_http = MockOtlpService().start(grpc_address=None)
    with pytest.raises(OtlpServerError, match="started without grpc"):
        only_http.grpc_endpoint  # noqa: B018
    only_http.stop()


def test_many_exporters_at_once(service):
    span = finished_span()

    def send(protocol: str) -> None:
        exporter = span_exporter(service, protocol)
        for _ in range(20):
            assert exporter.export([span]) is SpanExportResult.SUCCESS

    threads = [threading.Thread(target=send, args=(protocol,)) for protocol in ("grpc", "http") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    service.assert_traces_received(120)


def test_the_requests_are_there_as_they_came(service):
    exporter = span_exporter(service, "http")
    exporter.export([finished_span()])
    (request,) = service.spans.requests
    assert ExportTraceServiceRequest.FromString(request).resource_spans[0].scope_spans[0].spans[0].name == "GET /"


def test_objects_equal_the_stock_encoding():
    span = finished_span()
    service = MockOtlpService()
    service.receive_trace(span)
    (stock,) = read_spans(encode_spans([span]).SerializeToString())
    assert service.spans.one() == stock
    reader = InMemoryMetricReader()
    MeterProvider([reader], resource=RESOURCE).get_meter("tests").create_counter("requests").add(1)
    data = reader.get_metrics_data()
    service.receive_metric(data)
    assert list(service.metrics) == list(read_metrics(encode_metrics(data).SerializeToString()))


def test_sample_requests_are_read():
    assert [span.name for span in read_spans(spans("a", 2))] == ["a-0", "a-1"]
    assert [point.value for metric in read_metrics(gauges("a", [1.5])) for point in metric.points] == [1.5]
    assert [record.body for record in read_logs(logs("a", ["x"]))] == ["x"]
