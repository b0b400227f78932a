"""The native tracer provider: what the API promises, and what happens when a program or its processors go wrong."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import io
import logging
import threading
import weakref

import pytest
from collecting import collect
from opentelemetry import baggage, context, trace
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk.trace import export
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from programs import run

from otlp_arrow_library import OtlpConfigError, OtlpLibrary, sdk


def rows_of(file):
    """The spans of a ring file that nobody has open any more."""
    gc.collect()
    return collect(file).traces().to_pyarrow().to_pylist()


class Seen(sdk.SpanProcessor):
    def __init__(self):
        self.started, self.ended = [], []

    def on_start(self, span, parent_context=None):
        self.started.append((span, parent_context))

    def on_end(self, span):
        self.ended.append(span)


@pytest.fixture
def seen():
    return Seen()


@pytest.fixture
def provider(seen, monkeypatch):
    monkeypatch.delenv("SDK_MMAP_EXPORTER_FILE", raising=False)
    with sdk.TracerProvider(resource={"service.name": "shop"}, shutdown_on_exit=False) as made:
        made.add_span_processor(seen)
        yield made


@pytest.fixture
def tracer(provider):
    return provider.get_tracer("module", "1")


# --- the API ---


def test_types_of_the_api(provider, tracer):
    span = tracer.start_span("x")
    assert isinstance(span, trace.Span) and isinstance(tracer, trace.Tracer) and isinstance(provider, trace.TracerProvider)
    assert isinstance(context.get_current(), context.Context)
    with pytest.raises(TypeError):
        sdk.Span()
    with pytest.raises(TypeError, match="name"):
        tracer.start_span()
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        tracer.start_span("x", colour=1)
    with pytest.raises(TypeError, match="multiple values"):
        tracer.start_span("x", name="y")


def test_equal_scopes_have_one_tracer(provider):
    assert provider.get_tracer("a", "1", "s", {"k": 1}) is provider.get_tracer("a", "1", "s", {"k": 1})
    assert provider.get_tracer("a", "1") is not provider.get_tracer("a", "2")


def test_tracers_for_odd_arguments(provider, tmp_path, caplog):
    class Unreadable(dict):
        def items(self):
            raise RuntimeError("no items")

        def __repr__(self):
            raise RuntimeError("no text")

    recording = sdk.TracerProvider(mmap_file=tmp_path / "ring.mmap", shutdown_on_exit=False)
    for each in (provider, recording):
        for arguments in [(None,), ("",), (5, 6, 7), ("a", None, None, "text"), ("a", "1", "s", Unreadable(a=1)), ("a", "1", "s", {5: object()})]:
            assert each.get_tracer(*arguments).start_span("x").is_recording()
    assert "get_tracer" in caplog.text


def test_current_span_and_baggage_travel(tracer):
    token = context.attach(baggage.set_baggage("user", "u"))
    try:
        with tracer.start_as_current_span("outer") as outer:
            assert trace.get_current_span() is outer and baggage.get_baggage("user") == "u"
            headers = {}
            inject(headers)
            sent = outer.get_span_context()
            assert headers["traceparent"] == f"00-{sent.trace_id:032x}-{sent.span_id:016x}-03" and headers["baggage"] == "user=u"
        assert trace.get_current_span() is trace.INVALID_SPAN and baggage.get_baggage("user") == "u"
    finally:
        context.detach(token)
    with tracer.start_as_current_span("there", context=extract(headers)) as there:
        assert there.parent.is_remote and there.parent.span_id == sent.span_id and there.context.trace_id == sent.trace_id


def test_span_is_started_when_it_is_entered(tracer, seen):
    manager = tracer.start_as_current_span("x")
    assert not seen.started
    with manager as span:
        with pytest.raises(RuntimeError, match="entered already"):
            manager.__enter__()
    assert [each.name for each in seen.ended] == ["x"] and not span.is_recording()
    with manager:
        pass
    assert len(seen.ended) == 2


def test_what_a_program_keeps_on_a_span():
    span = sdk.TracerProvider(shutdown_on_exit=False).get_tracer("x").start_span("x")
    span.own = "value"
    reference = weakref.ref(span)
    assert reference().own == "value"
    del span
    assert reference() is None


def test_coroutines_are_decorated(tracer, seen):
    @tracer.start_as_current_span("work")
    async def work():
        await asyncio.sleep(0)
        return trace.get_current_span().name

    async def main():
        return await asyncio.gather(*(work() for _ in range(20)))

    assert asyncio.run(main()) == ["work"] * 20
    assert len({span.context.span_id for span in seen.ended}) == 20 and all(span.parent is None for span in seen.ended)


def test_detaching_elsewhere_is_silent(tracer, caplog):
    async def generate():
        with tracer.start_as_current_span("generator"):
            yield 1
            yield 2

    async def main():
        generator = generate()
        await asyncio.create_task(generator.__anext__())
        inherited = contextvars.copy_context()
        await asyncio.create_task(generator.aclose())
        return inherited

    asyncio.run(main())
    manager = tracer.start_as_current_span("elsewhere")
    contextvars.copy_context().run(manager.__enter__)
    manager.__exit__(None, None, None)
    inner = tracer.start_as_current_span("inherited")
    inner.__enter__()
    elsewhere = contextvars.copy_context()
    elsewhere.run(inner.__exit__, None, None, None)
    assert elsewhere.run(trace.get_current_span) is trace.INVALID_SPAN
    context.attach(context.Context())
    assert not caplog.records


def test_foreign_runtime_context(tmp_path):
    code = """
        from opentelemetry import context, trace

        class Own(type(context._RUNTIME_CONTEXT).__mro__[1]):
            stack = [context.Context()]
            def attach(self, value): self.stack.append(value); return len(self.stack)
            def get_current(self): return self.stack[-1]
            def detach(self, token): assert token == len(self.stack); self.stack.pop()

        context._RUNTIME_CONTEXT = Own()
        from otlp_arrow_library import sdk
        provider = sdk.TracerProvider(mmap_file=__import__("sys").argv[1])
        tracer = provider.get_tracer("x")
        with tracer.start_as_current_span("outer") as outer:
            with tracer.start_as_current_span("inner") as inner:
                assert trace.get_current_span() is inner and inner.parent.span_id == outer.context.span_id
            assert trace.get_current_span() is outer
        assert len(Own.stack) == 1
    """
    run(code, tmp_path / "ring.mmap")
    assert sorted(row["name"] for row in rows_of(tmp_path / "ring.mmap")) == ["inner", "outer"]


# --- sampling, limits, ids ---


@pytest.mark.parametrize(
    ("name", "argument", "description"),
    [
        ("always_off", "", "AlwaysOffSampler"),
        ("traceidratio", "0.25", "TraceIdRatioBased{0.25}"),
        ("parentbased_traceidratio", "nonsense", "ParentBased{root:TraceIdRatioBased{1.0},"),
        ("nonsense", "", "ParentBased{root:AlwaysOnSampler,"),
        ("", "", "ParentBased{root:AlwaysOnSampler,"),
    ],
)
def test_samplers_of_the_environment(name, argument, description, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", name)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    assert sdk.TracerProvider(shutdown_on_exit=False).sampler.get_description().startswith(description)
    assert bool(caplog.records) == ("nonsense" in (name, argument))


def test_ratio_is_kept(seen):
    provider = sdk.TracerProvider(sdk.TraceIdRatioBased(0.3), shutdown_on_exit=False)
    provider.add_span_processor(seen)
    tracer = provider.get_tracer("x")
    for _ in range(5000):
        tracer.start_span("x").end()
    assert 1250 < len(seen.ended) < 1750


def test_dropped_spans_pass_their_context_on(seen):
    provider = sdk.TracerProvider(sdk.ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(seen)
    tracer = provider.get_tracer("x")
    with tracer.start_as_current_span("outer") as outer:
        assert not outer.is_recording() and outer.get_span_context().is_valid and not outer.get_span_context().trace_flags.sampled
        with tracer.start_as_current_span("inner") as inner:
            assert inner.get_span_context().trace_id == outer.get_span_context().trace_id
    assert not seen.started


def test_record_only_spans_are_for_processors(seen, tmp_path):
    class Only(sdk.Sampler):
        def should_sample(self, parent_context, trace_id, name, kind=None, attributes=None, links=None, trace_state=None):
            decision = sdk.Decision.RECORD_ONLY if name == "only" else sdk.Decision.RECORD_AND_SAMPLE
            return sdk.SamplingResult(decision, {"sampler": name, **(attributes or {})}, trace.TraceState([("k", "v")]))

        def get_description(self):
            return "Only"

    def record():
        with sdk.TracerProvider(Only(), mmap_file=tmp_path / "ring.mmap", shutdown_on_exit=False) as provider:
            provider.add_span_processor(seen)
            tracer = provider.get_tracer("x")
            for name in ("only", "both"):
                with tracer.start_as_current_span(name, attributes={"own": 1}) as span:
                    assert span.is_recording() and span.context.trace_state == {"k": "v"}

    record()
    assert [dict(span.attributes) for span in seen.ended] == [{"sampler": "only", "own": 1}, {"sampler": "both", "own": 1}]
    seen.started.clear()
    seen.ended.clear()
    assert rows_of(tmp_path / "ring.mmap")[0]["name"] == "both"


def test_limits_keep_what_came_first(tmp_path):
    def record():
        limits = sdk.SpanLimits(max_attributes=2, max_events=1, max_links=1, max_attribute_length=3)
        provider = sdk.TracerProvider(span_limits=limits, mmap_file=tmp_path / "ring.mmap", shutdown_on_exit=False)
        link = trace.Link(trace.SpanContext(1, 2, True), {"a": 1, "b": 2, "c": 3})
        with provider.get_tracer("x").start_as_current_span("x", attributes={"a": "12345", "b": ["12345"], "c": 1}, links=[link, link]) as span:
            span.set_attribute("d", 1)
            span.set_attribute("a", 2)
            span.add_event("kept", {"a": "12345", "b": 1, "c": 1})
            span.add_event("not kept")
            span.add_link(trace.SpanContext(1, 2, True))
        assert dict(span.attributes) == {"a": 2, "b": ("123",)}
        assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (2, 1, 2)
        (event,), (kept,) = span.events, span.links
        assert (event.name, dict(event.attributes), event.dropped_attributes, kept.dropped_attributes) == ("kept", {"a": "123", "b": 1}, 1, 1)
        provider.shutdown()

    record()
    (row,) = rows_of(tmp_path / "ring.mmap")
    assert (row["dropped_attributes_count"], row["dropped_events_count"], row["dropped_links_count"]) == (2, 1, 2)
    assert dict(row["attributes"]) == {"a": "2", "b": '["123"]'}
    assert row["events"][0]["dropped_attributes_count"] == 1 and row["links"][0]["dropped_attributes_count"] == 1


def test_limits_of_the_environment(monkeypatch):
    monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "7")
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "")
    monkeypatch.setenv("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "5")
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "11")
    limits = sdk.SpanLimits(max_links=sdk.SpanLimits.UNSET)
    assert (limits.max_span_attributes, limits.max_event_attributes, limits.max_link_attributes) == (None, 5, 7)
    assert (limits.max_links, limits.max_events, limits.max_attribute_length, limits.max_span_attribute_length) == (None, 128, 11, 11)
    monkeypatch.setenv("OTEL_SPAN_EVENT_COUNT_LIMIT", "many")
    with pytest.raises(OtlpConfigError, match="OTEL_SPAN_EVENT_COUNT_LIMIT is 'many'"):
        sdk.SpanLimits()
    monkeypatch.delenv("OTEL_SPAN_EVENT_COUNT_LIMIT")
    with pytest.raises(OtlpConfigError, match="max_links is -5"):
        sdk.SpanLimits(max_links=-5)


def test_id_generators_that_go_wrong(seen, caplog):
    class Wrong(sdk.IdGenerator):
        def generate_trace_id(self):
            return 0

        def generate_span_id(self):
            raise ValueError("no id")

    class Odd(Wrong):
        def generate_trace_id(self):
            return "text"

        def generate_span_id(self):
            return 2**64

    for generator in (Wrong(), Odd()):
        provider = sdk.TracerProvider(id_generator=generator, shutdown_on_exit=False)
        provider.add_span_processor(seen)
        span = provider.get_tracer("x").start_span("x")
        assert span.context.is_valid and span.context.trace_flags == trace.TraceFlags.SAMPLED
    assert "generate_trace_id" in caplog.text and "generate_span_id" in caplog.text


def test_ids_differ(tracer):
    contexts = [tracer.start_span("x").get_span_context() for _ in range(2000)]
    assert len({each.trace_id for each in contexts}) == len({each.span_id for each in contexts}) == 2000
    assert all(each.trace_flags == 3 for each in contexts)


# --- processors and exporters of the OpenTelemetry SDK ---


def test_stock_exporters_take_our_spans(provider, tracer):
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    memory = InMemorySpanExporter()
    batch = export.BatchSpanProcessor(memory)
    provider.add_span_processor(batch)
    console = io.StringIO()
    provider.add_span_processor(export.SimpleSpanProcessor(export.ConsoleSpanExporter(out=console)))
    with tracer.start_as_current_span("x", kind=SpanKind.CLIENT, attributes={"a": [1]}, links=[trace.Link(trace.SpanContext(1, 2, True))]) as span:
        span.add_event("e", {"b": 1})
    assert provider.force_flush()
    (finished,) = memory.get_finished_spans()
    assert finished is span and '"name": "x"' in console.getvalue()
    (encoded,) = encode_spans([span]).resource_spans[0].scope_spans[0].spans
    assert encoded.name == "x" and encoded.attributes[0].key == "a" and encoded.events[0].name == "e" and len(encoded.links) == 1
    assert span.instrumentation_info.name == "module"
    provider.shutdown()


def test_processor_sees_both_ends(tracer, seen):
    given = baggage.set_baggage("k", "v")
    with tracer.start_as_current_span("x", context=given):
        (span, parent_context), *_ = seen.started
        assert parent_context is given and span.is_recording() and not seen.ended
    assert seen.ended == [span]


def test_failing_processors_and_samplers_harm_nobody(provider, tracer, seen, caplog):
    class Failing:
        def on_start(self, span, parent_context=None):
            raise ValueError("start")

        def on_end(self, span):
            raise ValueError("end")

        def force_flush(self, timeout):
            raise ValueError("flush")

        def shutdown(self):
            raise ValueError("shutdown")

    provider.add_span_processor(Failing())
    last = Seen()
    provider.add_span_processor(last)
    with tracer.start_as_current_span("x"):
        pass
    assert len(last.started) == len(last.ended) == 1 and not provider.force_flush()
    assert "on_start of a span processor" in caplog.text and "ValueError: end" in caplog.text

    class FailingSampler(Failing):
        def should_sample(self, *arguments, **keywords):
            raise ValueError("sampler")

    other = sdk.TracerProvider(FailingSampler(), shutdown_on_exit=False)
    other.add_span_processor(seen)
    other.get_tracer("x").start_span("y").end()
    assert seen.ended[-1].name == "y" and "the sampler of a tracer provider" in caplog.text


def test_interrupts_get_through(provider, tracer):
    class Interrupting(Seen):
        def on_start(self, span, parent_context=None):
            raise KeyboardInterrupt

    provider.add_span_processor(Interrupting())
    with pytest.raises(KeyboardInterrupt):
        tracer.start_span("x")
    assert trace.get_current_span() is trace.INVALID_SPAN


# --- mistakes of programs ---


def test_hostile_attributes(tracer, seen, caplog):
    class Hostile:
        def __str__(self):
            raise RuntimeError("no text")

        def __hash__(self):
            raise RuntimeError("no hash")

        @property
        def __class__(self):
            raise RuntimeError("no class")

    class Keys(dict):
        def items(self):
            raise RuntimeError("no items")

    itself = []
    itself.append(itself)
    deep = value = []
    for _ in range(1000):
        value.append([])
        value = value[0]
    wide = []
    for _ in range(60):
        wide = [wide, wide]
    with tracer.start_as_current_span("x", attributes=5) as span:
        for number, hostile in enumerate([Hostile(), itself, deep, 10**5000, "\ud800", {Hostile: 1}, object(), float("nan"), "\x00"]):
            span.set_attribute(f"k{number}", hostile)
        span.set_attributes(Keys(a=1))
        span.set_attributes("text")
        span.set_attributes(None)
        span.add_event(Hostile(), Keys(a=1), timestamp="yesterday")
        span.update_name(Hostile())
        span.set_status("bad")
        span.add_link(5)
        span.record_exception(5)
    assert dict(span.attributes)["k1"] == ("<contains itself>",)
    assert seen.ended == [span] and span.status.status_code is StatusCode.UNSET
    assert tracer.start_span(None, kind=5, context=7, links=[5], start_time="now").is_recording()


def test_mistakes_are_told(tracer, caplog):
    span = tracer.start_span("x")
    span.end()
    for call in (span.end, lambda: span.set_attribute("a", 1), lambda: span.add_event("a")):
        caplog.clear()
        call()
        assert "has ended" in caplog.text and caplog.records[0].levelno == logging.WARNING
    assert not span.attributes and not span.events


def test_nothing_after_a_shutdown(tmp_path, caplog):
    def record():
        provider = sdk.TracerProvider(mmap_file=tmp_path / "ring.mmap", shutdown_on_exit=False)
        tracer = provider.get_tracer("x")
        with tracer.start_as_current_span("open") as span:
            provider.shutdown()
            provider.shutdown()
            span.set_attribute("late", 1)
            span.add_event("late")
            with tracer.start_as_current_span("later") as later:
                assert not later.is_recording() and later.get_span_context() == span.get_span_context()
                later.set_attribute("a", 1)
        assert provider.force_flush() and not tracer.start_span("x").is_recording()

    record()
    (row,) = rows_of(tmp_path / "ring.mmap")
    assert row["name"] == "open" and not row["events"]
    assert dict(row["attributes"]).keys() == {"otlp_arrow.incomplete", "otlp_arrow.last_seen_unix_nano"}


def test_arguments_of_the_provider(tmp_path):
    with pytest.raises(OtlpConfigError, match="sampler"):
        sdk.TracerProvider(sampler="always_on")
    with pytest.raises(OtlpConfigError, match="mmap_file and library"), OtlpLibrary(output_dir=tmp_path) as library:
        sdk.TracerProvider(mmap_file=tmp_path / "x", library=library)
    for rate in (-0.1, 1.1, float("nan"), "1"):
        with pytest.raises(OtlpConfigError, match="rate"):
            sdk.TraceIdRatioBased(rate)


def test_disabled_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    provider = sdk.TracerProvider(mmap_file=tmp_path / "ring.mmap", shutdown_on_exit=False)
    assert isinstance(provider.get_tracer("x"), trace.NoOpTracer) and not (tmp_path / "ring.mmap").exists()
    assert provider.force_flush()


# --- memory and threads ---


def test_memory_is_given_back(tmp_path):
    provider = sdk.TracerProvider(recorder=sdk.Recorder.open_file(tmp_path / "ring.mmap", max_wait_millis=0), shutdown_on_exit=False)
    tracer = provider.get_tracer("x")

    class Value(str):
        pass

    def some(count):
        for number in range(count):
            with tracer.start_as_current_span("x", attributes={"a": Value("v"), "b": [1, number]}, links=[trace.Link(trace.SpanContext(1, 2, True))]) as span:
                span.set_attribute("c", {"d": number})
                span.add_event("e", {"f": number})
                span.set_status(StatusCode.ERROR, "text")
                assert span.context.is_valid and span.events and span.links and span.parent is None
                try:
                    with tracer.start_as_current_span("y"):
                        raise ValueError(number)
                except ValueError:
                    pass

    def blocks():
        import sys

        gc.collect()
        return sys.getallocatedblocks()

    some(2000)
    before = blocks()
    some(2000)
    assert blocks() - before < 200
    counters = provider.recorder.counters()
    assert counters["dropped"] > 0 and counters["invalid"] == 0


def test_threads_have_their_own_current_span(provider, tracer, seen):
    def work():
        for _ in range(300):
            with tracer.start_as_current_span("outer") as outer:
                with tracer.start_as_current_span("inner") as inner:
                    assert inner.parent.span_id == outer.context.span_id
            assert trace.get_current_span() is trace.INVALID_SPAN

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen.ended) == 8 * 600


def test_a_full_ring_loses_and_counts(tmp_path):
    def record():
        recorder = sdk.Recorder.open_file(tmp_path / "ring.mmap", spans_slots=64, max_wait_millis=5)
        tracer = sdk.TracerProvider(recorder=recorder, shutdown_on_exit=False).get_tracer("x")
        for number in range(500):
            with tracer.start_as_current_span(f"span {number}") as span:
                span.set_attribute("n", number)
        return recorder.counters()["dropped"]

    assert record() == 3 * 500 - 64
    assert 0 < len(rows_of(tmp_path / "ring.mmap")) <= 22


def test_contexts_that_somebody_keeps_stay_as_they_are():
    """The native code uses a context again where nobody has it any more."""
    tracer = sdk.TracerProvider(resource={}, shutdown_on_exit=False).get_tracer("x")
    kept = []

    def below(depth):
        with tracer.start_as_current_span("x") as span:
            here = context.get_current()
            if depth % 3 == 0:
                kept.append((here, span))
            elif depth % 3 == 1:
                kept.append((contextvars.copy_context(), span))
            if depth < 9:
                below(depth + 1)
            assert trace.get_current_span() is span and trace.get_current_span(here) is span

    async def task():
        with tracer.start_as_current_span("task") as span:
            await asyncio.sleep(0)
            await asyncio.gather(inner(span), inner(span))
            assert trace.get_current_span() is span

    async def inner(parent):
        with tracer.start_as_current_span("inner") as span:
            await asyncio.sleep(0)
            assert trace.get_current_span() is span and span.parent.span_id == parent.context.span_id

    async def tasks():
        await asyncio.gather(*(task() for _ in range(100)))

    for _ in range(30):
        below(0)
    asyncio.run(tasks())
    for place, span in kept:
        assert (trace.get_current_span(place) if isinstance(place, context.Context) else place.run(trace.get_current_span)) is span
    assert context.get_current() == {}


# --- processes ---


def test_a_forked_child_has_its_own_ring(tmp_path):
    run(
        """
        import os, sys
        from opentelemetry import trace
        from otlp_arrow_library import sdk

        provider = sdk.TracerProvider(mmap_file=sys.argv[1] + "/ring-{pid}.mmap", resource={"service.name": "shop"})
        tracer = provider.get_tracer("x")
        with tracer.start_as_current_span("parent") as span:
            child = os.fork()
            if child == 0:
                span.set_attribute("in child", True)
                with tracer.start_as_current_span("child"):
                    pass
                span.end()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            span.set_attribute("in parent", True)
        """,
        tmp_path,
    )
    files = sorted(tmp_path.glob("ring-*.mmap"))
    assert len(files) == 2
    rows = [rows_of(file) for file in files][-1]  # both are collected into one place
    stored = {row["name"]: row for row in rows}
    assert len(rows) == 2
    assert stored.keys() == {"parent", "child"}
    assert stored["child"]["parent_span_id"] == stored["parent"]["span_id"] and stored["child"]["trace_id"] == stored["parent"]["trace_id"]
    assert dict(stored["parent"]["attributes"]) == {"in parent": "true"}


def test_a_killed_program_leaves_all_that_it_did(tmp_path):
    done = run(
        """
        import os, signal, sys
        from otlp_arrow_library import sdk

        tracer = sdk.TracerProvider(mmap_file=sys.argv[1]).get_tracer("x")
        with tracer.start_as_current_span("open", attributes={"a": 1}) as span:
            with tracer.start_as_current_span("ended"):
                span.set_attribute("b", 2)
                span.add_event("last words")
            os.kill(os.getpid(), signal.SIGKILL)
        """,
        tmp_path / "ring.mmap",
        check=False,
    )
    assert done.returncode == -9
    stored = {row["name"]: row for row in rows_of(tmp_path / "ring.mmap")}
    attributes = dict(stored["open"]["attributes"])
    assert (attributes["a"], attributes["b"], attributes["otlp_arrow.incomplete"]) == ("1", "2", "true")
    assert [event["name"] for event in stored["open"]["events"]] == ["last words"] and not stored["ended"]["attributes"]
