"""The SDK in programs that treat it badly: tasks, greenlets, threads that stay, odd values, code that raises."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import threading

import drained
import programs
import pytest
from opentelemetry import context as context_api
from opentelemetry import metrics, trace
from opentelemetry._logs import LogRecord
from opentelemetry.trace import StatusCode
from otlp_arrow_library import sdk


class Hostile:
    """Nothing of it may be called without a raise."""

    def _raise(self, *_):
        raise ValueError("hands off")

    __str__ = __repr__ = __hash__ = __eq__ = __bool__ = __len__ = __iter__ = __index__ = __float__ = _raise


class Lies:
    """Says that it is a str."""

    __class__ = str

    def __str__(self):
        return "a lie"


class HostileMapping(dict):
    def items(self):
        raise OSError("no items")

    __iter__ = keys = __len__ = items


@pytest.fixture
def ring(tmp_path):
    return tmp_path / "ring.mmap"


@pytest.fixture
def provider(ring):
    made = sdk.TracerProvider(mmap_file=ring, shutdown_on_exit=False)
    token = context_api.attach(context_api.Context())
    yield made
    context_api.detach(token)
    made.shutdown()


def stored_rows(provider, ring, signal="traces"):
    provider.shutdown()
    return drained.rows(drained.drain_copy(ring), signal)


def stored_names(provider, ring):
    return sorted(row["name"] for row in stored_rows(provider, ring))


HOSTILE_VALUES = {
    "hostile": Hostile(),
    "lies": Lies(),
    "huge": 10**400,
    "negative": -(10**30),
    "surrogate": "\ud800 lone",
    "zero": "a\0b",
    "nan": float("nan"),
    "bytes": b"\xff\x00",
    "nested": [[{"a": [Hostile()]}]],
    "mixed": [1, "a", None, 2.5, True],
    "set": {1},
    "class": Hostile,
    "function": len,
    "long": "x" * 100_000,
    "mapping": HostileMapping(a=1),
}


def test_hostile_values(provider, ring):
    tracer = provider.get_tracer("t")
    endless: list[object] = []
    endless.append(endless)
    with tracer.start_as_current_span("at start", attributes={**HOSTILE_VALUES, "endless": endless}):
        pass
    with tracer.start_as_current_span("later") as span:
        for key, value in HOSTILE_VALUES.items():
            span.set_attribute(key, value)
        span.set_attribute("endless", endless)
        span.set_attributes(HOSTILE_VALUES)
        span.set_attributes(HostileMapping(a=1))
        span.add_event("event", HOSTILE_VALUES)
        span.add_event("event", HostileMapping(a=1))
        span.add_link(span.get_span_context(), HOSTILE_VALUES)
        span.set_attribute("good", 1)
    rows = {row["name"]: row for row in stored_rows(provider, ring)}
    later = dict(rows["later"]["attributes"])
    assert later["good"] == "1" and later["long"] == "x" * 100_000 and "lone" in later["surrogate"]
    assert dict(rows["at start"]["attributes"])["long"] == "x" * 100_000 and len(rows["later"]["events"]) >= 1


@pytest.mark.parametrize("odd", [None, 7, b"bytes", Hostile(), Lies(), "", "\ud800", "x" * 100_000, ["list"]], ids=lambda odd: type(odd).__name__)
def test_odd_names_and_keys(provider, ring, odd):
    tracer = provider.get_tracer("t")
    with contextlib.suppress(TypeError):  # as a wrong call of any function
        tracer.start_span(odd).end()
    with tracer.start_as_current_span("span") as span:
        span.set_attribute(odd, 1)
        span.add_event(odd)
        span.update_name(odd) if isinstance(odd, str) else None
        span.set_status(odd)
        span.set_attribute("good", 1)
    assert any(("good", "1") in row["attributes"] for row in stored_rows(provider, ring))


def test_odd_arguments_of_spans(provider, ring):
    tracer = provider.get_tracer("t")
    for arguments in (
        {"attributes": 7},
        {"attributes": HostileMapping(a=1)},
        {"links": 7},
        {"links": [7, None, Hostile()]},
        {"start_time": -1},
        {"start_time": 10**30},
        {"start_time": "now"},
        {"kind": 99},
        {"context": 7},
    ):
        with contextlib.suppress(TypeError, ValueError, AttributeError, OverflowError):
            tracer.start_span("odd", **arguments).end()
    span = tracer.start_span("ends oddly")
    for end in (-1, "now", 10**30):
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            span.end(end)
    tracer.start_span("good").end()
    assert "good" in stored_names(provider, ring)


def test_hostile_exceptions(provider, ring):
    class Unspeakable(Exception):
        def __str__(self):
            raise RuntimeError("no text")

        __repr__ = __str__

    tracer = provider.get_tracer("t")
    with pytest.raises(Unspeakable), tracer.start_as_current_span("raises"):
        raise Unspeakable
    with tracer.start_as_current_span("records") as span:
        for odd in (Unspeakable(), 7, None, ValueError(Hostile()), KeyboardInterrupt()):
            with contextlib.suppress(TypeError, AttributeError):
                span.record_exception(odd)
    assert stored_names(provider, ring) == ["raises", "records"]


def test_ended_twice_and_never(provider, ring, caplog):
    tracer = provider.get_tracer("t")
    twice = tracer.start_span("twice")
    twice.end()
    twice.end()
    twice.set_attribute("late", 1)
    twice.add_event("late")
    twice.update_name("late")
    twice.set_status(StatusCode.ERROR)
    assert "a span that has ended" in caplog.text
    never = tracer.start_span("never", attributes={"a": 1})
    never.set_attribute("b", 2)
    rows = {row["name"]: row for row in stored_rows(provider, ring)}
    assert not rows["twice"]["attributes"] and not rows["twice"]["events"] and rows["twice"]["status_code"] != "ERROR"
    assert {"a": "1", "b": "2"}.items() <= dict(rows["never"]["attributes"]).items()  # kept, and marked as incomplete
    never.end()


def test_everything_after_shutdown(provider, ring):
    tracer = provider.get_tracer("t")
    open_span = tracer.start_span("open")
    provider.shutdown()
    with tracer.start_as_current_span("late") as late:
        late.set_attribute("a", 1)
        assert not late.is_recording()
    open_span.set_attribute("late", 1)
    open_span.end()
    provider.get_tracer("another").start_span("late").end()
    provider.shutdown()
    assert provider.force_flush() in (True, False)
    assert [row["name"] for row in stored_rows(provider, ring)] == ["open"]


def test_threads_that_outlive_shutdown(provider, ring):
    tracer = provider.get_tracer("t")
    meters = sdk.MeterProvider(mmap_file=ring, shutdown_on_exit=False)
    loggers = sdk.LoggerProvider(mmap_file=ring, shutdown_on_exit=False)
    counter, logger = meters.get_meter("m").create_counter("c"), loggers.get_logger("l")
    stop, begun, failed = threading.Event(), threading.Barrier(9), []

    def work():
        waiting = True
        try:
            while not stop.is_set():
                with tracer.start_as_current_span("work") as span:
                    span.set_attribute("a", 1)
                    counter.add(1, {"a": 1})
                    logger.emit(LogRecord(body="work"))
                if waiting:
                    waiting = False
                    begun.wait(30)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.wait(30)
    for each in (provider, meters, loggers):
        each.shutdown()
    for _ in range(100):
        tracer.start_span("late").end()
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == [] and {row["name"] for row in drained.rows(drained.drain_copy(ring))} == {"work"}


class Raises:
    """A span processor, a sampler and an id generator whose every method raises."""

    def __init__(self, error):
        self._error = error

    def __getattr__(self, name):
        def method(*_, **__):
            raise self._error

        return method

    def on_start(self, *_, **__):
        raise self._error

    on_end = _on_ending = shutdown = force_flush = should_sample = generate_trace_id = generate_span_id = on_start

    def get_description(self):
        return "raises"

    def is_trace_id_random(self):
        return False


@pytest.mark.parametrize("error", [RuntimeError("of theirs"), Hostile, RecursionError()], ids=["error", "class", "recursion"])
def test_processors_that_raise(provider, ring, error, caplog):
    error = ValueError("no text") if error is Hostile else error
    provider.add_span_processor(Raises(error))
    seen = []

    class Sees(sdk.SpanProcessor):
        def on_end(self, span):
            seen.append(span.name)

    provider.add_span_processor(Sees())
    with provider.get_tracer("t").start_as_current_span("one"):
        pass
    provider.force_flush()
    assert seen == ["one"] and stored_names(provider, ring) == ["one"]


def test_samplers_and_id_generators_that_raise(ring):
    provider = sdk.TracerProvider(sampler=Raises(RuntimeError("sampler")), mmap_file=ring, shutdown_on_exit=False)
    with provider.get_tracer("t").start_as_current_span("one"):
        pass
    provider.shutdown()
    provider = sdk.TracerProvider(id_generator=Raises(RuntimeError("ids")), mmap_file=ring, shutdown_on_exit=False)
    with provider.get_tracer("t").start_as_current_span("two") as span:
        assert span.get_span_context().is_valid in (True, False)
    provider.shutdown()


def test_callbacks_that_raise(ring, caplog):
    provider = sdk.MeterProvider(mmap_file=ring, shutdown_on_exit=False)
    meter = provider.get_meter("m")

    def bad(options):
        raise RuntimeError("callback")

    def half(options):
        yield metrics.Observation(1)
        raise RuntimeError("half")

    def odd(options):
        return [7, None, metrics.Observation(Hostile()), metrics.Observation(5, {"a": Hostile()})]

    meter.create_observable_gauge("g", [bad, half, odd, lambda options: [metrics.Observation(3, {"good": 1})], Hostile()])
    counter = meter.create_counter("c")
    for odd_value in (None, "a", float("nan"), -1, 10**400, Hostile(), True):
        with contextlib.suppress(TypeError):
            counter.add(odd_value)
    counter.add(1, {"a": Hostile(), "b": [Hostile()]})
    counter.add(1, 7)
    counter.add(2, {"good": 1})
    provider.force_flush()
    provider.shutdown()
    rows = drained.rows(drained.drain_copy(ring), "metrics")
    good = {row["metric_name"] for row in rows if dict(row["attributes"]) == {"good": "1"}}
    assert good == {"g", "c"}


def test_thousands_of_tasks(provider, ring):
    tracer = provider.get_tracer("t")

    async def work(number):
        with tracer.start_as_current_span(f"task {number}") as mine:
            await asyncio.sleep(0)
            with tracer.start_as_current_span(f"step {number}"):
                await asyncio.sleep(0)
            assert trace.get_current_span() is mine

    async def main():
        with tracer.start_as_current_span("all"):
            await asyncio.gather(*(work(number) for number in range(1500)))

    asyncio.run(main())
    rows = {row["name"]: row for row in stored_rows(provider, ring)}
    assert len(rows) == 3001
    for number in range(1500):
        task, step = rows[f"task {number}"], rows[f"step {number}"]
        assert task["parent_span_id"] == rows["all"]["span_id"] and step["parent_span_id"] == task["span_id"]


def test_left_in_another_task(provider, ring, caplog):
    """An async generator that is closed by another task, a coroutine that is dropped: no complaint, no wrong current span."""
    tracer = provider.get_tracer("t")

    async def generator():
        with tracer.start_as_current_span("inside"):
            while True:
                yield 1

    async def waits():
        with tracer.start_as_current_span("waits"):
            await asyncio.Event().wait()

    async def main():
        closed = generator()
        await asyncio.create_task(anext_of(closed))
        with tracer.start_as_current_span("elsewhere") as elsewhere:
            await asyncio.create_task(closed.aclose())
            assert trace.get_current_span() is elsewhere
        dropped = generator()
        await dropped.__anext__()
        del dropped
        gc.collect()
        await asyncio.sleep(0)
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def anext_of(asynchronous):
        await asynchronous.__anext__()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main())
    assert "detach" not in caplog.text and "different Context" not in caplog.text
    assert stored_names(provider, ring) == ["elsewhere", "inside", "inside", "waits"]


def test_gevent(tmp_path):
    """Greenlets have contexts of their own, and a full ring does not stop them."""
    done = programs.run(
        """
        from gevent import monkey; monkey.patch_all()
        import gevent, sys
        from opentelemetry import trace
        from otlp_arrow_library import sdk
        from otlp_arrow_library.telemetry import traced, get_current_span
        sdk.configure(sys.argv[1])
        tracer = trace.get_tracer("t")
        @traced
        def step(number):
            gevent.sleep(0)
            assert trace.get_current_span().name == "step"
        def work(number):
            with tracer.start_as_current_span(f"greenlet {number}") as mine:
                gevent.sleep(0.001)
                step(number)
                gevent.sleep(0)
                assert trace.get_current_span() is mine
        gevent.joinall([gevent.spawn(work, number) for number in range(300)], raise_error=True)
        print("done")
        """,
        tmp_path / "ring.mmap",
    )
    assert done.stdout == "done\n", done.stderr
    rows = drained.rows(drained.drain(tmp_path / "ring.mmap"))
    by_id = {row["span_id"]: row for row in rows}
    steps = [row for row in rows if row["name"] == "step"]
    assert len(rows) == 600 and len({row["parent_span_id"] for row in steps}) == 300
    assert all(by_id[row["parent_span_id"]]["name"].startswith("greenlet") for row in steps)


def test_a_full_ring_drops_and_counts_and_never_hangs(ring):
    recorder = sdk.Recorder.open_file(ring, spans_slots=64, max_wait_millis=5)
    provider = sdk.TracerProvider(recorder=recorder, shutdown_on_exit=False)
    tracer = provider.get_tracer("t")
    for _ in range(2000):
        tracer.start_span("span").end()
    assert recorder.counters()["dropped"] >= 3900
    provider.shutdown()
    recorder.shutdown()
