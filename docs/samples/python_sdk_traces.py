from opentelemetry import trace

from otlp_arrow_library import OtlpLibrary
from otlp_arrow_library.sdk import ParentBased, SpanLimits, TraceIdRatioBased, TracerProvider

library = OtlpLibrary(output_dir="telemetry")  # or a file for a collector: mmap_file="/dev/shm/shop-{pid}.mmap"
provider = TracerProvider(
    library=library,
    resource={"service.name": "shop"},
    sampler=ParentBased(TraceIdRatioBased(1.0)),
    span_limits=SpanLimits(max_attribute_length=4096),
)
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("shop.orders")


@tracer.start_as_current_span("charge")
def charge(amount: float) -> None:
    trace.get_current_span().add_event("charged", {"amount": amount})


with tracer.start_as_current_span("order", attributes={"order.id": 4711}) as span:
    span.set_attribute("user", "u1")
    charge(9.5)

provider.force_flush()  # at the end of the program it happens by itself
