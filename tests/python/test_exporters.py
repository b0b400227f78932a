"""The exporters and the metric reader with the SDK's own processors and readers."""

from __future__ import annotations

import gc
import logging
import math
import subprocess
import sys
import threading
import time
import weakref
from typing import Any

import pytest
import stored
from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, LogRecordExportResult, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableGauge, UpDownCounter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    PeriodicExportingMetricReader,
)
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, LastValueAggregation
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanContext
from random_sdk import SdkRandom

CUMULATIVE, DELTA = AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA
LOGGER = "otlp_arrow_library"


def span(name: str = "s", span_id: int = 2, **fields: Any) -> ReadableSpan:
    return ReadableSpan(name, SpanContext(1, span_id, False), start_time=1, end_time=2, **fields)


def bad_span() -> ReadableSpan:
    return span("bad", parent=5)


@pytest.fixture(autouse=True)
def messages(caplog):
    caplog.set_level(logging.INFO, logger=LOGGER)
    return lambda: [record.getMessage() for record in caplog.records if record.name == LOGGER]


# --- set-ups of under five lines ---


@pytest.mark.parametrize("processor", [BatchSpanProcessor, SimpleSpanProcessor])
def test_spans_through_a_processor(library, directory, processor):
    provider = TracerProvider()
    provider.add_span_processor(processor(library.span_exporter()))
    with provider.get_tracer("t").start_as_current_span("outer"), provider.get_tracer("t").start_as_current_span("inner"):
        pass
    provider.shutdown()
    assert stored.names(directory) == ["inner", "outer"] and not library.is_shut_down


def test_metrics_through_a_periodic_reader(library, directory):
    provider = MeterProvider(metric_readers=[PeriodicExportingMetricReader(library.metric_exporter(), export_interval_millis=20)])
    provider.get_meter("m").create_counter("hits").add(3)
    deadline = time.monotonic() + 20
    while library.stats().metrics.received < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    provider.shutdown()
    assert set(stored.names(directory, "metrics")) == {"hits"} and not library.is_shut_down
    assert set(stored.table(directory, "metrics")["aggregation_temporality"].to_pylist()) == {"CUMULATIVE"}


@pytest.mark.parametrize("processor", [BatchLogRecordProcessor, SimpleLogRecordProcessor])
def test_logs_through_a_processor(library, directory, processor):
    provider = LoggerProvider()
    provider.add_log_record_processor(processor(library.log_exporter()))
    provider.get_logger("l").emit(LogRecord(timestamp=1, severity_number=SeverityNumber.INFO, body="hello"))
    provider.shutdown()
    assert stored.names(directory, "logs") == ["hello"] and not library.is_shut_down


def test_metrics_through_the_pull_reader(library, directory):
    reader = library.metric_reader()
    provider = MeterProvider(metric_readers=[reader])
    counter = provider.get_meter("m").create_counter("pulled")
    counter.add(1)
    reader.collect()
    assert library.stats().metrics.received == 1
    counter.add(1)
    assert provider.force_flush()
    assert stored.names(directory, "metrics") == ["pulled"] * 2
    counter.add(1)
    provider.shutdown()  # collects the last time
    assert sorted(stored.table(directory, "metrics")["value_int"].to_pylist()) == [1, 2, 3]
    assert not library.is_shut_down


def test_they_are_what_the_sdk_wants(library):
    assert isinstance(library.span_exporter(), SpanExporter)
    assert isinstance(library.metric_exporter(), MetricExporter)
    assert isinstance(library.log_exporter(), LogRecordExporter)
    assert isinstance(library.metric_reader(), MetricReader)
    for made in (library.span_exporter(), library.metric_exporter(), library.log_exporter(), library.metric_reader()):
        assert made.library is library and type(made).__name__ in repr(made)


def test_their_classes_are_the_packages():
    import otlp_arrow_library as package

    for name in ("OtlpSpanExporter", "OtlpMetricExporter", "OtlpLogExporter", "OtlpMetricReader"):
        assert getattr(package, name).__name__ == name and name in dir(package)


# --- temporality and aggregation ---


def test_temporality_is_cumulative_by_default(library):
    for made in (library.metric_exporter(), library.metric_reader()):
        assert set(made.preferred_temporality.values()) == {CUMULATIVE}


@pytest.mark.parametrize(
    ("preferred", "counter", "up_down", "gauge"),
    [
        ("delta", DELTA, CUMULATIVE, CUMULATIVE),
        ("DELTA", DELTA, CUMULATIVE, CUMULATIVE),
        (AggregationTemporality.DELTA, DELTA, CUMULATIVE, CUMULATIVE),
        ("lowmemory", DELTA, CUMULATIVE, CUMULATIVE),
        ("cumulative", CUMULATIVE, CUMULATIVE, CUMULATIVE),
        ({Counter: DELTA}, DELTA, CUMULATIVE, CUMULATIVE),
        ({UpDownCounter: DELTA}, CUMULATIVE, DELTA, CUMULATIVE),
    ],
)
def test_temporality_by_preference(library, preferred, counter, up_down, gauge):
    for made in (library.metric_exporter(preferred), library.metric_reader(preferred_temporality=preferred)):
        chosen = made.preferred_temporality
        assert (chosen[Counter], chosen[UpDownCounter], chosen[ObservableGauge]) == (counter, up_down, gauge)


def test_deltas_are_stored_as_such(library, directory):
    reader = library.metric_reader("delta")
    counter = MeterProvider(metric_readers=[reader]).get_meter("m").create_counter("c")
    for amount in (5, 7):
        counter.add(amount)
        reader.collect()
    library.flush()
    table = stored.table(directory, "metrics")
    assert sorted(table["value_int"].to_pylist()) == [5, 7]
    assert set(table["aggregation_temporality"].to_pylist()) == {"DELTA"}


def test_aggregation_by_preference(library, directory):
    reader = library.metric_reader(
        preferred_aggregation={Histogram: ExponentialBucketHistogramAggregation(), Counter: LastValueAggregation()}
    )
    meter = MeterProvider(metric_readers=[reader]).get_meter("m")
    meter.create_histogram("h").record(2.5)
    meter.create_counter("c").add(4)
    reader.collect()
    library.flush()
    table = stored.table(directory, "metrics").to_pydict()
    assert dict(zip(table["metric_name"], table["metric_type"])) == {"h": "EXPONENTIAL_HISTOGRAM", "c": "GAUGE"}


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"preferred_temporality": "detla"}, "'detla'"),
        ({"preferred_temporality": 5}, "5"),
        ({"preferred_temporality": {int: DELTA}}, "Counter"),
        ({"preferred_temporality": {Counter: "delta"}}, "Counter"),
        ({"preferred_aggregation": 5}, "mapping"),
        ({"preferred_aggregation": {Counter: 5}}, "Aggregation"),
        ({"preferred_aggregation": {str: LastValueAggregation()}}, "Histogram"),
    ],
)
def test_wrong_preferences_are_refused(library, settings, word):
    from otlp_arrow_library import OtlpConfigError

    for make in (library.metric_exporter, library.metric_reader):
        with pytest.raises(OtlpConfigError, match=word):
            make(**settings)


def test_wrong_library_is_refused():
    from otlp_arrow_library import OtlpConfigError
    from otlp_arrow_library._exporters import OtlpLogExporter, OtlpMetricExporter, OtlpMetricReader, OtlpSpanExporter

    for kind in (OtlpLogExporter, OtlpMetricExporter, OtlpMetricReader, OtlpSpanExporter):
        with pytest.raises(OtlpConfigError, match="OtlpLibrary"):
            kind("directory")


# --- ends ---


def exports(library: Any) -> list[tuple[Any, Any, Any, Any]]:
    """(exporter, data, success, failure) of each kind."""
    make = SdkRandom(1)
    metrics = MetricsData([make.resource_metrics(make.resources[0], [s for s in make.scopes if s])])
    return [
        (library.span_exporter(), [span()], SpanExportResult.SUCCESS, SpanExportResult.FAILURE),
        (library.log_exporter(), [{"body": "x"}], LogRecordExportResult.SUCCESS, LogRecordExportResult.FAILURE),
        (library.metric_exporter(), metrics, MetricExportResult.SUCCESS, MetricExportResult.FAILURE),
    ]


def test_shutdown_of_an_exporter_leaves_the_library_alive(library, messages):
    from otlp_arrow_library import OtlpShutdownError

    for exporter, data, success, failure in exports(library):
        assert exporter.export(data) is success
        exporter.shutdown()
        exporter.shutdown()
        assert exporter.export(data) is failure
        assert isinstance(exporter.last_error, OtlpShutdownError) and "this exporter" in str(exporter.last_error)
        assert not library.is_shut_down
    assert library.span_exporter().export([span()]) is SpanExportResult.SUCCESS  # others of the same library go on


def test_after_the_librarys_shutdown_exports_fail_and_say_so_once(library, messages):
    from otlp_arrow_library import OtlpShutdownError

    made = exports(library)
    library.shutdown()
    for exporter, data, _, failure in made + exports(library):  # made before and after
        before = len(messages())
        for _ in range(5):
            assert exporter.export(data) is failure
        [message] = messages()[before:]
        assert type(exporter).__name__ in message and "shut down" in message
        assert isinstance(exporter.last_error, OtlpShutdownError)
        assert exporter.force_flush() is False
        exporter.shutdown()


def test_metric_reader_after_the_librarys_shutdown(library, messages):
    reader = library.metric_reader()
    provider = MeterProvider(metric_readers=[reader])
    provider.get_meter("m").create_counter("c").add(1)
    library.shutdown()
    reader.collect()
    reader.collect()
    assert len(messages()) == 1 and "shut down" in str(reader.last_error)
    provider.shutdown()


def test_errors_keep_their_context(library, directory, messages):
    from otlp_arrow_library import OtlpExportError

    exporter = library.span_exporter()
    assert exporter.export([span("good", 3), bad_span(), span("good too", 4)]) is SpanExportResult.FAILURE
    assert isinstance(exporter.last_error, OtlpExportError) and "span 2 of 3" in exporter.last_error.message
    assert len(messages()) == 1 and "span 2 of 3" in messages()[0]
    library.flush()
    assert stored.names(directory) == ["good", "good too"]  # the bad one took no other with it
    assert exporter.export([span()]) is SpanExportResult.SUCCESS and exporter.last_error is None


def test_only_bad_items(library):
    exporter = library.log_exporter()
    assert exporter.export([5, None]) is LogRecordExportResult.FAILURE
    assert library.stats().logs.received == 0


@pytest.mark.parametrize("data", [None, 5, "x", object(), [object()]])
def test_what_the_sdk_never_passes(library, data, messages):
    for exporter, _, _, failure in exports(library):
        assert exporter.export(data) is failure
        assert exporter.last_error is not None


def test_empty_batches_succeed(library):
    assert library.span_exporter().export([]) is SpanExportResult.SUCCESS
    assert library.log_exporter().export(()) is LogRecordExportResult.SUCCESS
    assert library.metric_exporter().export(MetricsData([])) is MetricExportResult.SUCCESS


def test_a_full_buffer_is_a_failure_that_may_pass(directory, messages):
    from otlp_arrow_library import OtlpLibrary

    big = [span("s", n + 1, attributes={"padding": "x" * 20_000}) for n in range(100)]
    with OtlpLibrary(output_dir=directory, memory_budget=1 << 20, admission_timeout_ms=0, write_interval_secs=3600) as library:
        exporter = library.span_exporter()
        results = {exporter.export(big) for _ in range(20)}
        assert SpanExportResult.FAILURE in results
        refused = sum(library.stats().traces.refused.values())
        assert refused and exporter.library.stats().traces.received == 2000
    assert 1 <= len(messages()) <= 2 and all("OtlpExportError" in message for message in messages())


def test_force_flush_makes_it_readable(library, directory):
    exporter = library.span_exporter()
    exporter.export([span("flushed")])
    assert exporter.force_flush(timeout_millis=20_000) is True
    assert stored.names(directory) == ["flushed"]


def test_force_flush_that_cannot_be_is_false(library, directory, messages):
    exporter = library.span_exporter()
    stored.break_store(directory)
    try:
        exporter.export([span()])
        assert exporter.force_flush(timeout_millis=200) is False
        assert exporter.last_error is not None
    finally:
        stored.mend_store(directory)


@pytest.mark.parametrize("timeout", [math.nan, "soon", -1])
def test_force_flush_with_a_timeout_that_is_none(library, timeout):
    assert library.span_exporter().force_flush(timeout) in (True, False)


# --- many at once, and collected ---


@pytest.mark.timeout(120)
def test_32_threads_share_an_exporter(library, directory):
    exporter = library.span_exporter()
    results: list[SpanExportResult] = []

    def work(thread: int) -> None:
        for i in range(20):
            results.append(exporter.export([span(f"{thread}-{i}-{k}", k + 1) for k in range(10)]))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    library.flush()
    assert set(results) == {SpanExportResult.SUCCESS}
    assert stored.names(directory) == sorted(f"{t}-{i}-{k}" for t in range(32) for i in range(20) for k in range(10))


def test_exporters_that_nobody_else_holds_go_on(directory):
    from otlp_arrow_library import OtlpLibrary

    library = OtlpLibrary(output_dir=directory, write_interval_secs=3600)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(library.span_exporter()))
    alive = weakref.ref(library)
    del library
    gc.collect()
    provider.get_tracer("t").start_span("after").end()
    gc.collect()
    assert alive() is not None
    provider.shutdown()
    assert stored.names(directory) == ["after"]
    alive().shutdown()


@pytest.mark.timeout(60)
def test_exporters_that_are_collected_while_they_export(library, directory):
    """Each is dropped by everybody but the call that runs in it."""
    made = 200
    batch = [span("s", n + 1) for n in range(50)]
    stop = threading.Event()

    def collect() -> None:
        while not stop.is_set():
            gc.collect()

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        for _ in range(made):
            assert library.span_exporter().export(batch) is SpanExportResult.SUCCESS
    finally:
        stop.set()
        collector.join()
    assert library.stats().traces.received == made * len(batch)


def test_exporters_leave_nothing_behind(library):
    refs = [weakref.ref(library.span_exporter()) for _ in range(3)]
    gc.collect()
    assert [ref() for ref in refs] == [None] * 3


# --- collecting from a provider, the API's module, a reader ---


def test_export_metrics_of_a_provider_and_a_reader(library, directory):
    reader = library.metric_reader()
    provider = MeterProvider(metric_readers=[InMemoryMetricReader(), reader])
    provider.get_meter("m").create_counter("c").add(1)
    library.export_metrics(provider)
    library.export_metrics(reader)
    library.export_metrics_ref(provider)
    assert library.stats().metrics.received == 3


def test_export_metrics_takes_nothing_from_other_exporters(library):
    """A delta that is collected for us would be missing elsewhere."""
    from otlp_arrow_library import OtlpExportError

    other = InMemoryMetricReader(preferred_temporality={Counter: DELTA})
    provider = MeterProvider(metric_readers=[other])
    provider.get_meter("m").create_counter("c").add(1)
    with pytest.raises(OtlpExportError, match=r"library.metric_reader\(\)"):
        library.export_metrics(provider)
    assert other.get_metrics_data() is not None


def test_export_metrics_of_a_provider_without_readers(library):
    from otlp_arrow_library import OtlpExportError

    with pytest.raises(OtlpExportError, match=r"metric_readers=\[library.metric_reader\(\)\]"):
        library.export_metrics(MeterProvider())
    with pytest.raises(OtlpExportError, match="belongs to no MeterProvider"):
        library.export_metrics(InMemoryMetricReader())


def test_export_metrics_of_a_reader_that_was_added_later(library):
    provider = MeterProvider()
    if not hasattr(provider, "add_metric_reader"):
        pytest.skip("this SDK adds no readers")
    reader = library.metric_reader()
    provider.add_metric_reader(reader)
    provider.get_meter("m").create_counter("c").add(1)
    library.export_metrics(provider)
    assert library.stats().metrics.received == 1
    provider.shutdown()


MODULE_PROGRAM = """
import sys
from opentelemetry import metrics, trace
from otlp_arrow_library import OtlpLibrary
library = OtlpLibrary(output_dir=sys.argv[1])
library.export_metrics(metrics)  # nothing is set up: nothing to record
with trace.get_tracer("t").start_as_current_span("none") as span:
    library.export_trace(span)
assert library.stats().metrics.received == library.stats().traces.received == 0

from opentelemetry.sdk.metrics import MeterProvider
metrics.set_meter_provider(MeterProvider(metric_readers=[library.metric_reader()]))
metrics.get_meter(__name__).create_counter("my_counter").add(10)
library.export_metrics(metrics)
assert library.stats().metrics.received == 1
"""


def test_export_metrics_of_the_api_module(directory):
    """In a program of its own: global providers can be set once."""
    run = subprocess.run([sys.executable, "-c", MODULE_PROGRAM, directory], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    assert run.stderr.count("no OpenTelemetry SDK is set up") == 2  # once for metrics, once for spans
    assert stored.names(directory, "metrics").count("my_counter") >= 1


def test_a_callback_that_raises_costs_its_own_metric_only(library):
    def broken(options):
        raise RuntimeError("sensor is off")

    reader = library.metric_reader()
    meter = MeterProvider(metric_readers=[reader]).get_meter("m")
    meter.create_observable_gauge("broken", [broken])
    meter.create_counter("fine").add(1)
    library.export_metrics(reader)
    assert library.stats().metrics.received == 1


def test_api_modules_are_told_apart(library):
    from otlp_arrow_library import OtlpExportError

    with pytest.raises(OtlpExportError, match="module"):
        library.export_metrics(trace_api)
    assert metrics_api.get_meter_provider() is not None
