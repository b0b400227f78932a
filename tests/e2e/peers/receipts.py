"""What a peer got, by the numbers of the items."""

import collections
import threading
import time

import otlp
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from peers.answers import TAKE, Request

SIGNALS = ("traces", "metrics", "logs")


def numbers_in(signal, body):
    """The numbers of the items of a request, as otlp.span, otlp.gauge and otlp.log put them in."""
    match signal:
        case "traces":
            message = ExportTraceServiceRequest.FromString(body)
            return tuple(int.from_bytes(s.span_id, "big") for r in message.resource_spans for sc in r.scope_spans for s in sc.spans)
        case "metrics":
            message = ExportMetricsServiceRequest.FromString(body)
            return tuple(p.as_int for r in message.resource_metrics for sc in r.scope_metrics for m in sc.metrics for p in m.gauge.data_points)
        case "logs":
            message = ExportLogsServiceRequest.FromString(body)
            return tuple(int(l.body.string_value.removeprefix("line ")) for r in message.resource_logs for sc in r.scope_logs for l in sc.log_records)
    raise ValueError(signal)


class Receipts:
    """Thread-safe. `rule` gives the answer to each request, and may be replaced at any time."""

    def __init__(self):
        self.rule = lambda request: TAKE
        self.requests = []  # all that came, in order
        self.order = {s: [] for s in SIGNALS}  # numbers of the items that were taken, in order
        self.surprises = []  # what must not happen in a peer
        self._lock = threading.Lock()

    def receive(self, signal, body, headers, path):
        """The answer to a request, which is recorded."""
        try:
            request = Request(signal, numbers_in(signal, body), len(body), headers, path, time.monotonic())
            answer = self.rule(request)
        except Exception as error:
            self.surprises.append(repr(error))
            raise
        with self._lock:
            self.requests.append(request)
            if answer.takes:
                self.order[signal].extend(request.numbers[answer.rejected :])
        return answer

    def count(self, signal=None):
        """Items taken."""
        return len(self.order[signal]) if signal else sum(map(len, self.order.values()))

    def counter(self, signal):
        with self._lock:
            return collections.Counter(self.order[signal])

    def unique(self, signal):
        return self.counter(signal).keys()


def response(signal, answer):
    """The bytes of the Export…ServiceResponse."""
    message = otlp.RESPONSES[signal]()
    if answer.rejected:
        names = {"traces": "rejected_spans", "metrics": "rejected_data_points", "logs": "rejected_log_records"}
        setattr(message.partial_success, names[signal], answer.rejected)
        message.partial_success.error_message = answer.message
    return message.SerializeToString()
