"""The native SDK's loggers and the handler for `logging`, beyond what the OpenTelemetry SDK stores alike."""

from __future__ import annotations

import logging
import threading

import pytest
from opentelemetry import _logs as api
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from collecting import collect, in_child, logs, pairs

import otlp_arrow_library
from otlp_arrow_library import OtlpConfigError, OtlpLibrary
from otlp_arrow_library.sdk import LoggerProvider, LoggingHandler, LogRecordLimits, Recorder, TracerProvider
from otlp_arrow_library.sdk._logging_handler import severity_of


@pytest.fixture
def file(tmp_path):
    return tmp_path / "program.mmap"


def provider_of(file, **options):
    return LoggerProvider({"service.name": "shop"}, shutdown_on_exit=False, mmap_file=file, **options)


def recorded(file, program, **options):
    """What `program(provider)` emits."""

    def record():
        provider = provider_of(file, **options)
        program(provider)
        provider.shutdown()

    in_child(record)
    return logs(collect(file))


def test_loggers_are_those_of_the_api(file):
    provider = provider_of(file)
    logger = provider.get_logger("shop", "1", attributes={"a": 1})
    assert isinstance(logger, api.Logger)
    assert logger is provider.get_logger("shop", "1", attributes={"a": 1})
    assert logger is not provider.get_logger("shop", "2")
    assert logger.enabled(severity_number=SeverityNumber.DEBUG)


def test_a_record_with_an_event_name_in_a_span_is_a_log_record(tmp_path, file):
    """And no event of the span, though neither severity nor body tell it."""

    def record():
        recorder = Recorder.open_file(file)
        logger = LoggerProvider(recorder=recorder, shutdown_on_exit=False).get_logger("l")
        tracer = TracerProvider(recorder=recorder, shutdown_on_exit=False).get_tracer("t")
        with tracer.start_as_current_span("span"):
            logger.emit(event_name="order.placed", attributes={"order": 7})

    in_child(record)
    store = collect(file)
    (span,) = store.traces().to_pyarrow().to_pylist()
    (row,) = logs(store)
    assert row["event_name"] == "order.placed"
    assert (row["trace_id"], row["span_id"]) == (span["trace_id"], span["span_id"])
    assert not span["events"]


def test_hostile_records_fail_no_program(file):
    class Hostile:
        def __str__(self):
            raise RuntimeError("no")

        def __getattr__(self, name):
            raise RuntimeError("no")

    class BadException(Exception):
        def __str__(self):
            raise RuntimeError("no")

    def program(provider):
        logger = provider.get_logger("l")
        logger.emit(Hostile())
        logger.emit(5)
        logger.emit(body=Hostile())
        logger.emit(body="time", timestamp="yesterday", observed_timestamp=-1, severity_number=99, severity_text=5, event_name=7)
        logger.emit(body="time", timestamp=2**70, severity_number="INFO", attributes=[1], context=7)
        logger.emit(body="exception", exception=BadException())
        logger.emit(body="exception", exception="none")
        with pytest.raises(TypeError):
            logger.emit(bodi="x")
        logger.emit(body="last")

    rows = recorded(file, program)
    assert rows[-1]["body"] == "last"
    assert sum(row["body"] == "time" for row in rows) == 2


@pytest.mark.parametrize("limits", [LogRecordLimits(2, 3), None])
def test_limits(limits, file, monkeypatch):
    if limits is None:
        monkeypatch.setenv("OTEL_ATTRIBUTE_COUNT_LIMIT", "2")
        monkeypatch.setenv("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3")

    def program(provider):
        provider.get_logger("l").emit(body="whole body", attributes={"a": "abcdef", "b": ["abcd"], "c": 1, "d": 2})

    (row,) = recorded(file, program, log_record_limits=limits)
    assert pairs(row["attributes"]) == {"a": "abc", "b": '["abc"]'}
    assert row["dropped_attributes_count"] == 2
    assert row["body"] == "whole body"


def test_the_opentelemetry_sdks_limits_are_taken(file):
    from opentelemetry.sdk._logs import LogRecordLimits as SdkLimits

    (row,) = recorded(
        file,
        lambda provider: provider.get_logger("l").emit(attributes={"a": 1, "b": 2}),
        log_record_limits=SdkLimits(max_log_record_attributes=1),
    )
    assert row["dropped_attributes_count"] == 1


@pytest.mark.parametrize("limits", ["none", 5])
def test_other_limits_are_refused(limits, file):
    with pytest.raises(OtlpConfigError):
        provider_of(file, log_record_limits=limits)
    with pytest.raises(OtlpConfigError):
        LogRecordLimits(-2)


def test_processors_see_and_change_records(file):
    class Redact:
        def on_emit(self, given):
            given.log_record.body = given.log_record.body.replace("secret", "***")
            given.log_record.attributes["resource"] = dict(given.resource.attributes)["service.name"]

        def shutdown(self):
            pass

        def force_flush(self, timeout_millis=0):
            return True

    class Broken(Redact):
        def on_emit(self, given):
            raise RuntimeError("no")

    def program(provider):
        logger = provider.get_logger("l")
        provider.add_log_record_processor(Broken())
        provider.add_log_record_processor(Redact())
        logger.emit(body="my secret")
        logger.emit(LogRecord(body="your secret", exception=ValueError("x")))
        assert provider.force_flush()

    rows = recorded(file, program)
    assert [row["body"] for row in rows] == ["my ***", "your ***"]
    assert all(pairs(row["attributes"])["resource"] == "shop" for row in rows)
    assert pairs(rows[1]["attributes"])["exception.type"] == "ValueError"


def test_processors_of_the_opentelemetry_sdk(file):
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

    exporter = InMemoryLogRecordExporter()

    provider = provider_of(file)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("l", "2").emit(body="both", attributes={"a": 1})
    (given,) = exporter.get_finished_logs()
    assert given.log_record.body == "both"
    assert given.instrumentation_scope.version == "2"
    assert given.resource.attributes["service.name"] == "shop"
    provider.shutdown()


def test_after_the_end_nothing_is_emitted_and_nothing_fails(file):
    def program(provider):
        logger = provider.get_logger("l")
        logger.emit(body="before")
        provider.shutdown()
        assert not logger.enabled()
        logger.emit(body="after")
        provider.get_logger("l").emit(body="after")
        assert provider.force_flush()

    assert [row["body"] for row in recorded(file, program)] == ["before"]


def test_a_full_ring_drops_and_counts(file):
    recorder = Recorder.open_file(file, events_slots=64, max_wait_millis=20)
    logger = LoggerProvider(recorder=recorder, shutdown_on_exit=False).get_logger("l")
    for _ in range(1064):
        logger.emit(body="text")
    assert recorder.counters()["dropped"] == 1000


def test_records_reach_a_library(directory):
    with OtlpLibrary(output_dir=directory) as library:
        provider = LoggerProvider(library=library, shutdown_on_exit=False)
        provider.get_logger("l").emit(body="stored")
        assert provider.force_flush()
        assert [row["body"] for row in logs(otlp_arrow_library.open(directory))] == ["stored"]
        provider.shutdown()


# --- logging ---


def logger_with(handler):
    logger = logging.Logger("shop", logging.DEBUG)
    logger.addHandler(handler)
    return logger


def test_the_levels_of_logging():
    from opentelemetry.instrumentation.log_utils import std_to_otel

    assert [severity_of(level) for level in range(-5, 70)] == [std_to_otel(level).value for level in range(-5, 70)]


def test_a_formatter_makes_the_body(file):
    def program(provider):
        handler = LoggingHandler(logger_provider=provider)
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        logger_with(handler).warning("%d left", 3)

    (row,) = recorded(file, program)
    assert row["body"] == "WARNING: 3 left"
    assert pairs(row["attributes"])["code.function.name"] == "program"


def test_code_attributes_can_be_left_away(file):
    def program(provider):
        logger_with(LoggingHandler(logger_provider=provider, log_code_attributes=False)).info("x", extra={"order": 7})

    (row,) = recorded(file, program)
    assert pairs(row["attributes"]) == {"order": "7"}


def test_levels_below_the_handlers_are_left_out(file):
    def program(provider):
        logger = logger_with(LoggingHandler(logging.WARNING, provider))
        logger.info("no")
        logger.error("yes")

    assert [row["body"] for row in recorded(file, program)] == ["yes"]


def test_what_the_sdk_itself_says_does_not_come_back_to_it(file):
    """A handler at the root, and an attribute that is warned of while it is recorded."""

    def program(provider):
        root = logging.getLogger()
        handler = LoggingHandler(logger_provider=provider)
        root.addHandler(handler)
        try:
            logging.getLogger("shop").warning("hello", extra={"odd": object(), "odder": {1: 2}})
        finally:
            root.removeHandler(handler)

    assert [row["body"] for row in recorded(file, program)] == ["hello"]


def test_a_message_that_cannot_be_formatted_fails_no_program(file, monkeypatch):
    monkeypatch.setattr(logging, "raiseExceptions", False)

    def program(provider):
        logger = logger_with(LoggingHandler(logger_provider=provider))
        logger.info("%d", "no number")
        logger.info("next")

    assert [row["body"] for row in recorded(file, program)] == ["next"]


def test_threads_lose_no_record(file):
    def program(provider):
        logger = logger_with(LoggingHandler(logger_provider=provider))
        threads = [threading.Thread(target=lambda: [logger.info("m") for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(recorded(file, program)) == 1600


def test_only_sampled_and_unsampled_flags_are_kept(file):
    def program(provider):
        for flags in (0, 1):
            span = NonRecordingSpan(SpanContext(1, 2, False, TraceFlags(flags)))
            provider.get_logger("l").emit(body="x", context=set_span_in_context(span))

    assert [row["flags"] for row in recorded(file, program)] == [0, 1]
