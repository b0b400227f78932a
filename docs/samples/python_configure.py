from opentelemetry import trace
from otlp_arrow_library import sdk

sdk.configure(output_dir="./telemetry", service_name="shop")

with trace.get_tracer("shop.checkout").start_as_current_span("POST /orders", attributes={"http.route": "/orders"}):
    pass  # what the program does; kill -9 does not lose it
