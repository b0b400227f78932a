"""Programs that trace, for whatever tracer they are given."""

from __future__ import annotations

import itertools
import random

from opentelemetry import context, trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState


class Counting:
    """Ids in a row, so that two runs have the same."""

    def __init__(self):
        self._numbers = itertools.count(1)

    def generate_trace_id(self):
        return next(self._numbers) << 64 | 0xABC

    def generate_span_id(self):
        return next(self._numbers)

    def is_trace_id_random(self):
        return False


def remote(number=7, sampled=True, state=None):
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else 0)
    return SpanContext(number << 64 | number, number, True, flags, TraceState(state or []))


def tree(tracer):
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER, attributes={"a": 1}) as root:
        root.set_attribute("b", "text")
        with tracer.start_as_current_span("child") as child:
            child.add_event("happened", {"x": 1.5}, timestamp=1234)
            child.set_status(StatusCode.OK)
            child.set_status(StatusCode.ERROR, "too late")
        other = tracer.start_span("sibling", kind=SpanKind.CLIENT, start_time=1000)
        other.end(2000)
        detached = tracer.start_span("no parent", context=context.Context())
        detached.update_name("renamed")
        detached.end()
    assert not trace.get_current_span().get_span_context().is_valid


def values(tracer):
    class Text:
        def __str__(self):
            return "a text"

    with tracer.start_as_current_span("values") as span:
        span.set_attributes({"bool": True, "int": -5, "float": 2.5, "str": "ü😀", "none": None, "bytes": b"\x00\xff"})
        span.set_attribute("list", ["a", "b"])
        span.set_attribute("tuple", (1, 2, 3))
        span.set_attribute("mixed", [1, "a", None, 2.5, [True]])
        span.set_attribute("map", {"k": {"n": (1,)}, "e": {}})
        span.set_attribute("object", Text())
        span.set_attribute("huge", 2**70)
        span.set_attribute("bytearray", bytearray(b"ab"))
        span.set_attribute("bool", False)
        span.set_attribute("", "no key")
        span.set_attribute(5, "no text")
        span.set_attributes({6: "becomes text", "": "none"})
        span.set_attribute("long", "x" * 5000)


def links(tracer):
    with tracer.start_as_current_span("first") as first:
        pass
    given = [
        Link(first.get_span_context(), {"why": "because"}),
        Link(remote(9, state=[("vendor", "v")])),
        Link(trace.INVALID_SPAN_CONTEXT),
        Link(trace.INVALID_SPAN_CONTEXT, {"kept": True}),
    ]
    with tracer.start_as_current_span("linked", links=given) as span:
        span.add_link(remote(10), {"late": [1, 2]})
        span.add_link(trace.INVALID_SPAN_CONTEXT)


def statuses(tracer):
    calls = [
        [(Status(StatusCode.ERROR, "text"),)],
        [(StatusCode.ERROR, "text")],
        [(StatusCode.ERROR,), (StatusCode.UNSET,)],
        [(StatusCode.OK,), (StatusCode.ERROR, "later")],
        [(StatusCode.ERROR, "first"), (StatusCode.OK,)],
        [(StatusCode.OK, "described")],
        [(Status(StatusCode.ERROR, "its own"), "ignored")],
    ]
    for number, each in enumerate(calls):
        with tracer.start_as_current_span(f"status {number}") as span:
            for arguments in each:
                span.set_status(*arguments)


def exceptions(tracer):
    class Own(Exception):
        pass

    def raising(error, **keywords):
        try:
            with tracer.start_as_current_span(f"as current {type(error).__name__}", **keywords):
                raise error
        except BaseException:
            pass
        try:
            with tracer.start_span(
                f"span {type(error).__name__}", **{key: value for key, value in keywords.items() if key != "end_on_exit"}
            ):
                raise error
        except BaseException:
            pass

    raising(ValueError("wrong"))
    raising(Own("own"))
    raising(KeyboardInterrupt())
    raising(ValueError("no event"), record_exception=False)
    raising(ValueError("no status"), set_status_on_exception=False)
    with tracer.start_as_current_span("recorded") as span:
        span.record_exception(RuntimeError("by hand"), {"more": 1}, timestamp=99, escaped=True)
    try:
        with tracer.start_as_current_span("kept open", end_on_exit=False) as kept:
            raise ValueError("inside")
    except ValueError:
        kept.end()
    with trace.use_span(tracer.start_span("used"), end_on_exit=True) as used:
        used.set_attribute("current", trace.get_current_span() is used)


def parents(tracer):
    for number, (sampled, state) in enumerate([(True, [("a", "1"), ("b", "2")]), (False, None)]):
        given = trace.set_span_in_context(NonRecordingSpan(remote(20 + number, sampled, state)))
        with tracer.start_as_current_span(f"below {number}", context=given) as span:
            span.set_attribute("recording", span.is_recording())
            with tracer.start_as_current_span("inner"):
                pass


def decorated(tracer):
    @tracer.start_as_current_span("decorated", attributes={"d": 1})
    def function(number):
        with tracer.start_as_current_span(f"inside {number}"):
            return number

    assert [function(1), function(2)] == [1, 2]


def misuse(tracer):
    span = tracer.start_span("misused", kind=SpanKind.PRODUCER)
    span.end()
    span.end()
    span.set_attribute("late", 1)
    span.set_attributes({"late": 1})
    span.add_event("late")
    span.add_link(remote())
    span.update_name("late")
    span.set_status(StatusCode.ERROR)
    span.record_exception(ValueError("late"))


def at_random(tracer, seed=0):
    """Many spans within each other, with random content."""
    chance = random.Random(seed)
    numbers = itertools.count()

    def value(depth=0):
        kinds = [chance.randint(-(2**63), 2**63 - 1), chance.random(), "é" * chance.randint(0, 400), chance.random() < 0.5, None, b"\x01" * 3]
        if depth < 3 and chance.random() < 0.3:
            return [value(depth + 1) for _ in range(chance.randint(0, 5))]
        if depth < 3 and chance.random() < 0.1:
            return {f"k{i}": value(depth + 1) for i in range(chance.randint(0, 3))}
        return chance.choice(kinds)

    def attributes():
        return {f"key{next(numbers) % 1000}": value() for _ in range(chance.randint(0, 8))}

    def below(depth):
        with tracer.start_as_current_span(f"span {chance.randint(0, 9)}", kind=chance.choice(list(SpanKind)), attributes=attributes()) as span:
            for _ in range(chance.randint(0, 3)):
                what = chance.randint(0, 5)
                if what == 0:
                    span.set_attributes(attributes())
                elif what == 1:
                    span.add_event(f"event {chance.randint(0, 5)}", attributes(), timestamp=chance.randint(1, 10**18))
                elif what == 2:
                    span.set_status(chance.choice(list(StatusCode)), None)
                elif what == 3:
                    span.add_link(remote(chance.randint(1, 99), state=[("k", "v")]), {"n": chance.randint(0, 9)})
                elif depth < 5:
                    below(depth + 1)

    for _ in range(60):
        below(0)


PROGRAMS = [tree, values, links, statuses, exceptions, parents, decorated, misuse, at_random]
