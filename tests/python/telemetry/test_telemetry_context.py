"""start_span, get_current_span, link_span, TraceContext and the event span_started."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading

import pytest
from opentelemetry import baggage, trace
from opentelemetry import context as context_api
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags
from otlp_arrow_library import telemetry
from otlp_arrow_library.telemetry import StatusCode, get_current_span, link_span, start_span


class Hostile:
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def test_a_span_with_everything(provided):
    context = start_span("order", {"id": 4711})
    context.set_attribute("paid", True)
    context.add_event("cart checked", {"items": 3})
    context.add_event("plain")
    context.set_status(StatusCode.ERROR, "out of pears")
    assert context.is_recording()
    context.end()
    assert not context.is_recording()
    span = provided.spans["order"]
    assert (span.trace_id, span.span_id) == (context.get_trace_id(), context.get_span_id())
    assert len(span.trace_id) == 32 and len(span.span_id) == 16 and span.parent_span_id is None
    assert span.attributes == {"id": 4711, "paid": True}
    assert [(event.name, event.attributes) for event in span.events] == [("cart checked", {"items": 3}), ("plain", {})]
    assert (span.status.code, span.status.description) == (StatusCode.ERROR, "out of pears")
    assert span.start_time <= span.events[0].timestamp <= span.end_time


def test_the_started_span_is_the_current_one(provided):
    assert get_current_span() is None
    outer = start_span("outer")
    assert get_current_span() is outer
    inner = start_span("inner")
    assert get_current_span() is inner
    inner.end()
    assert get_current_span() is outer
    outer.end()
    assert get_current_span() is None
    spans = provided.spans
    assert spans["inner"].parent_span_id == spans["outer"].span_id and spans["inner"].trace_id == spans["outer"].trace_id


def test_an_explicit_parent(provided):
    first = start_span("first")
    first.end()
    other = start_span("other")
    start_span("of first", parent=first).end()
    start_span("of api", parent=first.span).end()
    start_span("of context", parent=first.span.get_span_context()).end()
    other.end()
    spans = provided.spans
    for name in ("of first", "of api", "of context"):
        assert spans[name].parent_span_id == first.get_span_id() and spans[name].trace_id == first.get_trace_id()


def test_a_parent_that_is_none_is_told(provided, caplog):
    with start_span("outer") as outer:
        start_span("inner", parent="outer").end()
    assert provided.spans["inner"].parent_span_id == outer.get_span_id()
    assert "parent is of type str" in caplog.text


def test_spans_of_both_apis_nest(provided):
    tracer = trace.get_tracer("api")
    with tracer.start_as_current_span("1") as api_span:
        found = get_current_span()
        assert found is not None and found == telemetry.TraceContext(api_span) and found.span is api_span
        with start_span("2") as second:
            assert trace.get_current_span() is second.span
            with tracer.start_as_current_span("3"):
                start_span("4").end()
            assert get_current_span() is second
        assert trace.get_current_span() is api_span
    spans = provided.spans
    for child, parent in (("2", "1"), ("3", "2"), ("4", "3")):
        assert spans[child].parent_span_id == spans[parent].span_id
    assert provided.names == ["4", "3", "2", "1"]


def test_ended_in_any_order(provided):
    outer, inner = start_span("outer"), start_span("inner")
    outer.end()
    assert get_current_span() is inner
    inner.end()
    assert get_current_span() is None and trace.get_current_span() is trace.INVALID_SPAN
    start_span("root").end()
    assert provided.spans["root"].parent_span_id is None


def test_ended_twice(provided, caplog):
    with caplog.at_level(logging.WARNING):
        outer = start_span("outer")
        context = start_span("once")
        context.end()
        context.end()
        assert get_current_span() is outer
        outer.end()
    assert provided.names == ["once", "outer"] and caplog.text == ""


def test_ended_in_another_thread(provided):
    context = start_span("there")
    thread = threading.Thread(target=context.end)
    thread.start()
    thread.join()
    assert get_current_span() is None
    start_span("root").end()
    assert provided.spans["root"].parent_span_id is None


def test_ended_spans_do_not_pile_up(provided):
    """Those that other threads end leave nothing behind in the context of the one that started them."""
    for number in range(50):
        context = start_span(f"span {number}")
        thread = threading.Thread(target=context.end)
        thread.start()
        thread.join()
    del context
    gc.collect()
    assert sum(isinstance(thing, telemetry.TraceContext) for thing in gc.get_objects()) <= 2


def test_values_on_top_of_an_ended_span(provided):
    outer = start_span("outer")
    context = start_span("ended")
    token = context_api.attach(baggage.set_baggage("customer", "7"))
    context.end()
    assert get_current_span() is outer
    start_span("next").end()
    assert provided.spans["next"].parent_span_id == outer.get_span_id() and baggage.get_baggage("customer") == "7"
    context_api.detach(token)
    outer.end()


def test_ended_in_another_task(provided):
    async def main():
        context = start_span("across")

        async def end():
            assert get_current_span() is context
            context.end()
            assert get_current_span() is None

        await asyncio.create_task(end())
        assert get_current_span() is None
        start_span("root").end()

    asyncio.run(main())
    assert provided.spans["root"].parent_span_id is None


def test_thousands_of_tasks_keep_their_spans_apart(provided):
    async def work(number):
        with start_span(f"task {number}") as mine:
            await asyncio.sleep(0)
            with start_span(f"step {number}"):
                await asyncio.sleep(0)
            assert get_current_span() is mine

    async def main():
        with start_span("all"):
            await asyncio.gather(*(work(number) for number in range(500)))

    asyncio.run(main())
    spans = provided.spans
    assert len(spans) == 1001
    for number in range(500):
        assert spans[f"task {number}"].parent_span_id == spans["all"].span_id
        assert spans[f"step {number}"].parent_span_id == spans[f"task {number}"].span_id


def test_context_manager_records_what_is_raised(provided):
    with pytest.raises(ZeroDivisionError), start_span("division"):
        _ = 1 / 0
    span = provided.spans["division"]
    assert span.status.code is StatusCode.ERROR and span.status.description == "ZeroDivisionError: division by zero"
    assert [event.name for event in span.events] == ["exception"]
    assert span.events[0].attributes["exception.type"] == "ZeroDivisionError"
    with pytest.raises(KeyboardInterrupt), start_span("stopped"):
        raise KeyboardInterrupt
    assert provided.spans["stopped"].status.code is StatusCode.UNSET and not provided.spans["stopped"].events


def test_links(provided):
    other = start_span("other")
    other.end()
    assert not link_span(other)  # there is no current span
    with start_span("linked"):
        assert link_span(other, {"reason": "batch"}) is True
        assert link_span(other.span.get_span_context()) is True
        assert link_span(telemetry.TraceContext(trace.INVALID_SPAN)) is False
        assert link_span("other") is False
    assert not link_span(other)
    links = provided.spans["linked"].links
    assert [(link.trace_id, link.span_id, link.attributes) for link in links] == [
        (other.get_trace_id(), other.get_span_id(), {"reason": "batch"}),
        (other.get_trace_id(), other.get_span_id(), {}),
    ]


def test_links_of_spans_of_the_api(provided):
    with start_span("other") as other, trace.get_tracer("api").start_as_current_span("linked"):
        assert link_span(other)
    assert provided.spans["linked"].links[0].span_id == other.get_span_id()


def test_a_remote_span_is_a_current_span(provided):
    remote = SpanContext(0x1234, 0x56, is_remote=True, trace_flags=TraceFlags(1))
    token = context_api.attach(trace.set_span_in_context(NonRecordingSpan(remote)))
    found = get_current_span()
    assert found is not None and found.get_trace_id() == format(0x1234, "032x") and not found.is_recording()
    assert link_span(found) is False  # to a span that does not record nothing can be added
    start_span("child").end()
    context_api.detach(token)
    assert provided.spans["child"].trace_id == format(0x1234, "032x")


def test_span_started(provided, caplog):
    started = []

    def broken(context):
        raise RuntimeError("the listener is broken")

    telemetry.subscribe("span_started", broken)
    listener = telemetry.subscribe(telemetry.SPAN_STARTED, started.append)
    telemetry.subscribe("span_started", started.append)  # is there already
    try:
        first = start_span("first")
        first.end()
    finally:
        assert telemetry.unsubscribe("span_started", listener) and telemetry.unsubscribe("span_started", broken)
    assert started == [first] and "the listener is broken" in caplog.text
    start_span("second").end()
    assert started == [first] and not telemetry.unsubscribe("span_started", listener)
    with pytest.raises(telemetry_error(), match="'span_stopped' is unknown; there is span_started"):
        telemetry.subscribe("span_stopped", started.append)
    with pytest.raises(telemetry_error(), match="listener is of type int"):
        telemetry.subscribe("span_started", 7)


def telemetry_error():
    from otlp_arrow_library import OtlpConfigError

    return OtlpConfigError


def test_the_listener_finds_the_span_current(provided):
    seen = []
    listener = telemetry.subscribe("span_started", lambda context: seen.append(get_current_span()))
    context = start_span("seen")
    telemetry.unsubscribe("span_started", listener)
    context.end()
    assert seen == [context]


def test_hostile_values_do_not_hurt(provided):
    with start_span("hostile", {"start": Hostile()}) as context:
        context.set_attribute("value", Hostile())
        context.set_attribute(Hostile(), 1)
        context.add_event("event", {"value": Hostile()})
        context.add_event(Hostile())
        context.record_exception(ValueError(Hostile()))
    assert "hostile" in provided.names


def test_without_a_provider(monkeypatch):
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    with start_span("nowhere") as context:
        assert context.get_trace_id() == "0" * 32 and context.get_span_id() == "0" * 16 and not context.is_recording()
        context.set_attribute("a", 1)
        assert link_span(context) is False
    assert get_current_span() is None


def test_equality_and_text(provided):
    with start_span("one") as one:
        again = telemetry.TraceContext(one.span)
        assert again == one and hash(again) == hash(one) and one != "one"
        with start_span("two") as two:
            assert one != two
    assert one.get_trace_id() in repr(one) and repr(one).endswith("ended>")
