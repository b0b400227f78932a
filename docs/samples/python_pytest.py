"""Tests of a program that exports over OTLP: the plugin gives them an endpoint and what arrived there."""

import duckdb
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otlp_arrow_library import Received, ReceivedSpan


def place_order(order: int) -> None:  # the program, configured by the environment
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    with provider.get_tracer("shop").start_as_current_span("POST /orders", attributes={"order.id": order}) as span:
        span.add_event("paid")
    provider.shutdown()


def test_an_order_is_traced(otlp_environment: None, otlp_spans: Received[ReceivedSpan]) -> None:
    place_order(4711)
    span = otlp_spans.one("POST /orders")
    assert span.attributes["order.id"] == 4711
    assert [event.name for event in span.events] == ["paid"]


@pytest.mark.parametrize("orders", [3])
def test_orders_as_a_table(otlp_environment: None, otlp_spans: Received[ReceivedSpan], orders: int) -> None:
    for order in range(orders):
        place_order(order)
    found = duckdb.execute("SELECT count(*), max(attributes['order.id']) FROM otlp_spans").fetchall()
    assert found == [(3, "2")]
