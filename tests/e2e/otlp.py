"""OTLP requests made by hand, and the ways to send them as bare bytes."""

import http.client
import itertools
import os

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
RESPONSES = {
    "traces": trace_service_pb2.ExportTraceServiceResponse,
    "metrics": metrics_service_pb2.ExportMetricsServiceResponse,
    "logs": logs_service_pb2.ExportLogsServiceResponse,
}
NOW = 1_700_000_000_000_000_000


def any_value(value):
    match value:
        case AnyValue():
            return value
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[any_value(v) for v in value]))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))
    raise TypeError(value)


def attributes(entries):
    """KeyValues of a dict, or of a list of pairs (where a key may stand twice)."""
    pairs = entries.items() if isinstance(entries, dict) else entries
    return [KeyValue(key=k, value=any_value(v)) for k, v in pairs]


def resource(service="shop"):
    return Resource(attributes=attributes({"service.name": service}))


SCOPE = InstrumentationScope(name="by hand", version="1")


def span(number, **fields):
    """A span whose id is `number`; fields as in the protobuf message, attributes as a dict."""
    fields["attributes"] = attributes(fields.get("attributes", {}))
    given = {"trace_id": (number // 100 + 1).to_bytes(16, "big"), "span_id": number.to_bytes(8, "big"), "name": f"span {number % 10}",
             "kind": Span.SPAN_KIND_SERVER, "start_time_unix_nano": NOW + number, "end_time_unix_nano": NOW + number + 1000}
    return Span(**(given | fields))


def traces(spans, service="shop"):
    scoped = ScopeSpans(scope=SCOPE, spans=spans)
    return trace_service_pb2.ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource(service), scope_spans=[scoped])])


def logs(records, service="shop"):
    scoped = ScopeLogs(scope=SCOPE, log_records=records)
    return logs_service_pb2.ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource(service), scope_logs=[scoped])])


def log(number, **fields):
    return LogRecord(**({"time_unix_nano": NOW + number, "body": any_value(f"line {number}"), "severity_number": 9} | fields))


def gauge(number, **fields):
    return NumberDataPoint(**({"time_unix_nano": NOW + number, "as_int": number} | fields))


def metrics(points, service="shop", name="fill"):
    scoped = ScopeMetrics(scope=SCOPE, metrics=[Metric(name=name, gauge=Gauge(data_points=points))])
    return metrics_service_pb2.ExportMetricsServiceRequest(resource_metrics=[ResourceMetrics(resource=resource(service), scope_metrics=[scoped])])


MAKERS = {"traces": (traces, span), "metrics": (metrics, gauge), "logs": (logs, log)}


def request(signal, count, first=1):
    """A request with `count` items numbered from `first`."""
    whole, item = MAKERS[signal]
    return whole([item(n) for n in range(first, first + count)])


def data(message_or_bytes):
    return message_or_bytes if isinstance(message_or_bytes, bytes) else message_or_bytes.SerializeToString()


def span_hex(number):
    return number.to_bytes(8, "big").hex()


class GrpcSender:
    """Sends bytes as the body of an Export call, whatever they are."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1),
                                                               ("grpc.use_local_subchannel_pool", 1)])
        self.calls = {s: self.channel.unary_unary(m, request_serializer=None, response_deserializer=None) for s, m in METHODS.items()}

    def export(self, signal, request, timeout=20, **options):
        """The response message; raises grpc.RpcError for anything but OK."""
        return RESPONSES[signal].FromString(self.calls[signal](data(request), timeout=timeout, **options))

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class HttpSender:
    """A connection that is kept, and bare POSTs on it."""

    def __init__(self, address, timeout=20):
        self.connection = http.client.HTTPConnection(address, timeout=timeout)

    def post(self, path, body, headers=(), method="POST"):
        """Status, headers and body of the answer."""
        self.connection.request(method, path, body, {"Content-Type": "application/x-protobuf"} | dict(headers))
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def export(self, signal, request, headers=()):
        """The response message; an error where the status is not 200."""
        status, _, body = self.post(f"/v1/{signal}", data(request), headers)
        assert status == 200, (status, body)
        return RESPONSES[signal].FromString(body)

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# Span ids that no other test process, and no other round, uses.
unique_numbers = itertools.count((os.getpid() << 32) + 1)
