"""The decorator: functions, methods, coroutines, generators, async generators."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import logging

import pytest
from opentelemetry import trace
from otlp_arrow_library import telemetry
from otlp_arrow_library.telemetry import StatusCode, get_current_span, traced


class Shop:
    @traced
    def method(self, a, *, b):
        """Of a shop."""
        return a + b

    @traced(name="named static")
    @staticmethod
    def static(a):
        return a

    @staticmethod
    @traced("inner static")
    def inner(a):
        return a

    @traced
    @classmethod
    def of(cls, a):
        return cls, a

    @property
    @traced
    def price(self):
        return 7

    @traced
    async def coroutine(self):
        return get_current_span()


def test_functions(provided):
    @traced
    def plain(a, b=2, *rest, **more):
        """Adds."""
        assert get_current_span().is_recording()
        return a + b

    @traced(name="other name", attributes={"a": 1, "list": [1, 2]})
    def named():
        return get_current_span().get_span_id()

    @traced()
    def empty_parentheses():
        pass

    assert plain(1) == 3 and plain.__name__ == "plain" and plain.__doc__ == "Adds."
    assert inspect.signature(plain) == inspect.signature(plain.__wrapped__)
    assert named() == provided.spans["other name"].span_id
    assert provided.spans["other name"].attributes == {"a": 1, "list": (1, 2)}
    empty_parentheses()
    assert provided.names == ["plain", "other name", "empty_parentheses"]
    assert get_current_span() is None


def test_calls_nest(provided):
    @traced
    def inner():
        with telemetry.start_span("innermost"):
            pass

    @traced
    def outer():
        inner()

    with trace.get_tracer("api").start_as_current_span("root"):
        outer()
    spans = provided.spans
    for child, parent in (("innermost", "inner"), ("inner", "outer"), ("outer", "root")):
        assert spans[child].parent_span_id == spans[parent].span_id


def test_methods_of_all_kinds(provided):
    shop = Shop()
    assert shop.method(1, b=2) == 3 and Shop.method(shop, 1, b=2) == 3
    assert Shop.static(1) == shop.static(1) == 1 and Shop.inner(2) == 2
    assert Shop.of(3) == (Shop, 3) and shop.price == 7
    assert asyncio.run(shop.coroutine()).get_span_id() == provided.spans["coroutine"].span_id
    assert set(provided.names) == {"method", "named static", "inner static", "of", "price", "coroutine"}


def test_other_callables(provided):
    class Callable:
        def __call__(self, a):
            return a

    assert traced(Callable())(1) == 1
    assert traced(functools.partial(Shop.inner, 5))() == 5
    assert traced(len)([1, 2]) == 2
    assert provided.names == ["Callable", "inner static", "inner", "len"]
    for wrong in (7, Shop):
        with pytest.raises(TypeError, match="decorate a function"):
            traced(wrong)


def test_exceptions(provided):
    class Unspeakable(Exception):
        def __str__(self):
            raise ValueError("no text")

    @traced
    def fails(error):
        raise error

    with pytest.raises(KeyError):
        fails(KeyError("apple"))
    span = provided.spans["fails"]
    assert span.status.code is StatusCode.ERROR and span.status.description == "KeyError: 'apple'"
    assert span.events[0].attributes["exception.type"] == "KeyError"
    assert "in fails" in span.events[0].attributes["exception.stacktrace"]
    with pytest.raises(SystemExit):
        fails(SystemExit(3))
    assert provided.spans["fails"].status.code is StatusCode.UNSET


def test_coroutines(provided):
    @traced
    async def inner():
        await asyncio.sleep(0)
        raise KeyError("apple")

    @traced(name="outer", attributes={"a": 1})
    async def outer():
        mine = get_current_span()
        with contextlib.suppress(KeyError):
            await inner()
        assert get_current_span() == mine
        return 7

    assert inspect.iscoroutinefunction(outer) and asyncio.run(outer()) == 7
    spans = provided.spans
    assert spans["inner"].parent_span_id == spans["outer"].span_id and spans["outer"].attributes == {"a": 1}
    assert spans["inner"].status.code is StatusCode.ERROR and spans["outer"].status.code is StatusCode.UNSET


def test_a_cancelled_coroutine_ends_its_span(provided):
    @traced
    async def waits():
        await asyncio.Event().wait()

    async def main():
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert provided.spans["waits"].status.code is StatusCode.UNSET


def test_a_coroutine_closed_in_another_context(provided, caplog):
    """Nobody waits for it any more; whoever drops it has another context."""

    @traced
    async def abandoned():
        await asyncio.Event().wait()

    with caplog.at_level(logging.DEBUG):
        coroutine = abandoned()

        async def begin():
            with contextlib.suppress(RuntimeError):
                coroutine.send(None)

        asyncio.run(begin())
        with telemetry.start_span("elsewhere") as elsewhere:
            coroutine.close()
            assert get_current_span() is elsewhere
    assert provided.names == ["abandoned", "elsewhere"]


def test_generators(provided):
    seen = []

    @traced
    def numbers(up_to):
        for number in range(up_to):
            with trace.get_tracer("api").start_as_current_span(f"step {number}"):
                seen.append((yield number))
        return "done"

    def collect():
        return (yield from numbers(3))

    generator = collect()
    with telemetry.start_span("caller") as caller:
        assert next(generator) == 0
        assert get_current_span() is caller  # between the steps
        assert generator.send("a") == 1 and generator.send("b") == 2
        with pytest.raises(StopIteration) as stop:
            generator.send("c")
        assert get_current_span() is caller
    assert stop.value.value == "done" and seen == ["a", "b", "c"] and inspect.isgeneratorfunction(numbers)
    spans = provided.spans
    assert spans["numbers"].parent_span_id == spans["caller"].span_id
    assert all(spans[f"step {number}"].parent_span_id == spans["numbers"].span_id for number in range(3))


def test_a_generator_that_is_not_exhausted(provided):
    cleaned = []

    @traced
    def endless():
        try:
            while True:
                yield get_current_span().get_span_id()
        finally:
            cleaned.append(get_current_span().get_span_id())

    generator = endless()
    first = next(generator)
    assert provided.names == []
    del generator
    gc.collect()
    assert provided.spans["endless"].span_id == first and cleaned == [first]
    assert provided.spans["endless"].status.code is StatusCode.UNSET
    endless()  # never begun: no span
    gc.collect()
    assert provided.names == ["endless"]


def test_what_is_thrown_into_a_generator(provided):
    @traced
    def stubborn():
        with contextlib.suppress(KeyError):
            yield 1
        yield 2
        raise ValueError("at the end")

    generator = stubborn()
    assert next(generator) == 1 and generator.throw(KeyError("in")) == 2
    with pytest.raises(ValueError, match="at the end"):
        next(generator)
    assert provided.spans["stubborn"].status.description == "ValueError: at the end"


def test_async_generators(provided):
    @traced
    async def numbers(up_to):
        for number in range(up_to):
            await asyncio.sleep(0)
            with telemetry.start_span(f"step {number}"):
                yield number

    async def main():
        with telemetry.start_span("caller") as caller:
            got = []
            async for number in numbers(3):
                assert get_current_span() is caller
                got.append(number)
            return got

    assert asyncio.run(main()) == [0, 1, 2] and inspect.isasyncgenfunction(numbers)
    spans = provided.spans
    assert spans["numbers"].parent_span_id == spans["caller"].span_id
    assert all(spans[f"step {number}"].parent_span_id == spans["numbers"].span_id for number in range(3))


def test_async_generators_take_what_is_sent_and_thrown(provided):
    @traced
    async def echo():
        got = None
        while True:
            try:
                got = yield got
            except KeyError:
                got = "caught"

    async def main():
        generator = echo()
        await generator.asend(None)
        assert await generator.asend("a") == "a"
        assert await generator.athrow(KeyError("k")) == "caught"
        with pytest.raises(ValueError):
            await generator.athrow(ValueError("out"))

    asyncio.run(main())
    assert provided.spans["echo"].status.description == "ValueError: out"


def test_an_async_generator_closed_in_another_task(provided, caplog):
    @traced
    async def endless():
        with telemetry.start_span("inside"):
            while True:
                yield 1

    async def main():
        generator = endless()

        async def begin():
            async for _ in generator:
                break

        await asyncio.create_task(begin())
        with telemetry.start_span("elsewhere") as elsewhere:
            await asyncio.create_task(generator.aclose())
            assert get_current_span() is elsewhere
        abandoned = endless()
        await abandoned.__anext__()
        del abandoned  # the event loop closes it, in a task of its own
        gc.collect()
        await asyncio.sleep(0)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert provided.names.count("endless") == 2 and get_current_span() is None
    assert "detach" not in caplog.text and "different Context" not in caplog.text


def test_thousands_of_tasks(provided):
    @traced
    async def work(number):
        await asyncio.sleep(0)
        await step(number)

    @traced
    async def step(number):
        await asyncio.sleep(0)
        get_current_span().set_attribute("number", number)

    async def main():
        await asyncio.gather(*(work(number) for number in range(1000)))

    asyncio.run(main())
    assert provided.names.count("work") == provided.names.count("step") == 1000


def test_span_started_is_emitted(provided):
    started = []
    listener = telemetry.subscribe("span_started", lambda context: started.append((context.get_span_id(), context.span.name)))

    @traced
    def function():
        return get_current_span().get_span_id()

    @traced
    async def coroutine():
        return get_current_span().get_span_id()

    try:
        ids = [(function(), "function"), (asyncio.run(coroutine()), "coroutine")]
    finally:
        telemetry.unsubscribe("span_started", listener)
    function()
    assert started == ids


def test_recursion_and_reentrance(provided):
    @traced
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    assert factorial(20) == 2432902008176640000 and provided.names == ["factorial"] * 21


def test_hostile_attributes(provided):
    class Hostile:
        def __str__(self):
            raise ValueError("no text")

        __repr__ = __str__

    @traced(attributes={"bad": Hostile(), "good": 1})
    def function():
        return 1

    assert function() == 1 and provided.spans["function"].attributes["good"] == 1


def test_without_a_provider(monkeypatch):
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)

    @traced
    def function(a):
        assert get_current_span() is None
        return a

    assert function(1) == 1


def test_decorated_before_the_provider_is_set(provided, monkeypatch):
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)

    @traced
    def function():
        pass

    function()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provided.provider)
    function()
    assert provided.names == ["function"]
