"""Known telemetry for the tests of reading: requests made by the SDK's own protobuf messages."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

SECOND = 10**9
START = 1_714_979_289 * SECOND  # 2024-05-06T07:08:09Z


def attribute(key: str, value: str | int | float | bool) -> KeyValue:
    field = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}[type(value)]
    return KeyValue(key=key, value=AnyValue(**{field: value}))


def resource(service: str) -> Resource:
    return Resource(attributes=[attribute("service.name", service)])


def spans(service: str, count: int, start: int = START, **attributes: str | int | float | bool) -> bytes:
    """`count` spans called "<service>-0", ... one a second from `start` on."""
    request = ExportTraceServiceRequest()
    container = request.resource_spans.add(resource=resource(service)).scope_spans.add()
    for i in range(count):
        span = container.spans.add(name=f"{service}-{i}", trace_id=bytes(15) + bytes([i + 1]), span_id=bytes(7) + bytes([i + 1]))
        span.start_time_unix_nano = start + i * SECOND
        span.end_time_unix_nano = start + i * SECOND + 5
        span.attributes.extend(attribute(key.replace("_", "."), value) for key, value in attributes.items())
    return request.SerializeToString()


def gauges(service: str, values: list[float], start: int = START) -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add(resource=resource(service)).scope_metrics.add().metrics.add(name="temperature", unit="Cel")
    for i, value in enumerate(values):
        metric.gauge.data_points.add(time_unix_nano=start + i * SECOND, as_double=value)
    return request.SerializeToString()


def logs(service: str, texts: list[str], start: int = START) -> bytes:
    request = ExportLogsServiceRequest()
    container = request.resource_logs.add(resource=resource(service)).scope_logs.add()
    for i, text in enumerate(texts):
        container.log_records.add(observed_time_unix_nano=start + i * SECOND, body=AnyValue(string_value=text))
    return request.SerializeToString()
