import otlp_arrow_library
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

library = otlp_arrow_library.OtlpLibrary(output_dir="./telemetry")
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(library.span_exporter()))

with provider.get_tracer("shop.checkout").start_as_current_span("POST /orders"):
    pass  # what the program does; everything is in files when it ends
