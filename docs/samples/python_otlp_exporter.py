from opentelemetry import trace
from otlp_arrow_library import sdk
from otlp_arrow_library.telemetry import BatchSpanProcessor, OTLPExporter

exporter = OTLPExporter("http://127.0.0.1:4318", headers={"authorization": "Bearer secret"}, timeout=5000)
sdk.configure(output_dir="./telemetry", service_name="shop", span_processors=[BatchSpanProcessor(exporter)])

with trace.get_tracer("shop").start_as_current_span("POST /orders"):
    pass  # recorded here, and sent there
