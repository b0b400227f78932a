"""One program over the OpenTelemetry SDK with our exporter and over the native SDK: the same rows but for times."""

from __future__ import annotations

import random

import pytest
from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.sdk import metrics as stock
from opentelemetry.sdk.metrics import view as stock_view
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from collecting import collect, comparable, in_child, metrics

import otlp_arrow_library
from otlp_arrow_library import OtlpLibrary
from otlp_arrow_library.sdk import _views
from otlp_arrow_library.sdk._metrics import MeterProvider

RESOURCE = Resource({"service.name": "shop", "host.cores": 8, "zones": ("a", "b")}, "https://example.org/1")


def span(number, sampled=True):
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else 0)
    return set_span_in_context(NonRecordingSpan(SpanContext(number, number, False, flags)))


def all_instruments(meter):
    counter = meter.create_counter("Requests", "1", "how many")
    counter.add(1, {"route": "/", "ok": True})
    counter.add(2, {"ok": True, "route": "/"})
    counter.add(0.5, {"route": "/x", "ok": False, "list": [1, 2], "nothing": None})
    counter.add(3)
    counter.add(-1, {"route": "/"})
    counter.add(float("nan"))
    counter.add(float("inf"))
    meter.create_counter("requests", "1", "how many").add(10)
    up_down = meter.create_up_down_counter("queue.length")
    up_down.add(5, {"queue": "a"})
    up_down.add(-7, {"queue": "a"})
    up_down.add(-0.25, {"queue": "b"})
    histogram = meter.create_histogram("duration", "ms", "of requests")
    for value in (0, 0.5, 5, 5.1, 7499, 7500, 10_000, 10_001, 1e9):
        histogram.record(value, {"route": "/"})
    histogram.record(-1)
    advised = meter.create_histogram("advised", explicit_bucket_boundaries_advisory=[1, 2.5, 10])
    for value in (1, 2, 2.5, 3, 11):
        advised.record(value)
    gauge = meter.create_gauge("temperature", "Cel")
    gauge.set(20, {"room": 1})
    gauge.set(21.5, {"room": 1})
    gauge.set(-3, {"room": 2})


def observables(meter):
    calls = {"count": 0}

    def totals(options):
        assert isinstance(options, CallbackOptions)
        calls["count"] += 1
        yield Observation(100 * calls["count"], {"cpu": 0})
        yield Observation(7, {"cpu": 1})
        yield Observation(5, {"cpu": 1})  # once more

    def broken(options):
        raise RuntimeError("no values today")

    def generator():
        while True:
            yield [Observation(1.5, {"from": "generator"}), Observation(float("nan"), {"from": "nowhere"})]

    meter.create_observable_counter("cpu.time", [totals, broken], "s", "of the process")
    meter.create_observable_up_down_counter("threads", [lambda options: [Observation(3), Observation(-4, {"kind": "daemon"})]])
    meter.create_observable_gauge("load", [generator(), lambda options: [Observation(2, {"from": "function"}), Observation(4, {"from": "function"})]])


def exemplars(meter):
    counter = meter.create_counter("with.exemplars")
    histogram = meter.create_histogram("with.bucket.exemplars")
    counter.add(4, {"a": 1}, span(0x1234))
    counter.add(1, {"a": 2}, span(0x99, sampled=False))
    for value, number in ((3, 1), (30, 2), (300, 3)):
        histogram.record(value, {}, span(number))
    histogram.record(301, {}, span(4, sampled=False))


def scopes(provider):
    provider.get_meter("a", "1.0", "https://example.org/2", {"team": "x", "level": 3}).create_counter("c").add(1)
    provider.get_meter("b").create_counter("c").add(2)
    provider.get_meter("b").create_counter("c").add(3)


def numbers(meter):
    counter = meter.create_up_down_counter("big")
    counter.add(2**62)
    counter.add(2**61)
    counter.add(True, {"kind": "bool"})
    floats = meter.create_up_down_counter("floats")
    for value in (0.1, 0.2, 0.3, -1e300, 1e-300):
        floats.add(value)


def randomly(seed):
    def program(meter):
        generator = random.Random(seed)
        instruments = [
            meter.create_counter("random.counter").add,
            meter.create_up_down_counter("random.up_down").add,
            meter.create_histogram("random.histogram").record,
            meter.create_histogram("random.advised", explicit_bucket_boundaries_advisory=sorted(generator.sample(range(100), 5))).record,
            meter.create_gauge("random.gauge").set,
        ]
        values = [0, 1, 2, 3, 5.5, 10, 99, 100.0, 12345]
        for _ in range(200):
            keys = generator.sample(["a", "b", "c", "é", "long.key.of.an.attribute"], generator.randrange(4))
            attributes = {key: generator.choice([1, 2.5, "text", True, ("x", "y"), b"\x00\xff"]) for key in keys}
            generator.choice(instruments)(generator.choice(values), attributes or None)

    return program


def exponential(meter):
    histogram = meter.create_histogram("spread")
    for value in (1, 2, 2.5, 1024, 0.001, 7, 7, 7, 0, 1e6):
        histogram.record(value, {"k": 1})
    few = meter.create_histogram("few")
    for value in (1.0, 1.1, 1.2):
        few.record(value)


def run_stock(program, directory, views=(), temporality=None, whole_provider=False, filter_name="trace_based"):
    from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, AlwaysOnExemplarFilter, TraceBasedExemplarFilter

    filters = {"trace_based": TraceBasedExemplarFilter, "always_on": AlwaysOnExemplarFilter, "always_off": AlwaysOffExemplarFilter}
    with OtlpLibrary(output_dir=directory) as library:
        reader = library.metric_reader(preferred_temporality=temporality)
        provider = stock.MeterProvider([reader], RESOURCE, shutdown_on_exit=False, views=views, exemplar_filter=filters[filter_name]())
        program(provider if whole_provider else provider.get_meter("scope", "1.2"))
        provider.shutdown()
    return [comparable(row) for row in otlp_arrow_library.open(directory).metrics().to_pyarrow().to_pylist()]


def run_native(program, file, views=(), temporality=None, whole_provider=False, filter_name="trace_based"):
    def record():
        provider = MeterProvider(
            mmap_file=file, resource=RESOURCE, views=views, temporality=temporality, exemplar_filter=filter_name, shutdown_on_exit=False
        )
        program(provider if whole_provider else provider.get_meter("scope", "1.2"))
        provider.shutdown()

    in_child(record)
    return metrics(collect(file))


def ordered(rows):
    def key(row):
        return (row["scope_name"], row["metric_name"], row["description"] or "", row["metric_type"], repr(sorted(row["attributes"])))

    return sorted(rows, key=key)


def filled(buckets):
    """How many values are in which bucket: the OpenTelemetry SDK stores empty ones at the end."""
    if not buckets:
        return {}
    return {buckets["offset"] + at: count for at, count in enumerate(buckets["bucket_counts"]) if count}


def normal(row):
    """What may differ: the order of attributes and of exemplars, and buckets without a value."""
    row = dict(row)
    row["positive"], row["negative"] = filled(row["positive"]), filled(row["negative"])
    row["attributes"] = sorted(zip(row["attributes"], row["attributes_types"] or "s" * len(row["attributes"])))
    row["attributes_types"] = None
    row["exemplars"] = sorted(row["exemplars"] or [], key=lambda exemplar: exemplar["trace_id"] or "")
    return row


def assert_same(program, tmp_path, **options):
    expected = ordered(map(normal, run_stock(program, tmp_path / "stock", **options)))
    got = ordered(map(normal, run_native(program, tmp_path / "program.mmap", **options)))
    assert [row["metric_name"] for row in got] == [row["metric_name"] for row in expected]
    for mine, theirs in zip(got, expected):
        assert mine == theirs


@pytest.mark.parametrize("temporality", ["cumulative", "delta", "lowmemory"])
@pytest.mark.parametrize("program", [all_instruments, observables, exemplars, numbers], ids=lambda program: program.__name__)
def test_instruments(program, temporality, tmp_path):
    assert_same(program, tmp_path, temporality=temporality)


def test_scopes_of_one_provider(tmp_path):
    assert_same(scopes, tmp_path, whole_provider=True)


@pytest.mark.parametrize("seed", range(3))
def test_random_programs(seed, tmp_path):
    assert_same(randomly(seed), tmp_path)


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_exponential_histograms(temporality, tmp_path):
    views = [
        stock_view.View(instrument_name="spread", aggregation=stock_view.ExponentialBucketHistogramAggregation(max_size=8)),
        stock_view.View(instrument_name="few", aggregation=stock_view.ExponentialBucketHistogramAggregation()),
    ]
    assert_same(exponential, tmp_path, views=views, temporality=temporality)


def views_of(module):
    return [
        module.View(instrument_name="re*", attribute_keys={"route"}, description="by route"),
        module.View(
            instrument_type=stock.Histogram,
            name="buckets",
            instrument_name="duration",
            aggregation=module.ExplicitBucketHistogramAggregation([1, 10, 100]),
        ),
        module.View(instrument_name="advised", aggregation=module.DropAggregation()),
        module.View(instrument_name="temperature", aggregation=module.SumAggregation()),
        module.View(instrument_name="temperature", name="last", aggregation=module.LastValueAggregation()),
        module.View(instrument_name="queue.*", meter_name="scope", instrument_unit="", aggregation=module.ExplicitBucketHistogramAggregation([0])),
        module.View(instrument_name="*", meter_name="another scope", name=None, attribute_keys=set()),
    ]


@pytest.mark.parametrize("temporality", ["cumulative", "delta"])
def test_views(temporality, tmp_path):
    assert_same(all_instruments, tmp_path, views=views_of(stock_view), temporality=temporality)


def test_own_views_are_the_sdks(tmp_path):
    rows = []
    for module in (stock_view, _views):
        directory = tmp_path / module.__name__
        directory.mkdir()
        rows.append(ordered(map(normal, run_native(all_instruments, directory / "program.mmap", views=views_of(module)))))
    assert rows[0] and rows[0] == rows[1]


def test_views_of_observables(tmp_path):
    views = [
        stock_view.View(instrument_name="cpu.time", attribute_keys=set()),
        stock_view.View(instrument_name="threads", aggregation=stock_view.LastValueAggregation()),
        stock_view.View(instrument_name="load", aggregation=stock_view.SumAggregation()),
        stock_view.View(instrument_name="load", aggregation=stock_view.ExplicitBucketHistogramAggregation([1])),
    ]
    assert_same(observables, tmp_path, views=views)


@pytest.mark.parametrize("name", ["always_on", "always_off"])
def test_exemplar_filters(name, tmp_path):
    assert_same(exemplars, tmp_path, filter_name=name)


def test_the_current_span_is_the_exemplars(tmp_path):
    def program(meter):
        counter = meter.create_counter("c")
        with trace.use_span(NonRecordingSpan(SpanContext(5, 6, True, TraceFlags(1)))):
            counter.add(1)

    assert_same(program, tmp_path)


def rounds(seed):
    """A program that flushes in between; each observable attribute set is told of in every round."""

    def program(provider, flush):
        generator = random.Random(seed)
        meter = provider.get_meter("scope")
        totals = {key: 0 for key in range(3)}

        def observed(step):
            def callback(options):
                for key in totals:
                    totals[key] += generator.choice([0, 1, step])
                    yield Observation(totals[key], {"key": key})

            return callback

        meter.create_observable_counter("o.counter", [observed(0.1)])
        meter.create_observable_up_down_counter("o.up_down", [observed(-7)])
        meter.create_observable_gauge("o.gauge", [observed(2)])
        counter, up_down = meter.create_counter("counter"), meter.create_up_down_counter("up_down")
        histogram, spread = meter.create_histogram("histogram"), meter.create_histogram("spread")
        for _ in range(4):
            for _ in range(10):
                attributes = {"key": generator.randrange(4)}
                value = generator.choice([1, 2, 0.25, 100])
                generator.choice([counter.add, up_down.add, histogram.record, spread.record])(value, attributes)
            assert flush()

    return program


def sequences(rows):
    """The points of each series in their order; those that tell nothing new at the end are left away."""
    found = {}
    for row in sorted(rows, key=lambda row: row["time"]):
        key = (row["metric_name"], row["aggregation_temporality"], *row["attributes"])
        kept = {name: row[name] for name in ("value_int", "value_double", "count", "sum", "min", "max", "bucket_counts", "zero_count")}
        if row["aggregation_temporality"] != "DELTA":  # the OpenTelemetry SDK never becomes finer again
            kept |= {"scale": row["scale"], "positive": filled(row["positive"])}
        found.setdefault(key, []).append(kept)
    for points in found.values():
        while len(points) > 1 and points[-1] == points[-2]:
            points.pop()
    return found


@pytest.mark.parametrize("temporality", ["cumulative", "delta", "lowmemory"])
@pytest.mark.parametrize("seed", range(2))
def test_each_flush_makes_the_same_points(seed, temporality, tmp_path):
    views = [stock_view.View(instrument_name="spread", aggregation=stock_view.ExponentialBucketHistogramAggregation(max_size=8))]
    with OtlpLibrary(output_dir=tmp_path / "stock") as library:
        reader = library.metric_reader(preferred_temporality=temporality)
        provider = stock.MeterProvider([reader], RESOURCE, shutdown_on_exit=False, views=views)
        rounds(seed)(provider, provider.force_flush)
    with OtlpLibrary(output_dir=tmp_path / "native") as library:
        provider = MeterProvider(library=library, resource=RESOURCE, views=views, temporality=temporality, shutdown_on_exit=False)
        rounds(seed)(provider, provider.force_flush)
    expected, got = (sequences(otlp_arrow_library.open(tmp_path / name).metrics().to_pyarrow().to_pylist()) for name in ("stock", "native"))
    assert expected and got == expected
