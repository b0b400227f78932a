import os
import time

from otlp_arrow_library.mmap import MmapExporter, SpanKind, Sum, Temporality

with MmapExporter("shop.mmap") as exporter:
    resource = exporter.create_resource({"service.name": "shop"})
    scope = exporter.create_instrumentation_scope(resource, "shop.checkout", "1.0")
    orders = exporter.create_metric_stream(scope, "orders", "orders taken", "1", Sum(Temporality.DELTA))

    trace_id, span_id = os.urandom(16), os.urandom(8)
    exporter.record_span_start(scope, trace_id, span_id, None, 1, "POST /orders", SpanKind.SERVER, time.time_ns(), {"items": 3})
    exporter.record_measurement(orders, {"country": "NL"}, time.time_ns(), 1)
    exporter.record_span_end(scope, trace_id, span_id, time.time_ns())
