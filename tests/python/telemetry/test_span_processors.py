"""SimpleSpanProcessor and BatchSpanProcessor: what an exporter gets, and when."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time

import programs
import pytest
from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from otlp_arrow_library import OtlpConfigError
from otlp_arrow_library.telemetry import (
    BatchSpanProcessor,
    ExportResult,
    SimpleSpanProcessor,
    Span,
    SpanStatus,
    StatusCode,
    Timestamp,
    start_span,
)


class Exporter:
    """Keeps what it gets. Blocks while `gate` is closed; raises or fails where told to."""

    def __init__(self, result=ExportResult.SUCCESS):
        self.batches, self.result, self.is_shut_down, self.threads = [], result, False, []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def export(self, spans):
        self.entered.set()
        self.gate.wait()
        self.threads.append(threading.current_thread())
        self.batches.append(list(spans))
        if isinstance(self.result, Exception):
            raise self.result
        return self.result

    def shutdown(self):
        self.is_shut_down = True

    @property
    def names(self):
        return [span.name for batch in self.batches for span in batch]


def a_span(name="order"):
    return Span(trace_id="1" * 32, span_id="2" * 16, name=name)


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 s"
        time.sleep(0.002)


@pytest.fixture
def batch():
    """Makes processors that are shut down after the test."""
    made = []

    def make(*arguments, **options):
        made.append(BatchSpanProcessor(*arguments, **options))
        return made[-1]

    yield make
    for processor in made:
        if isinstance(processor.span_exporter, Exporter):
            processor.span_exporter.gate.set()
        processor.shutdown()


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
def test_with_a_provider(provided, kind):
    """An exporter of this API gets this API's spans, whatever SDK made them."""
    exporter = Exporter()
    processor = kind(exporter)
    provided.provider.add_span_processor(processor)
    with start_span("outer", {"a": 1}) as outer, start_span("inner") as inner:
        inner.add_event("event", {"b": 2})
        inner.set_status(StatusCode.ERROR, "bad")
    assert processor.force_flush(30_000) and exporter.names == ["inner", "outer"]
    got = exporter.batches[0][0]
    assert type(got) is Span and got.trace_id == outer.get_trace_id() and got.parent_span_id == outer.get_span_id()
    assert got.status == SpanStatus(StatusCode.ERROR, "bad") and isinstance(got.start_time, float) and got.duration >= 0
    assert [(event.name, event.attributes) for event in got.events] == [("event", {"b": 2})]
    assert processor.exported_spans == 2
    processor.shutdown()
    assert exporter.is_shut_down


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
def test_exporters_of_the_sdk_get_the_spans_as_they_are(provided, kind):
    kept = InMemorySpanExporter()
    processor = kind(kept)
    provided.provider.add_span_processor(processor)
    start_span("one").end()
    assert processor.force_flush()
    (span,) = kept.get_finished_spans()
    assert span.context.trace_id == span.get_span_context().trace_id and span.resource.attributes["service.name"]


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
def test_spans_that_are_sampled_out_are_not_exported(kind):
    exporter = Exporter()
    processor = kind(exporter)
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(processor)
    provider.get_tracer("t").start_span("out").end()
    processor.on_end("no span")
    processor.on_end(trace.INVALID_SPAN)
    processor.force_flush()
    provider.shutdown()
    assert exporter.batches == []


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
@pytest.mark.parametrize("result", [ExportResult.FAILURE, RuntimeError("no network"), None])
def test_exporters_that_fail(kind, result, caplog):
    exporter = Exporter(result)
    processor = kind(exporter)
    processor.on_start(a_span())
    processor.on_end(a_span())
    assert processor.force_flush()
    failed = result is not None
    assert (processor.failed_spans, processor.exported_spans) == (int(failed), int(not failed))
    assert ("no network" in caplog.text) == isinstance(result, Exception)
    exporter.shutdown = lambda: 1 / 0
    processor.shutdown()
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
def test_nothing_after_shutdown(kind):
    exporter = Exporter()
    processor = kind(exporter)
    processor.shutdown()
    processor.on_end(a_span())
    processor.shutdown()
    assert processor.force_flush() and exporter.batches == [] and exporter.is_shut_down


@pytest.mark.parametrize("kind", [SimpleSpanProcessor, BatchSpanProcessor])
def test_instrumentations_are_suppressed_during_an_export(kind):
    seen = []

    class Looks(Exporter):
        def export(self, spans):
            seen.append(context_api.get_value(context_api._SUPPRESS_INSTRUMENTATION_KEY))
            return super().export(spans)

    processor = kind(Looks())
    processor.on_end(a_span())
    processor.force_flush()
    processor.shutdown()
    assert seen == [True] and context_api.get_value(context_api._SUPPRESS_INSTRUMENTATION_KEY) is None


def test_batches_by_size(batch):
    exporter = Exporter()
    processor = batch(exporter, max_export_batch_size=10, schedule_delay_millis=3_600_000)
    for number in range(25):
        processor.on_end(a_span(str(number)))
    wait_for(lambda: len(exporter.batches) == 2)
    assert processor.queued_spans == 5
    assert processor.force_flush(30_000) and [len(spans) for spans in exporter.batches] == [10, 10, 5]
    assert exporter.names == [str(number) for number in range(25)]
    assert len(set(exporter.threads)) == 1 and exporter.threads[0].daemon and exporter.threads[0] is not threading.current_thread()


def test_batches_by_time(batch):
    exporter = Exporter()
    processor = batch(exporter, schedule_delay_millis=20)
    for number in range(3):
        processor.on_end(a_span(str(number)))
        wait_for(lambda count=number: len(exporter.names) == count + 1)
    assert processor.exported_spans == 3


def test_a_full_queue_drops_and_counts(batch, caplog):
    exporter = Exporter()
    exporter.gate.clear()
    processor = batch(exporter, max_queue_size=5, max_export_batch_size=1, schedule_delay_millis=0)
    processor.on_end(a_span("under way"))
    exporter.entered.wait(30)
    for number in range(8):
        processor.on_end(a_span(str(number)))
    assert processor.queued_spans == 5 and processor.dropped_spans == 3 and "max_queue_size" in caplog.text
    exporter.gate.set()
    assert processor.force_flush(30_000) and exporter.names == ["under way", "0", "1", "2", "3", "4"]


def test_force_flush_gives_up_in_time(batch):
    exporter = Exporter()
    exporter.gate.clear()
    processor = batch(exporter)
    processor.on_end(a_span())
    assert processor.force_flush(20) is False and processor.force_flush(0) is False
    exporter.gate.set()
    assert processor.force_flush(30_000) is True


def test_force_flush_waits_for_what_had_ended_alone(batch):
    exporter = Exporter()
    processor = batch(exporter, schedule_delay_millis=3_600_000)
    assert processor.force_flush() and exporter.batches == []
    processor.on_end(a_span("first"))
    assert processor.force_flush() and exporter.names == ["first"]
    processor.on_end(a_span("second"))
    assert processor.queued_spans == 1 and exporter.names == ["first"]


def test_force_flush_asks_the_exporter(batch):
    exporter = Exporter()
    exporter.force_flush = lambda timeout: False
    assert batch(exporter).force_flush() is False
    exporter.force_flush = lambda timeout: 1 / 0
    assert batch(exporter).force_flush() is False


def test_shutdown_exports_what_waits(batch):
    exporter = Exporter()
    processor = batch(exporter, schedule_delay_millis=3_600_000, max_export_batch_size=4)
    for number in range(10):
        processor.on_end(a_span(str(number)))
    processor.shutdown()
    assert len(exporter.names) == 10 and exporter.is_shut_down and processor.dropped_spans == 0


def test_shutdown_does_not_wait_for_an_exporter_that_hangs(batch):
    exporter = Exporter()
    exporter.gate.clear()
    processor = batch(exporter, schedule_delay_millis=0, max_export_batch_size=1, export_timeout_millis=20)
    processor.on_end(a_span("under way"))
    exporter.entered.wait(30)
    processor.on_end(a_span("waits"))
    processor.shutdown()
    assert processor.dropped_spans == 1 and exporter.is_shut_down


def test_many_threads_lose_nothing(batch):
    exporter = Exporter()
    processor = batch(exporter, max_queue_size=100_000, schedule_delay_millis=1)

    def work():
        for _ in range(2000):
            processor.on_end(a_span())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert processor.force_flush(60_000) and len(exporter.names) == processor.exported_spans == 16_000


def test_an_exporter_that_makes_spans_itself(batch):
    class Makes(Exporter):
        def export(self, spans):
            if len(self.batches) < 3:
                processor.on_end(a_span("more"))
            processor.force_flush(1)  # of the very thread that exports
            return super().export(spans)

    exporter = Makes()
    processor = batch(exporter)
    processor.on_end(a_span("first"))
    wait_for(lambda: processor.force_flush(1000) and len(exporter.names) == 4)


def test_a_forked_child_has_a_thread_and_a_queue_of_its_own(batch):
    exporter = Exporter()
    exporter.gate.clear()
    processor = batch(exporter, schedule_delay_millis=3_600_000, max_export_batch_size=2)
    processor.on_end(a_span("one"))
    processor.on_end(a_span("two"))
    exporter.entered.wait(30)  # the lock is taken and let go by another thread all the time
    processor.on_end(a_span("the parent's"))
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        exporter.gate = threading.Event()
        exporter.gate.set()
        before = len(exporter.names)
        processor.on_end(a_span("the child's"))
        good = processor.force_flush(20_000) and exporter.names[before:] == ["the child's"]
        processor.shutdown()
        os._exit(0 if good and exporter.is_shut_down else 1)
    _, status = os.waitpid(child, 0)
    exporter.gate.set()
    assert status == 0 and processor.force_flush(30_000) and exporter.names == ["one", "two", "the parent's"]


def test_the_interpreters_end_does_not_wait_for_it():
    """Neither for a processor that nobody shuts down, nor, longer than it says, for an exporter that hangs."""
    program = """
        import atexit, sys, threading
        from otlp_arrow_library.telemetry import BatchSpanProcessor, Span
        exporting = threading.Event()
        class Hangs:
            def export(self, spans):
                print("exporting", flush=True)
                exporting.set()
                threading.Event().wait()
            def shutdown(self):
                print("shut down", flush=True)
        processor = BatchSpanProcessor(Hangs(), schedule_delay_millis=0, export_timeout_millis=100)
        processor.on_end(Span(trace_id="1" * 32, span_id="2" * 16))
        if sys.argv[1] == "shutdown":
            atexit.register(processor.shutdown)
        exporting.wait()
    """
    assert "shut down" not in programs.run(program, "leave").stdout
    assert programs.run(program, "shutdown").stdout == "exporting\nshut down\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_queue_size": 0}, "max_queue_size: 0 is out of range"),
        ({"max_export_batch_size": "many"}, "max_export_batch_size: 'many'"),
        ({"schedule_delay_millis": -1}, "schedule_delay_millis: -1"),
        ({"max_queue_size": 10, "max_export_batch_size": 11}, "must not be larger than max_queue_size, 10"),
    ],
)
def test_settings_that_cannot_be(options, message):
    with pytest.raises(OtlpConfigError, match=message):
        BatchSpanProcessor(Exporter(), **options)
    with pytest.raises(OtlpConfigError, match="exporter is of type int"):
        SimpleSpanProcessor(7)


def test_settings_of_the_environment(batch, monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    processor = batch(Exporter())
    assert processor.max_queue_size == 100 and processor.max_export_batch_size == 100
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "soon")
    with pytest.raises(OtlpConfigError, match="OTEL_BSP_SCHEDULE_DELAY: 'soon'"):
        BatchSpanProcessor(Exporter())


def test_timestamps_remember_nanoseconds():
    nanoseconds = 1_700_000_000_123_456_789
    moment = Timestamp.of_nano(nanoseconds)
    assert isinstance(moment, float) and abs(moment - 1_700_000_000.123456789) < 1e-6
    assert pickle.loads(pickle.dumps(moment)).nanoseconds == nanoseconds
    span = Span("1" * 32, "2" * 16, start_time=moment, end_time=Timestamp.of_nano(nanoseconds + 5))
    assert span.duration == 5e-9 and Span("1" * 32, "2" * 16).duration is None and Span.of(span) is span
