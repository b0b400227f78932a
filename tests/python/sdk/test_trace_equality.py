"""One program over the OpenTelemetry SDK and over the native one: the same spans, in memory and in the store."""

from __future__ import annotations

import gc
import json

import pytest
from collecting import collect
from opentelemetry.sdk import trace as stock
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import export, sampling
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from trace_programs import PROGRAMS, Counting, links, tree

import otlp_arrow_library
from otlp_arrow_library import OtlpLibrary, sdk

RESOURCE = Resource({"service.name": "shop", "cores": 8}, "https://example.org/1")
SCOPE = ("shop.module", "1.2", "https://example.org/2", {"scope": "attribute"})


def run(provider, program):
    program(provider.get_tracer(*SCOPE))
    provider.shutdown()


def stack_free(attributes):
    """Of the stack the frames of the SDK in use are part; its last line says what was raised."""
    kept = dict(attributes)
    if "exception.stacktrace" in kept:
        kept["exception.stacktrace"] = kept["exception.stacktrace"].strip().splitlines()[-1]
    return kept


# --- in memory ---


def readable(span):
    scope = span.instrumentation_scope
    assert span.end_time >= span.start_time > 0 and span.resource.attributes["service.name"] == "shop"
    return {
        "name": span.name,
        "kind": span.kind,
        "context": (span.context, span.context.trace_flags, span.context.trace_state),
        "parent": span.parent,
        "status": (span.status.status_code, span.status.description),
        "attributes": dict(span.attributes),
        "events": [(event.name, stack_free(event.attributes), event.dropped_attributes) for event in span.events],
        "links": [(link.context, dict(link.attributes), link.dropped_attributes) for link in span.links],
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "scope": (scope.name, scope.version, scope.schema_url, dict(scope.attributes)),
    }


def spans_of(make_provider, program):
    exporter = InMemorySpanExporter()
    provider = make_provider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    run(provider, program)
    return [readable(span) for span in exporter.get_finished_spans()]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_readable_spans_are_equal(program):
    theirs = spans_of(lambda: stock.TracerProvider(resource=RESOURCE, id_generator=Counting(), shutdown_on_exit=False), program)
    ours = spans_of(lambda: sdk.TracerProvider(resource=RESOURCE, id_generator=Counting(), shutdown_on_exit=False), program)
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other


@pytest.mark.parametrize("program", [tree, links], ids=lambda program: program.__name__)
def test_json_is_equal(program):
    def texts(provider):
        exporter = InMemorySpanExporter()
        provider.add_span_processor(export.SimpleSpanProcessor(exporter))
        run(provider, program)
        described = [json.loads(span.to_json()) for span in exporter.get_finished_spans()]
        for each in described:
            assert each.pop("start_time").endswith("Z") and each.pop("end_time").endswith("Z") and each["resource"]
        return described

    theirs = texts(stock.TracerProvider(resource=RESOURCE, id_generator=Counting(), shutdown_on_exit=False))
    assert texts(sdk.TracerProvider(resource=RESOURCE, id_generator=Counting(), shutdown_on_exit=False)) == theirs


SAMPLERS = {
    "off": lambda: sampling.ALWAYS_OFF,
    "ratio": lambda: sampling.TraceIdRatioBased(0.5),
    "parent": lambda: sampling.ParentBased(sampling.TraceIdRatioBased(0.5), local_parent_sampled=sampling.TraceIdRatioBased(0.25)),
}
OUR_SAMPLERS = {
    "off": lambda: sdk.ALWAYS_OFF,
    "ratio": lambda: sdk.TraceIdRatioBased(0.5),
    "parent": lambda: sdk.ParentBased(sdk.TraceIdRatioBased(0.5), local_parent_sampled=sdk.TraceIdRatioBased(0.25)),
}


class Scattered(Counting):
    def generate_trace_id(self):
        return (super().generate_trace_id() >> 64) * 0x9E3779B97F4A7C15 % 2**64 or 1


@pytest.mark.parametrize("name", SAMPLERS)
@pytest.mark.parametrize("foreign", [False, True], ids=["ours", "foreign"])
def test_samplers_decide_alike(name, foreign):
    def program(tracer):
        for number in range(200):
            with tracer.start_as_current_span(f"root {number}", attributes={"n": number}):
                with tracer.start_as_current_span("inner"):
                    pass

    theirs = spans_of(lambda: stock.TracerProvider(SAMPLERS[name](), RESOURCE, False, id_generator=Scattered()), program)
    sampler = SAMPLERS[name]() if foreign else OUR_SAMPLERS[name]()
    ours = spans_of(lambda: sdk.TracerProvider(sampler, RESOURCE, False, id_generator=Scattered()), program)
    assert ours == theirs
    assert len(ours) == 0 if name == "off" else 0 < len(ours) < 400


# --- stored ---


def without_times(row):
    kept = {key: value for key, value in row.items() if "time" not in key and "duration" not in key and not key.startswith("_")}
    # An attribute that is set again keeps its place here, and comes last there.
    kept["attributes_types"] = sorted(kept["attributes_types"] or "")
    for name in ("attributes", "resource_attributes", "scope_attributes"):
        kept[name] = dict(kept[name] or {})
    kept["events"] = [
        {**{key: value for key, value in event.items() if key != "time"}, "attributes": stack_free(event["attributes"] or {})}
        for event in kept["events"] or ()
    ]
    kept["links"] = [{**link, "attributes": dict(link["attributes"] or {})} for link in kept["links"] or ()]
    return kept


def stored_rows(store):
    rows = [without_times(row) for row in store.traces().to_pyarrow().to_pylist()]
    return sorted(rows, key=lambda row: row["span_id"])


def stock_rows(directory, program):
    with OtlpLibrary(output_dir=directory, write_interval_secs=3600) as library:
        provider = stock.TracerProvider(resource=RESOURCE, id_generator=Counting(), shutdown_on_exit=False)
        provider.add_span_processor(export.SimpleSpanProcessor(library.span_exporter()))
        run(provider, program)
    return stored_rows(otlp_arrow_library.open(directory))


def assert_equal_rows(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        assert mine == other


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_collected_rows_are_equal(program, tmp_path):
    file = tmp_path / "ring.mmap"
    run(sdk.TracerProvider(resource=RESOURCE, id_generator=Counting(), mmap_file=file, shutdown_on_exit=False), program)
    gc.collect()  # who has the file open is waited for
    assert_equal_rows(stored_rows(collect(file)), stock_rows(tmp_path / "stock", program))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_rows_of_a_library_are_equal(program, tmp_path):
    with OtlpLibrary(output_dir=tmp_path / "ours", write_interval_secs=3600) as library:
        run(sdk.TracerProvider(resource=RESOURCE, id_generator=Counting(), library=library, shutdown_on_exit=False), program)
    assert_equal_rows(stored_rows(otlp_arrow_library.open(tmp_path / "ours")), stock_rows(tmp_path / "stock", program))
