from otlp_arrow_library import sdk
from otlp_arrow_library.telemetry import get_current_span, link_span, start_span, subscribe, traced

sdk.configure(output_dir="./telemetry", service_name="shop")
subscribe("span_started", lambda context: print("a span has started in trace", context.get_trace_id()))


@traced
def check_stock(item: str) -> bool:
    if span := get_current_span():
        span.set_attribute("item", item)
    return item != "pear"


@traced(name="POST /orders", attributes={"http.route": "/orders"})
def order(items: list[str]) -> None:
    with start_span("choose warehouse", {"items": len(items)}) as warehouse:
        warehouse.add_event("asked", {"warehouses": 3})
    link_span(warehouse, {"reason": "decided there"})
    for item in items:
        check_stock(item)


order(["apple", "pear"])
