"""A stand-in for an OTLP backend, in a test without any framework."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otlp_arrow_library import MockOtlpService

with MockOtlpService() as service:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{service.http_endpoint}/v1/traces")))
    service.answer_next(1, "unavailable")  # the exporter tries again

    with provider.get_tracer("shop").start_as_current_span("POST /orders", attributes={"order.id": 4711}):
        pass
    provider.shutdown()

    service.assert_traces_received(1)
    print(service.spans.one("POST /orders").attributes, service.refused_requests)
