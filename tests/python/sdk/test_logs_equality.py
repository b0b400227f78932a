"""One program over the OpenTelemetry SDK with our exporter and over the native SDK: the same log records but for times."""

from __future__ import annotations

import logging
import random

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk import _logs as stock
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context, use_span

from collecting import collect, in_child, logs

import otlp_arrow_library
from otlp_arrow_library import OtlpLibrary
from otlp_arrow_library.sdk import LoggerProvider, LoggingHandler

RESOURCE = Resource({"service.name": "shop"}, "https://example.org/1")
IN_SPAN = set_span_in_context(NonRecordingSpan(SpanContext(0xABC, 0xDEF, False, TraceFlags(1))))
TIME = 1_700_000_000_000_000_000


def fields(logger):
    times = {"timestamp": TIME, "observed_timestamp": TIME + 1}
    logger.emit(body="text", **times, severity_number=SeverityNumber.WARN2, severity_text="WARN", attributes={"a": 1, "b": "x"})
    logger.emit(LogRecord(timestamp=TIME, observed_timestamp=TIME, context=IN_SPAN, body="a record", severity_number=SeverityNumber.FATAL))
    logger.emit(observed_timestamp=TIME, body="in a span", context=IN_SPAN, event_name="order.placed", attributes={"order": 7})
    logger.emit(observed_timestamp=TIME, context=IN_SPAN, event_name="without a body", attributes={"order": 8})
    with use_span(NonRecordingSpan(SpanContext(1, 2, True, TraceFlags(0)))):
        logger.emit(observed_timestamp=TIME, body="in the current span")
        logger.emit(observed_timestamp=TIME, body="of none", context=Context({"unrelated": 1}))
    logger.emit(observed_timestamp=TIME)


def bodies(logger):
    for body in (None, "", "é\U0001f600", 1, -(2**63), True, 1.5, b"\x00\xff", [1, "two", [3.0]], {"k": {"nested": [None, 1]}}, "x" * 100_000):
        logger.emit(observed_timestamp=TIME, body=body)


def attributes(logger):
    several = {"": 1, "text": "é", "list": ["a", "b"], "map": {"k": 1}, "none": None, "bytes": b"\x01", "huge": 2**70}
    logger.emit(observed_timestamp=TIME, attributes=several)
    logger.emit(observed_timestamp=TIME, attributes={f"key {number}": number for number in range(100)})
    logger.emit(observed_timestamp=TIME, attributes={"long": "y" * 50_000})


def exceptions(logger):
    class Custom(Exception):
        pass

    for kind in (ValueError, Custom):
        try:
            raise kind("went wrong")
        except Exception as error:
            logger.emit(observed_timestamp=TIME, body="failed", exception=error, attributes={"exception.message": "ours", "b": 2})
            logger.emit(LogRecord(observed_timestamp=TIME, body="failed", exception=error))


def randomly(seed):
    def program(logger):
        generator = random.Random(seed)
        for _ in range(100):
            keys = generator.sample(["a", "b", "c", "é"], generator.randrange(4))
            logger.emit(
                timestamp=generator.choice([None, TIME]),
                observed_timestamp=TIME,
                severity_number=generator.choice([None, *SeverityNumber]),
                severity_text=generator.choice([None, "INFO", "ü"]),
                body=generator.choice([None, "text", 5, [1, 2], {"k": "v"}]),
                context=generator.choice([None, IN_SPAN]),
                event_name=generator.choice([None, "event"]),
                attributes={key: generator.choice([1, "x", 2.5, False, [1]]) for key in keys} or None,
            )

    return program


def run_stock(program, directory):
    with OtlpLibrary(output_dir=directory) as library:
        provider = stock.LoggerProvider(RESOURCE, shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(library.log_exporter()))
        program(provider.get_logger("scope", "1.2", "https://example.org/2"))
        provider.shutdown()
    return otlp_arrow_library.open(directory).logs().to_pyarrow().to_pylist()


def run_native(program, file):
    def record():
        provider = LoggerProvider(mmap_file=file, resource=RESOURCE, shutdown_on_exit=False)
        program(provider.get_logger("scope", "1.2", "https://example.org/2"))
        provider.shutdown()

    in_child(record)
    return logs(collect(file))


def assert_same(program, tmp_path):
    expected = run_stock(program, tmp_path / "stock")
    got = run_native(program, tmp_path / "program.mmap")
    assert len(got) == len(expected)
    for mine, theirs in zip(map(normal, got), map(normal, expected)):
        assert mine == theirs


def normal(row):
    """What may differ: the order of attributes; no body is an empty value with the exporter."""
    row = dict(row)
    types = row["attributes_types"] or "s" * len(row["attributes"])
    row["attributes"] = sorted(zip(row["attributes"], types))
    row["attributes_types"] = None
    row["body_type"] = None if row["body_type"] == "EMPTY" else row["body_type"]
    return row


@pytest.mark.parametrize("program", [fields, bodies, attributes, exceptions], ids=lambda program: program.__name__)
def test_records(program, tmp_path):
    assert_same(program, tmp_path)


@pytest.mark.parametrize("seed", range(3))
def test_random_programs(seed, tmp_path):
    assert_same(randomly(seed), tmp_path)


def through_logging(handler):
    """What an application logs, into a logger of its own."""
    logger = logging.Logger("shop.orders", logging.DEBUG)
    logger.addHandler(handler)
    logger.debug("plain")
    logger.info("with %s and %d", "arguments", 2)
    logger.warning({"a": "dictionary"})
    logger.log(35, "between the levels", extra={"order": 7, "list": [1, 2]})
    logger.critical("named", extra={"otel.event.name": "order.lost"})
    try:
        raise KeyError("missing")
    except KeyError:
        logger.exception("failed")
    with use_span(NonRecordingSpan(SpanContext(3, 4, True, TraceFlags(1)))):
        logger.error("in a span")


def comparable(row):
    return {key: value for key, value in row.items() if key not in ("time", "observed_time", "time_unix_nano", "observed_time_unix_nano")}


def test_what_is_logged_is_as_with_the_instrumentations_handler(tmp_path):
    """The instrumentation's handler over the OpenTelemetry SDK; bodies that are no text stay what they are with ours."""
    from opentelemetry.instrumentation.logging.handler import LoggingHandler as TheirHandler

    with OtlpLibrary(output_dir=tmp_path / "stock") as library:
        provider = stock.LoggerProvider(RESOURCE, shutdown_on_exit=False)
        provider.add_log_record_processor(SimpleLogRecordProcessor(library.log_exporter()))
        through_logging(TheirHandler(logger_provider=provider, log_code_attributes=True))
        provider.shutdown()
    expected = [comparable(normal(row)) for row in otlp_arrow_library.open(tmp_path / "stock").logs().to_pyarrow().to_pylist()]

    def record():
        provider = LoggerProvider(mmap_file=tmp_path / "program.mmap", resource=RESOURCE, shutdown_on_exit=False)
        through_logging(LoggingHandler(logger_provider=provider))
        provider.shutdown()

    in_child(record)
    got = [comparable(normal(row)) for row in logs(collect(tmp_path / "program.mmap"))]
    assert len(got) == len(expected) == 7
    for mine, theirs in zip(got, expected):
        different = {key for key in mine if mine[key] != theirs[key]}
        assert different <= ({"body", "body_type", "body_json"} if mine["severity_text"] == "WARN" else set()), (mine, theirs)
