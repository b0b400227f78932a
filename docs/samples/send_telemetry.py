"""Sends spans, metrics and a log record with the OpenTelemetry SDK for Python.

    pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-grpc
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 python send_telemetry.py
"""

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

resource = Resource.create({"service.name": "shop", "service.version": "1.2"})

tracer_provider = TracerProvider(resource=resource)
tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = tracer_provider.get_tracer("shop.checkout", "0.3")

meter_provider = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource)
meter = meter_provider.get_meter("shop.checkout", "0.3")
orders = meter.create_counter("shop.orders", unit="{order}", description="Orders taken")
duration = meter.create_histogram("http.server.request.duration", unit="s")

logger_provider = LoggerProvider(resource=resource)
logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
logger = logger_provider.get_logger("shop.checkout", "0.3")

for status in (200, 200, 503):
    attributes = {"http.request.method": "POST", "http.route": "/orders", "http.response.status_code": status, "customer.tier": "gold"}
    with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes=attributes) as span:
        span.add_event("cart checked", {"cart.items": 3})
        orders.add(1, {"customer.tier": "gold"})
        duration.record(0.042, {"http.route": "/orders"})
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR, "payment service unavailable"))
            logger.emit(severity_number=SeverityNumber.ERROR, severity_text="ERROR", body="order failed", attributes={"order.id": 4711})

for provider in (tracer_provider, meter_provider, logger_provider):
    provider.shutdown()
