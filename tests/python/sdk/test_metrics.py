"""The native SDK's meters: instruments, views, observables, and what must never fail a program."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time

import pytest
from opentelemetry import metrics as api
from opentelemetry.metrics import Observation

from collecting import collect, in_child, metrics, pairs

import otlp_arrow_library
from otlp_arrow_library import OtlpConfigError, OtlpLibrary
from otlp_arrow_library.sdk import (
    ALWAYS_OFF,
    DropAggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    MeterProvider,
    Recorder,
    TracerProvider,
    View,
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "program.mmap"


def provider_of(file, **options):
    return MeterProvider(mmap_file=file, resource={"service.name": "shop"}, shutdown_on_exit=False, **options)


def recorded(file, program, **options):
    """Rows by metric name and attributes: what `program(meter)` measures."""

    def record():
        provider = provider_of(file, **options)
        program(provider.get_meter("test"))
        provider.shutdown()

    in_child(record)
    return by_name(metrics(collect(file)))


def by_name(rows):
    return {(row["metric_name"], *sorted(pairs(row["attributes"]).items())): row for row in rows}


def wait_for(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


# --- instruments ---


def test_instruments_are_those_of_the_api(file):
    meter = provider_of(file).get_meter("test", "1.0", "https://example.org")
    assert isinstance(meter, api.Meter)
    assert (meter.name, meter.version, meter.schema_url) == ("test", "1.0", "https://example.org")
    assert isinstance(meter.create_counter("a"), api.Counter)
    assert isinstance(meter.create_up_down_counter("b"), api.UpDownCounter)
    assert isinstance(meter.create_histogram("c"), api.Histogram)
    assert isinstance(meter.create_observable_counter("e"), api.ObservableCounter)
    assert isinstance(meter.create_observable_up_down_counter("f"), api.ObservableUpDownCounter)
    assert isinstance(meter.create_observable_gauge("g"), api.ObservableGauge)
    assert not hasattr(meter.create_histogram("c"), "add")
    assert not hasattr(meter.create_counter("a"), "record")


def test_an_instrument_is_one_whatever_its_case(file):
    meter = provider_of(file).get_meter("test")
    assert meter.create_counter("Requests", "1") is meter.create_counter("requests", "1")
    assert meter.create_counter("requests", "1") is not meter.create_counter("requests", "s")


def test_meters_of_equal_scopes_are_one(file):
    provider = provider_of(file)
    assert provider.get_meter("a", "1", attributes={"x": 1}) is provider.get_meter("a", "1", attributes={"x": 1})
    assert provider.get_meter("a", "1", attributes={"x": 1}) is not provider.get_meter("a", "1", attributes={"x": 2})


@pytest.mark.parametrize(
    "arguments", [("",), (None,), (5,), ("a", 1.5), ("a", None, 7), ("a", "1", "", [1]), ("a", "1", "", {1: None, "": 2})], ids=repr
)
def test_odd_scopes_fail_no_program(arguments, file):
    provider_of(file).get_meter(*arguments).create_counter("c").add(1)


@pytest.mark.parametrize("name", ["", "1st", "with space", "ü", "x" * 256, None])
def test_an_instrument_without_a_proper_name_records_nothing(name, file, caplog):
    counter = provider_of(file).get_meter("test").create_counter(name)
    counter.add(1)
    assert isinstance(counter, api.NoOpCounter)
    assert "records nothing" in caplog.text


def test_two_instruments_that_make_one_metric_are_told_of(file, caplog):
    meter = provider_of(file).get_meter("test")
    meter.create_counter("size", "By")
    assert "makes a metric of the name" not in caplog.text
    meter.create_histogram("size", "By")
    assert "'size' (Histogram) makes a metric of the name 'size'" in caplog.text


def test_other_advised_boundaries_are_told_of(file, caplog):
    meter = provider_of(file).get_meter("test")
    meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1, 2])
    meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1, 3])
    assert "other advised boundaries" in caplog.text


def test_keywords_and_wrong_calls(file):
    def program(meter):
        counter = meter.create_counter("c")
        counter.add(amount=1, attributes={"a": 1}, context=None)
        counter.add(1, context=None, attributes={"a": 1})
        for call in (lambda: counter.add(), lambda: counter.add(1, {}, None, 4), lambda: counter.add(1, atributes={})):
            with pytest.raises(TypeError):
                call()

    assert recorded(file, program)["c", ("a", "1")]["value_int"] == 2


def test_what_is_no_number_is_left_out(file, caplog):
    class Hostile:
        def __float__(self):
            raise RuntimeError("no")

        def __index__(self):
            raise RuntimeError("no")

    def program(meter):
        counter = meter.create_up_down_counter("c")
        for amount in ("1", None, [], Hostile(), float("nan"), float("-inf"), object()):
            counter.add(amount)
        counter.add(5)

    assert recorded(file, program)["c",]["value_int"] == 5


def test_hostile_attributes_cost_no_measurement(file):
    class Hostile:
        def __str__(self):
            raise RuntimeError("no")

        def __hash__(self):
            raise RuntimeError("no")

        def __eq__(self, other):
            raise RuntimeError("no")

    class Items(dict):
        def items(self):
            raise RuntimeError("no")

    def program(meter):
        counter = meter.create_counter("c")
        nested = []
        nested.append(nested)
        for attributes in ({"a": Hostile()}, {1: 2}, {"a": nested}, Items(a=1), [("a", 1)], "text", 5, {"a": "\ud800"}, {"a": 2**80}):
            counter.add(1, attributes)

    assert sum(row["value_int"] for row in recorded(file, program).values()) == 9


def test_a_context_that_is_none_costs_no_measurement(file):
    def program(meter):
        for context in ({}, {"a": 1}, "context", 7, object()):
            meter.create_counter("c").add(1, context=context)

    assert recorded(file, program)["c",]["value_int"] == 5


def test_threads_lose_nothing(file):
    def program(meter):
        counter = meter.create_counter("c")
        threads = [threading.Thread(target=lambda: [counter.add(1, {"k": at % 7}) for at in range(1000)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sum(row["value_int"] for row in recorded(file, program).values()) == 8000


def test_a_full_ring_drops_and_counts_and_never_hangs(file):
    recorder = Recorder.open_file(file, measurements_slots=64, max_wait_millis=20)
    counter = MeterProvider(recorder=recorder, shutdown_on_exit=False).get_meter("test").create_counter("c")
    for _ in range(10_064):
        counter.add(1)
    assert recorder.counters()["dropped"] == 10_000


def test_memory_stays_flat(file):
    """10 million with OTLP_ARROW_LONG_TESTS; what finds no room is dropped, which costs memory neither."""
    recorder = Recorder.open_file(file, measurements_slots=1024, max_wait_millis=0)
    meter = MeterProvider(recorder=recorder, shutdown_on_exit=False).get_meter("test")
    counter, histogram = meter.create_counter("c"), meter.create_histogram("h")

    def some(count):
        for at in range(count):
            counter.add(1, {"a": at % 10, "b": "text", "c": [1, 2]})
            histogram.record(0.5, {"a": at % 10})

    some(20_000)
    gc.collect()
    before = resident()
    some(5_000_000 if os.environ.get("OTLP_ARROW_LONG_TESTS") else 200_000)
    assert resident() - before < 2 << 20


def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


# --- views ---


def test_a_views_cardinality_limit(file):
    def program(meter):
        counter = meter.create_counter("c")
        for at in range(10):
            counter.add(1, {"k": at})

    rows = recorded(file, program, views=[View(instrument_name="c", cardinality_limit=4)])
    assert len(rows) <= 5
    assert sum(row["value_int"] for row in rows.values()) == 10
    assert rows["c", ("otel.metric.overflow", "true")]["value_int"] >= 6


def test_two_views_of_one_instrument_are_two_metrics(file):
    views = [
        View(instrument_name="h", name="coarse", aggregation=ExplicitBucketHistogramAggregation([10])),
        View(instrument_name="h", name="fine", aggregation=ExponentialBucketHistogramAggregation(max_size=4, max_scale=2)),
        View(instrument_name="gone*", aggregation=DropAggregation()),
    ]

    def program(meter):
        for value in (1, 20, 300):
            meter.create_histogram("h").record(value, {"a": 1})
        meter.create_counter("gone.away").add(1)

    rows = recorded(file, program, views=views)
    assert rows["coarse", ("a", "1")]["bucket_counts"] == [1, 2]
    assert rows["fine", ("a", "1")]["metric_type"] == "EXPONENTIAL_HISTOGRAM"
    assert rows["fine", ("a", "1")]["scale"] <= 2
    assert len(rows) == 2


def test_the_environment_asks_for_exponential_histograms(file, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "base2_exponential_bucket_histogram")
    rows = recorded(file, lambda meter: meter.create_histogram("h").record(1))
    assert rows["h",]["metric_type"] == "EXPONENTIAL_HISTOGRAM"


@pytest.mark.parametrize(
    "make",
    [
        lambda: View(),
        lambda: View(instrument_name="a*", name="b"),
        lambda: View(instrument_name="a", aggregation="sum"),
        lambda: View(instrument_name="a", cardinality_limit=0),
        lambda: ExplicitBucketHistogramAggregation([2, 1]),
        lambda: ExplicitBucketHistogramAggregation(["x"]),
        lambda: ExponentialBucketHistogramAggregation(max_size=1),
        lambda: ExponentialBucketHistogramAggregation(max_scale=21),
        lambda: MeterProvider(mmap_file="x", views=["view"]),
        lambda: MeterProvider(mmap_file="x", temporality="sometimes"),
        lambda: MeterProvider(mmap_file="x", temporality={api.Counter: "sometimes"}),
        lambda: MeterProvider(mmap_file="x", exemplar_filter="sometimes"),
        lambda: MeterProvider(mmap_file="x", export_interval_millis=0),
        lambda: MeterProvider(mmap_file="x", cardinality_limit=0),
        lambda: MeterProvider(mmap_file="x", recorder="y"),
        lambda: MeterProvider(recorder="y"),
    ],
)
def test_wrong_settings_are_told_of(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OtlpConfigError):
        make()
    assert not list(tmp_path.iterdir())


def test_an_environment_that_cannot_be_is_left_aside(file, monkeypatch, caplog):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sometimes")
    monkeypatch.setenv("OTEL_METRICS_EXEMPLAR_FILTER", "perhaps")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "soon")
    provider_of(file)
    for value in ("sometimes", "perhaps", "soon"):
        assert value in caplog.text


@pytest.mark.parametrize("preference, expected", [("delta", "DELTA"), ("lowmemory", "DELTA"), ("cumulative", "CUMULATIVE")])
def test_the_environments_temporality(preference, expected, file, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", preference)
    assert recorded(file, lambda meter: meter.create_counter("c").add(1))["c",]["aggregation_temporality"] == expected


def test_temporalities_by_instrument(file):
    def program(meter):
        meter.create_counter("c").add(1)
        meter.create_histogram("h").record(1)

    rows = recorded(file, program, temporality={api.Histogram: "delta"})
    assert {name: row["aggregation_temporality"] for (name,), row in rows.items()} == {"c": "CUMULATIVE", "h": "DELTA"}


def test_exemplars_are_of_the_native_sdks_spans(file):
    def record():
        tracer = TracerProvider(mmap_file=file, shutdown_on_exit=False).get_tracer("t")
        unsampled = TracerProvider(sampler=ALWAYS_OFF, mmap_file=file, shutdown_on_exit=False).get_tracer("t")
        counter = provider_of(file).get_meter("test").create_counter("c")

        async def task(number):
            with tracer.start_as_current_span(f"span {number}"):
                await asyncio.sleep(0)
                counter.add(1, {"task": number})

        async def several():
            await asyncio.gather(*[task(number) for number in range(5)])

        asyncio.run(several())
        with unsampled.start_as_current_span("unsampled"):
            counter.add(1, {"task": "unsampled"})

    in_child(record)
    store = collect(file)
    spans = {row["name"].removeprefix("span "): (row["trace_id"], row["span_id"]) for row in store.traces().to_pyarrow().to_pylist()}
    rows = by_name(metrics(store))
    assert len(spans) == 5
    for task, ids in spans.items():
        (exemplar,) = rows["c", ("task", task)]["exemplars"]
        assert (exemplar["trace_id"], exemplar["span_id"]) == ids
    assert not rows["c", ("task", "unsampled")]["exemplars"]


# --- observables ---


def test_observables_are_asked_at_the_interval(file):
    asked = []
    provider = provider_of(file, export_interval_millis=5)
    provider.get_meter("test").create_observable_gauge("g", [lambda options: asked.append(options.timeout_millis) or []])
    wait_for(lambda: len(asked) >= 3)
    provider.shutdown()
    assert all(timeout > 0 for timeout in asked)
    count = len(asked)
    provider.shutdown()
    assert len(asked) == count


def test_without_observables_there_is_no_thread(file):
    before = set(threading.enumerate())
    provider = provider_of(file, export_interval_millis=5)
    provider.get_meter("test").create_counter("c").add(1)
    assert provider.force_flush()
    assert set(threading.enumerate()) <= before


def test_a_callback_that_never_returns_hangs_nobody(file):
    release = threading.Event()
    provider = provider_of(file)
    meter = provider.get_meter("test")
    meter.create_observable_gauge("before", [lambda options: [Observation(1)]])
    meter.create_observable_gauge("stuck", [lambda options: release.wait() and []])
    assert not provider.force_flush(timeout_millis=50)
    provider.shutdown(timeout_millis=50)
    release.set()


@pytest.mark.parametrize("result", [None, 5, [1], [None], [Observation("x")], [Observation(1, "attributes")]], ids=repr)
def test_a_callback_that_tells_nonsense_disturbs_no_other(result, file):
    def program(meter):
        meter.create_observable_gauge("wrong", [lambda options: result])
        meter.create_observable_gauge("right", [lambda options: [Observation(7)]])

    assert recorded(file, program)["right",]["value_int"] == 7


def test_generators_end(file):
    def twice():
        for value in (1, 2):
            yield [Observation(value)]

    def empty():
        return
        yield

    def fails():
        raise RuntimeError("no")
        yield

    provider = provider_of(file)
    provider.get_meter("test").create_observable_gauge("g", [twice(), empty(), fails(), "text"])
    for _ in range(4):
        assert provider.force_flush()
    provider.shutdown()


def test_many_attribute_sets_of_an_observable_are_counted_together(file):
    def program(meter):
        meter.create_observable_counter("c", [lambda options: [Observation(1, {"k": at}) for at in range(10)]])

    rows = recorded(file, program, views=[View(instrument_name="c", cardinality_limit=4)])
    assert sum(row["value_int"] for row in rows.values()) == 10
    assert rows["c", ("otel.metric.overflow", "true")]["value_int"] >= 6


# --- the end, and children ---


def test_after_the_end_nothing_is_measured_and_nothing_fails(file, caplog):
    def record():
        provider = provider_of(file)
        meter = provider.get_meter("test")
        counter = meter.create_counter("c")
        counter.add(1)
        provider.shutdown()
        counter.add(1)
        meter.create_counter("late").add(1)
        provider.get_meter("late").create_counter("late").add(1)
        assert provider.force_flush()
        provider.shutdown()

    in_child(record)
    assert {key: row["value_int"] for key, row in by_name(metrics(collect(file))).items()} == {("c",): 1}


def test_providers_of_one_file_share_a_recorder_until_the_last_ends(file):
    one, two = provider_of(file), provider_of(file)
    assert one.recorder is two.recorder
    one.shutdown()
    assert not two.recorder.is_shut_down
    recorder = two.recorder
    two.shutdown()
    assert recorder.is_shut_down
    assert provider_of(file).recorder is not recorder


def test_a_recorder_of_the_program_outlives_its_providers(file):
    recorder = Recorder.open_file(file)
    MeterProvider(recorder=recorder, shutdown_on_exit=False).shutdown()
    assert not recorder.is_shut_down
    assert recorder.shutdown()


def test_a_disabled_sdk_opens_nothing(file, monkeypatch):
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    provider = provider_of(file)
    provider.get_meter("test").create_counter("c").add(1)
    assert provider.force_flush()
    provider.shutdown()
    assert not file.exists()


def test_a_forked_child_measures_into_its_own_ring_from_zero(tmp_path):
    def parent():
        provider = provider_of(tmp_path / "{pid}.mmap")
        meter = provider.get_meter("test")
        counter = meter.create_counter("c")
        meter.create_observable_counter("o", [lambda options: [Observation(100)]])
        counter.add(1)
        assert provider.force_flush()

        def child():
            counter.add(10)
            provider.shutdown()

        in_child(child)
        counter.add(2)
        provider.shutdown()

    in_child(parent)
    found = []
    for file in tmp_path.glob("*.mmap"):
        rows = by_name(metrics(collect(file, tmp_path / f"{file.stem}.store")))
        found.append({key[0]: row["value_int"] for key, row in rows.items()})
    assert sorted(found, key=lambda rows: rows["c"]) == [{"c": 3, "o": 100}, {"c": 10, "o": 100}]


STUCK = """
import sys, threading
from otlp_arrow_library.sdk import MeterProvider
provider = MeterProvider(mmap_file=sys.argv[1])
provider.get_meter("test").create_counter("c").add(1)
provider.get_meter("test").create_observable_gauge("g", [lambda options: threading.Event().wait()])
"""


def test_a_callback_that_never_returns_keeps_no_program_from_its_end(file):
    subprocess.run([sys.executable, "-c", STUCK, file], check=True, timeout=30)
    assert by_name(metrics(collect(file)))["c",]["value_int"] == 1


# --- a library ---


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_points_of_each_flush_in_a_library(temporality, directory):
    asked = iter([10, 25, 25, 25])
    with OtlpLibrary(output_dir=directory) as library:
        provider = MeterProvider(library=library, resource={"service.name": "shop"}, temporality=temporality, shutdown_on_exit=False)
        meter = provider.get_meter("test")
        counter, histogram = meter.create_counter("c"), meter.create_histogram("h")
        meter.create_observable_counter("o", [lambda options: [Observation(next(asked))]])
        for value in (1, 2, 4):
            counter.add(value)
            histogram.record(value)
            assert provider.force_flush()
        rows = sorted(otlp_arrow_library.open(directory).metrics().to_pyarrow().to_pylist(), key=lambda row: row["time"])
        provider.shutdown()
    values = {name: [row["value_int"] or row["sum"] or 0 for row in rows if row["metric_name"] == name] for name in "cho"}
    if temporality == "cumulative":
        assert values == {"c": [1, 3, 7], "h": [1, 3, 7], "o": [10, 25, 25]}
    else:
        assert values == {"c": [1, 2, 4], "h": [1, 2, 4], "o": [10, 15, 0]}
        for name in "cho":
            points = [row for row in rows if row["metric_name"] == name]
            for earlier, later in zip(points, points[1:]):
                assert later["start_time"] == earlier["time"]


def test_a_forked_child_of_a_library_loses_nothing(directory):
    def program():
        library = OtlpLibrary(output_dir=directory)
        provider = MeterProvider(library=library, resource={"service.name": "shop"}, temporality="delta", shutdown_on_exit=False)
        counter = provider.get_meter("test").create_counter("c")
        counter.add(1)
        assert provider.force_flush()

        def child():
            counter.add(10)
            provider.shutdown()
            library.shutdown()

        in_child(child)
        counter.add(100)
        provider.shutdown()
        library.shutdown()

    in_child(program)
    assert sum(row["value_int"] for row in metrics(otlp_arrow_library.open(directory))) == 111


PROXIES = """
import sys
from opentelemetry import _logs, metrics
from otlp_arrow_library.sdk import LoggerProvider, MeterProvider

meter, logger = metrics.get_meter("early"), _logs.get_logger("early")
counter, histogram = meter.create_counter("c"), meter.create_histogram("h", explicit_bucket_boundaries_advisory=[1, 2])
gauge = meter.create_observable_gauge("g", [lambda options: [metrics.Observation(5)]])
counter.add(1)  # nobody is there yet
metrics.set_meter_provider(MeterProvider(mmap_file=sys.argv[1]))
_logs.set_logger_provider(LoggerProvider(mmap_file=sys.argv[1]))
counter.add(2)
histogram.record(1.5)
logger.emit(body="from a proxy")
"""


def test_instruments_that_were_created_before_the_provider(file):
    subprocess.run([sys.executable, "-c", PROXIES, file], check=True, timeout=30)
    store = collect(file)
    rows = by_name(metrics(store))
    assert rows["c",]["value_int"] == 2
    assert rows["h",]["bucket_counts"] == [0, 1, 0]
    assert rows["g",]["value_int"] == 5
    assert [row["body"] for row in store.logs().to_pyarrow().to_pylist()] == ["from a proxy"]
