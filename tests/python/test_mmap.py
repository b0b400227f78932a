"""The low-level functions: what they record into a file is read back after `otlp-arrow collect`, and what is wrong is said."""

from __future__ import annotations

import enum
import json
import multiprocessing
import os
import pathlib
import struct
import subprocess
import sys
import threading
import types

import numpy
import programs
import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import SpanKind as SdkSpanKind
from opentelemetry.trace import StatusCode as SdkStatusCode

import otlp_arrow_library
from otlp_arrow_library import OtlpConfigError, OtlpExportError, OtlpIOError, OtlpShutdownError, mmap
from otlp_arrow_library.mmap import ExpHistogram, Gauge, Histogram, MmapExporter, SpanKind, StatusCode, Sum, Temporality

ROOT = pathlib.Path(__file__).parents[2]
BINARY = pathlib.Path(os.environ.get("OTLP_ARROW_BIN", ROOT / "build/release/bin/otlp-arrow")).absolute()
START = 1_700_000_000_000_000_000
TRACE, SPAN, PARENT = bytes(range(1, 17)), bytes(range(1, 9)), bytes(range(11, 19))
OPEN: list[MmapExporter] = []
SMALL = {"events_slots": 64, "spans_slots": 64, "measurements_slots": 64}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "program.mmap"


@pytest.fixture
def exporter(file):
    with MmapExporter(file) as made:
        OPEN.append(made)
        yield made
    OPEN.clear()


@pytest.fixture
def scope(exporter):
    resource = exporter.create_resource({"service.name": "shop"})
    return exporter.create_instrumentation_scope(resource, "shop.checkout", "1.2")


def collected(file):
    """What the collector makes of the file. It waits for those who have it open."""
    for exporter in OPEN:
        exporter.close()
    directory = file.parent / "collected"
    command = [BINARY, "collect", "--once", "--input", file, "--output-dir", directory]
    for signal in ("trace", "metric", "log"):
        command += [f"--{signal}-cleanup-interval-secs", "0"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTLP_")}
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=30, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return otlp_arrow_library.open(directory)


def traces(file):
    return sorted(collected(file).traces().to_pyarrow().to_pylist(), key=lambda row: (row["trace_id"], row["span_id"]))


def metrics(file):
    return collected(file).metrics().to_pyarrow().to_pylist()


def logs(file):
    return collected(file).logs().to_pyarrow().to_pylist()


def recorded_spans(file):
    """Records in the spans ring: its writer_index + 1."""
    content = file.read_bytes()
    (ring,) = struct.unpack_from("<q", content, 16)
    return struct.unpack_from("<q", content, ring + 24)[0] + 1


def record_span(to, scope, span_id=SPAN, attributes=None, name="POST /orders", **more):
    to.record_span_start(scope, TRACE, span_id, None, 1, name, SpanKind.SERVER, START, attributes, **more)
    to.record_span_end(scope, TRACE, span_id, START + 5)


# --- the functions of the specification ---


def test_record_string(exporter):
    first = exporter.record_string("cache miss")
    assert isinstance(first, int) and first > 0
    assert exporter.record_string(string="cache" + " miss") == first
    assert exporter.record_string("ü") not in (0, first)
    assert exporter.record_string("") == 0


def test_create_resource_and_scope_are_stored_with_the_span(exporter, file):
    resource = exporter.create_resource(attributes={"service.name": "shop", "replicas": 3}, schema_url="https://example.com/r")
    scope = exporter.create_instrumentation_scope(
        resource_ref=resource, name="shop.checkout", version="1.2", attributs={"team": "blue"}, schema_url="https://example.com/s"
    )
    assert exporter.create_resource({"service.name": "shop", "replicas": 3}, "https://example.com/r") == resource
    assert exporter.create_instrumentation_scope(resource, "shop.checkout", "1.2", attributes={"team": "blue"}, schema_url="https://example.com/s") == scope
    record_span(exporter, scope)
    (row,) = traces(file)
    assert row["service_name"] == "shop" and dict(row["resource_attributes"])["replicas"] == "3"
    assert (row["scope_name"], row["scope_version"]) == ("shop.checkout", "1.2") and dict(row["scope_attributes"]) == {"team": "blue"}
    assert (row["resource_schema_url"], row["scope_schema_url"]) == ("https://example.com/r", "https://example.com/s")


def test_empty_definitions_can_be_used(exporter, file):
    scope = exporter.create_instrumentation_scope(exporter.create_resource({}), "", None, None)
    record_span(exporter, scope)
    assert traces(file)[0]["name"] == "POST /orders"


def test_record_span_start_and_end(exporter, scope, file):
    exporter.record_span_start(
        insturmentation_scope_ref=scope, trace_id=TRACE, span_id=SPAN, parent_span_id=PARENT, flags=0x101, name="GET /a", kind=SpanKind.CLIENT,
        start_time_unix_nano=START, attributes={"http.route": "/a", "n": 1}, trace_state="a=b",
    )
    exporter.record_span_end(insturmentation_scope_ref=scope, trace_id=TRACE, span_id=SPAN, end_time_unix_nano=START + 77)
    (row,) = traces(file)
    assert (row["trace_id"], row["span_id"], row["parent_span_id"]) == (TRACE.hex(), SPAN.hex(), PARENT.hex())
    assert (row["name"], row["duration_ns"], row["trace_state"], row["flags"]) == ("GET /a", 77, "a=b", 0x101)
    assert "client" in str(row["kind"]).lower()
    assert dict(row["attributes"]) == {"http.route": "/a", "n": "1"}


@pytest.mark.parametrize("spelling", ["insturmentation_scope_ref", "instrumentation_scope_ref"])
def test_both_spellings_name_the_scope(exporter, scope, file, spelling):
    named = {spelling: scope}
    exporter.record_span_start(**named, trace_id=TRACE, span_id=SPAN, parent_span_id=None, flags=0, name="a", kind=1, start_time_unix_nano=START)
    exporter.record_event(**named, span_context=None, event_name_ref=0, time_unix_nano=START, body="b")
    exporter.record_span_end(**named, trace_id=TRACE, span_id=SPAN, end_time_unix_nano=START)
    assert exporter.create_metric_stream(**named, name="m", aggregation="gauge") > 0
    assert [row["name"] for row in traces(file)] == ["a"]


@pytest.mark.parametrize(
    "kind, name",
    [(SpanKind.SERVER, "server"), (3, "client"), ("producer", "producer"), (SdkSpanKind.SERVER, "server"), (SdkSpanKind.INTERNAL, "internal"), (None, "internal")],
)
def test_kinds(exporter, scope, file, kind, name):
    exporter.record_span_start(scope, TRACE, SPAN, None, 0, "a", kind, START)
    exporter.record_span_end(scope, TRACE, SPAN, START)
    assert name in str(traces(file)[0]["kind"]).lower()


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, list, tuple, lambda b: numpy.frombuffer(b, "u1")])
def test_ids_may_be_any_bytes(exporter, scope, file, form):
    exporter.record_span_start(scope, form(TRACE), form(SPAN), form(PARENT), 0, "a", 1, START)
    exporter.record_span_end(scope, form(TRACE), form(SPAN), START)
    (row,) = traces(file)
    assert (row["trace_id"], row["span_id"], row["parent_span_id"]) == (TRACE.hex(), SPAN.hex(), PARENT.hex())


@pytest.mark.parametrize("parent", [None, b"", bytes(8)])
def test_roots(exporter, scope, file, parent):
    exporter.record_span_start(scope, TRACE, SPAN, parent, 0, "a", 1, START)
    exporter.record_span_end(scope, TRACE, SPAN, START)
    assert traces(file)[0]["parent_span_id"] is None


def test_record_event_is_a_log_record(exporter, scope, file):
    name = exporter.record_string("order.taken")
    exporter.record_event(
        scope, {"trace_id": TRACE, "span_id": SPAN, "flags": 1}, name, START, {"id": 4711}, severity_number=9, severity_text="INFO",
        body={"text": ["a", 1]}, observed_time_unix_nano=START + 1,
    )
    (row,) = logs(file)
    assert (row["trace_id"], row["span_id"], row["event_name"], row["severity_number"], row["severity_text"]) == (TRACE.hex(), SPAN.hex(), "order.taken", 9, "INFO")
    assert json.loads(row["body"]) == {"text": ["a", 1]} and dict(row["attributes"]) == {"id": "4711"} and row["scope_name"] == "shop.checkout"


def test_record_event_of_an_open_span(exporter, scope, file):
    exporter.record_span_start(scope, TRACE, SPAN, None, 1, "a", 1, START)
    exporter.record_event(scope, {"trace_id": TRACE, "span_id": SPAN}, exporter.record_string("cache miss"), START + 1, {"key": "k"})
    exporter.record_span_end(scope, TRACE, SPAN, START + 2)
    (event,) = traces(file)[0]["events"]
    assert event["name"] == "cache miss" and dict(event["attributes"]) == {"key": "k"}


AGGREGATIONS = {
    "gauge": ("gauge", {"gauge": {}}, Gauge(), {"gauge": None}),
    "sum": (
        {"sum": {"aggregation_temporality": "DELTA", "is_monotonic": False}},
        {"sum": {"aggregation_temporality": 1, "is_monotonic": False}},
        Sum(Temporality.DELTA, is_monotonic=False),
    ),
    "histogram": (
        {"histogram": {"aggregation_temporality": Temporality.CUMULATIVE, "bucket_boundaries": [1, 2.5]}},
        Histogram("cumulative", (1, 2.5)),
        Histogram(bucket_boundaries=numpy.array([1, 2.5])),
    ),
    "exp_histogram": (
        {"exp_histogram": {"aggregation_temporality": "DELTA", "max_buckets": 80, "max_scale": 10}},
        ExpHistogram(Temporality.DELTA, 80, 10),
    ),
}


@pytest.mark.parametrize("kind", AGGREGATIONS)
def test_create_metric_stream(exporter, scope, file, kind):
    refs = {exporter.create_metric_stream(scope, "load", "how much", "1", form) for form in AGGREGATIONS[kind]}
    assert len(refs) == 1  # every form says the same
    (ref,) = refs
    for value in (1.5, 2.5, 8):
        exporter.record_measurement(ref, {"host": "a"}, START, value)
    (row,) = metrics(file)
    assert (row["metric_name"], row["description"], row["unit"]) == ("load", "how much", "1")
    assert kind.replace("exp_", "") in str(row["metric_type"]).lower().replace("_", "")
    if kind == "gauge":
        assert row["value_double"] == 8 or row["value_int"] == 8
    elif kind == "sum":
        assert row["value_double"] == 12 and row["is_monotonic"] is False and "delta" in str(row["aggregation_temporality"]).lower()
    else:
        assert (row["count"], row["sum"]) == (3, 12.0)
    if kind == "histogram":
        assert row["explicit_bounds"] == [1, 2.5] and row["bucket_counts"] == [0, 2, 1]


def test_record_measurement_by_keywords_with_the_context_of_a_span(exporter, scope, file):
    ref = exporter.create_metric_stream(scope, "n", "", "", Sum(Temporality.CUMULATIVE))
    context = {"trace_id": TRACE, "span_id": SPAN, "flags": 1}
    exporter.record_measurement(metric_ref=ref, attributes={"a": True}, time_unix_nano=START, value=7, span_context=context)
    (row,) = metrics(file)
    assert row["value_int"] == 7 and dict(row["attributes"]) == {"a": "true"}
    assert [e["trace_id"] for e in row["exemplars"]] == [TRACE.hex()]


# --- what the format has beside them ---


def test_updates_of_an_open_span(exporter, scope, file):
    exporter.record_span_start(scope, TRACE, SPAN, None, 1, "a", 1, START, {"n": 1, "kept": "x"}, dropped_attributes_count=2)
    exporter.record_span_name(scope, TRACE, SPAN, "b")
    exporter.record_span_attributes(scope, TRACE, SPAN, {"n": 2, "new": 1.5})
    exporter.record_span_attributes(scope, TRACE, SPAN, {})
    exporter.record_span_link(scope, TRACE, SPAN, PARENT * 2, PARENT, {"why": "retry"}, trace_state="c=d", flags=1)
    exporter.record_span_status(scope, TRACE, SPAN, StatusCode.ERROR, "no stock")
    exporter.record_span_end(scope, TRACE, SPAN, START + 1)
    (row,) = traces(file)
    assert row["name"] == "b" and dict(row["attributes"]) == {"n": "2", "kept": "x", "new": "1.5"} and row["dropped_attributes_count"] == 2
    assert "error" in str(row["status_code"]).lower() and row["status_message"] == "no stock"
    (link,) = row["links"]
    assert (link["trace_id"], link["span_id"], link["trace_state"], dict(link["attributes"])) == ((PARENT * 2).hex(), PARENT.hex(), "c=d", {"why": "retry"})


@pytest.mark.parametrize("code", [StatusCode.ERROR, 2, "error", SdkStatusCode.ERROR])
def test_status_at_the_end(exporter, scope, file, code):
    exporter.record_span_start(scope, TRACE, SPAN, None, 1, "a", 1, START)
    exporter.record_span_status(scope, TRACE, SPAN, "ok")
    exporter.record_span_end(scope, TRACE, SPAN, START + 1, status_code=code, status_message="late")
    (row,) = traces(file)
    assert "error" in str(row["status_code"]).lower() and row["status_message"] == "late"


def test_a_span_without_an_end_is_kept_when_the_program_is_gone(file):
    programs.run(
        """
        import os, sys
        from otlp_arrow_library.mmap import MmapExporter
        exporter = MmapExporter(sys.argv[1])
        scope = exporter.create_instrumentation_scope(exporter.create_resource({}), "s")
        exporter.record_span_start(scope, b"t" * 16, b"s" * 8, None, 0, "unfinished", 1, 1_700_000_000_000_000_000, {})
        os.kill(os.getpid(), 9)
        """,
        file, check=False,
    )
    (row,) = traces(file)
    assert row["name"] == "unfinished" and dict(row["attributes"])["otlp_arrow.incomplete"] == "true"


# --- values ---


class Level(str, enum.Enum):
    HIGH = "high"


def test_values_of_all_types(exporter, scope, file):
    attributes = {
        "str": "ä€😀", "bool": False, "int": -(2**63), "float": 0.25, "bytes": b"\x00\xff", "none": None, "enum": Level.HIGH, "empty": "",
        "list": [1, "a", None, [True]], "tuple": (1.5,), "range": range(3), "map": {"k": {"l": [b"x"]}}, "bytearray": bytearray(b"ab"),
        "proxy": types.MappingProxyType({"a": 1}), "numpy_int": numpy.int32(7), "numpy_float": numpy.float32(0.5), "surrogate": "a\ud800b",
    }
    record_span(exporter, scope, attributes=attributes)
    stored = dict(traces(file)[0]["attributes"])
    assert set(stored) == set(attributes)
    assert (stored["str"], stored["bool"], stored["int"], stored["float"], stored["enum"]) == ("ä€😀", "false", str(-(2**63)), "0.25", "high")
    assert json.loads(stored["list"]) == [1, "a", None, [True]] and json.loads(stored["range"]) == [0, 1, 2]
    assert json.loads(stored["proxy"]) == {"a": 1} and (stored["numpy_int"], stored["numpy_float"]) == ("7", "0.5")
    assert stored["surrogate"] == "a\ufffdb"


def test_mappings_that_are_no_dictionary(exporter, scope, file):
    resource = exporter.create_resource(Resource({"service.name": "bank"}).attributes)  # the SDK's BoundedAttributes
    record_span(exporter, exporter.create_instrumentation_scope(resource, "s"), attributes=types.MappingProxyType({"a": 1}))
    (row,) = traces(file)
    assert row["service_name"] == "bank" and dict(row["attributes"]) == {"a": "1"}


def test_a_mapping_that_changes_while_it_is_read(exporter, scope, file):
    attributes = {f"k{n}": n for n in range(50)}

    class Spiteful:
        def __index__(self):
            attributes.clear()
            return 7

    attributes["bad"] = Spiteful()
    record_span(exporter, scope, attributes=attributes)
    assert len(dict(traces(file)[0]["attributes"])) == 51 and not attributes


def test_an_exporter_that_is_closed_while_it_reads_its_arguments(exporter, scope, file):
    class Closing:
        def __index__(self):
            exporter.close()
            return 7

    exporter.record_span_start(scope, TRACE, SPAN, None, 0, "a", 1, START, {"n": Closing()})
    assert exporter.closed
    assert dict(traces(file)[0]["attributes"])["n"] == "7"


def test_many_keys_and_records_larger_than_a_slot(exporter, scope, file):
    attributes = {f"key.{n}": "v" * 20 for n in range(4000)}
    for n in range(3):
        record_span(exporter, scope, span_id=bytes([n + 1] * 8), attributes=attributes)
    record_span(exporter, scope, span_id=b"\xff" * 8, attributes={"long": "x" * 4000})
    assert exporter.counters()["truncated"] == 0
    rows = [dict(row["attributes"]) for row in traces(file)]
    assert [len(row) for row in rows] == [4000] * 3 + [1] and rows[-1]["long"] == "x" * 4000


# --- what is wrong is said ---

NAN = float("nan")


@pytest.mark.parametrize(
    "arguments, error, says",
    [
        ({"scope": 12345}, OtlpExportError, "insturmentation_scope_ref is 12345, and must be a reference that create_instrumentation_scope gave"),
        ({"scope": -1}, OtlpExportError, "-1"),
        ({"scope": "a"}, TypeError, "insturmentation_scope_ref is 'a' (str)"),
        ({"scope": True}, TypeError, "insturmentation_scope_ref is True (bool)"),
        ({"scope": 2**70}, ValueError, "insturmentation_scope_ref"),
        ({"trace_id": b"short"}, ValueError, "record_span_start: trace_id is b'short', and must be 16 bytes; it has 5"),
        ({"trace_id": bytes(17)}, ValueError, "it has 17"),
        ({"trace_id": bytes(16)}, ValueError, "zero"),
        ({"trace_id": "a" * 16}, TypeError, "trace_id is 'aaaaaaaaaaaaaaaa' (str), and must be 16 bytes"),
        ({"trace_id": 7}, TypeError, "trace_id is 7 (int)"),
        ({"trace_id": [300] * 16}, ValueError, "16 bytes"),
        ({"span_id": bytes(8)}, ValueError, "span_id"),
        ({"span_id": TRACE}, ValueError, "must be 8 bytes; it has 16"),
        ({"span_id": None}, TypeError, "span_id is None"),
        ({"parent_span_id": b"abc"}, ValueError, "parent_span_id"),
        ({"flags": -1}, ValueError, "flags is -1"),
        ({"flags": 2**32}, ValueError, "0 to 2**32 - 1"),
        ({"flags": "1"}, TypeError, "flags"),
        ({"name": None}, TypeError, "name is None (NoneType), and must be a str"),
        ({"name": b"a"}, TypeError, "name"),
        ({"kind": 6}, ValueError, "kind is 6, and must be a SpanKind"),
        ({"kind": "sever"}, ValueError, "kind is 'sever'"),
        ({"kind": 1.0}, TypeError, "kind"),
        ({"start": -1}, ValueError, "start_time_unix_nano is -1"),
        ({"start": 0}, ValueError, "1 to 2**63 - 1"),
        ({"start": 2**63}, ValueError, "start_time_unix_nano"),
        ({"start": 1.5}, TypeError, "start_time_unix_nano is 1.5 (float)"),
        ({"attributes": [1]}, TypeError, "attributes is [1] (list), and must be a mapping or None"),
        ({"attributes": "ab"}, TypeError, "mapping"),
        ({"attributes": {1: 2}}, TypeError, "mapping whose keys are str"),
        ({"attributes": {"a": object}}, TypeError, "attributes['a'] is <class 'object'> (type)"),
        ({"attributes": {"a": {1, 2}}}, TypeError, "attributes['a']"),
        ({"attributes": {"a": [2**64]}}, ValueError, "64 bits"),
        ({"attributes": {"a": {"b": 2**63}}}, ValueError, "64 bits"),
        ({"trace_state": 5}, TypeError, "trace_state"),
        ({"dropped_attributes_count": -1}, ValueError, "dropped_attributes_count"),
    ],
)
def test_wrong_arguments_of_a_span(exporter, scope, file, arguments, error, says):
    given = {"scope": scope, "trace_id": TRACE, "span_id": SPAN, "parent_span_id": None, "flags": 0, "name": "a", "kind": 1, "start": START, "attributes": {}}
    more = {key: value for key, value in arguments.items() if key not in given}
    given.update({key: value for key, value in arguments.items() if key in given})
    with pytest.raises(error) as caught:
        exporter.record_span_start(*given.values(), **more)
    assert says in str(caught.value) and str(caught.value).startswith("record_span_start: ")
    assert recorded_spans(file) == 0


def test_wrong_references_of_every_function(exporter, scope):
    metric = exporter.create_metric_stream(scope, "m", "", "", "gauge")
    text = exporter.record_string("text")
    for call in (
        lambda: exporter.create_instrumentation_scope(scope, "a"),
        lambda: exporter.create_instrumentation_scope(999, "a"),
        lambda: exporter.create_metric_stream(metric, "m", "", "", "gauge"),
        lambda: exporter.record_measurement(scope, {}, START, 1),
        lambda: exporter.record_measurement(0, {}, START, 1),
        lambda: exporter.record_event(metric, None, text, START, {}),
        lambda: exporter.record_event(scope, None, metric, START, {}),
        lambda: exporter.record_span_end(text, TRACE, SPAN, START),
        lambda: exporter.record_span_name(text, TRACE, SPAN, "a"),
        lambda: exporter.record_span_attributes(text, TRACE, SPAN, {}),
        lambda: exporter.record_span_status(text, TRACE, SPAN, 1),
        lambda: exporter.record_span_link(text, TRACE, SPAN, TRACE, SPAN),
    ):
        with pytest.raises(OtlpExportError, match="must be a reference that (record_string|create_[a-z_]+) gave for '.*program.mmap'"):
            call()


def test_wrong_arguments_of_the_other_functions(exporter, scope):
    metric = exporter.create_metric_stream(scope, "m", "", "", "gauge")
    nested = []
    nested.append(nested)
    for error, says, call in (
        (TypeError, "string is 5", lambda: exporter.record_string(5)),
        (TypeError, "value is 'a'", lambda: exporter.record_measurement(metric, {}, START, "a")),
        (TypeError, "value is True", lambda: exporter.record_measurement(metric, {}, START, True)),
        (TypeError, "span_context is 5", lambda: exporter.record_measurement(metric, {}, START, 1, 5)),
        (ValueError, "trace_id and span_id", lambda: exporter.record_measurement(metric, {}, START, 1, {"trace_id": TRACE})),
        (ValueError, "trace_id and span_id", lambda: exporter.record_event(scope, {"trace_id": TRACE, "span_id": SPAN, "x": 1}, 0, START, {})),
        (ValueError, "span_context['span_id']", lambda: exporter.record_event(scope, {"trace_id": TRACE, "span_id": TRACE}, 0, START, {})),
        (ValueError, "severity_number is 25", lambda: exporter.record_event(scope, None, 0, START, {}, severity_number=25)),
        (TypeError, "body is", lambda: exporter.record_event(scope, None, 0, START, {}, body=object())),
        (ValueError, "hold themselves", lambda: exporter.record_event(scope, None, 0, START, {"a": nested})),
        (ValueError, "end_time_unix_nano is -5", lambda: exporter.record_span_end(scope, TRACE, SPAN, -5)),
        (ValueError, "status_code is 3", lambda: exporter.record_span_end(scope, TRACE, SPAN, START, status_code=3)),
        (TypeError, "status_message", lambda: exporter.record_span_status(scope, TRACE, SPAN, 1, 5)),
        (ValueError, "linked_span_id", lambda: exporter.record_span_link(scope, TRACE, SPAN, TRACE, TRACE)),
        (TypeError, "attributes is 5", lambda: exporter.create_resource(5)),
        (TypeError, "schema_url is 5", lambda: exporter.create_resource({}, 5)),
        (TypeError, "name is None", lambda: exporter.create_instrumentation_scope(0, None)),
        (TypeError, "version is 5", lambda: exporter.create_instrumentation_scope(0, "a", 5)),
        (TypeError, "attributs", lambda: exporter.create_instrumentation_scope(0, "a", attributs={}, attributes={})),
    ):
        with pytest.raises(error) as caught:
            call()
        assert says in str(caught.value)


@pytest.mark.parametrize("levels, fits", [(30, True), (40, False)])
def test_depth(exporter, scope, levels, fits):
    value = "deep"
    for _ in range(levels):
        value = [value]
    if fits:
        return record_span(exporter, scope, attributes={"a": value})
    with pytest.raises(ValueError, match="32 levels"):
        record_span(exporter, scope, attributes={"a": value})


@pytest.mark.parametrize(
    "aggregation, error, says",
    [
        (None, TypeError, "aggregation is None"),
        ("sun", ValueError, "'sum'"),
        ({}, ValueError, "aggregation is {}"),
        ({"sum": {}, "gauge": {}}, ValueError, "aggregation"),
        ({"sum": 5}, TypeError, "aggregation['sum'] is 5"),
        ({"sum": {"monotonic": True}}, ValueError, "has no field 'monotonic'; allowed are aggregation_temporality, is_monotonic"),
        ({"sum": {"is_monotonic": 1}}, TypeError, "is_monotonic is 1"),
        ({"sum": {"aggregation_temporality": "often"}}, ValueError, "aggregation_temporality is 'often'"),
        ({"sum": {"aggregation_temporality": 3}}, ValueError, "aggregation_temporality is 3"),
        ({"sum": {"aggregation_temporality": None}}, TypeError, "aggregation_temporality is None"),
        (Histogram(bucket_boundaries=(2, 1)), ValueError, "increasing"),
        (Histogram(bucket_boundaries=(1, NAN)), ValueError, "bucket_boundaries"),
        (Histogram(bucket_boundaries="12"), TypeError, "list of numbers"),
        (ExpHistogram(max_buckets=1), ValueError, "max_buckets is 1"),
        (ExpHistogram(max_scale=21), ValueError, "max_scale is 21"),
        (ExpHistogram(max_scale=1.0), TypeError, "max_scale"),
    ],
)
def test_wrong_aggregations(exporter, scope, aggregation, error, says):
    with pytest.raises(error) as caught:
        exporter.create_metric_stream(scope, "m", "", "", aggregation)
    assert says in str(caught.value)


def test_wrong_calls(exporter, scope):
    for says, call in (
        ("lacks its argument 'span_id'", lambda: exporter.record_span_end(scope, TRACE)),
        ("lacks its argument 'insturmentation_scope_ref'", lambda: exporter.record_span_end(trace_id=TRACE)),
        ("takes 4 positional arguments, and 5 were given", lambda: exporter.record_span_end(scope, TRACE, SPAN, START, 1)),
        ("has no argument 'ended'", lambda: exporter.record_span_end(scope, TRACE, SPAN, ended=START)),
        ("got its argument 'trace_id' twice", lambda: exporter.record_span_end(scope, TRACE, SPAN, START, trace_id=TRACE)),
        ("lacks its argument 'insturmentation_scope_ref'", lambda: exporter.create_metric_stream(name="m", aggregation="gauge")),
        ("not initialised", lambda: MmapExporter.__new__(MmapExporter).record_string("a")),
    ):
        with pytest.raises(TypeError, match=says):
            call()


def test_the_aliases_exclude_each_other(exporter, scope):
    with pytest.raises(TypeError, match="twice"):
        exporter.record_span_end(scope, TRACE, SPAN, START, instrumentation_scope_ref=scope)
    with pytest.raises(TypeError, match="twice"):
        exporter.create_metric_stream(scope, "m", aggregation="gauge", instrumentation_scope_ref=scope)


@pytest.mark.parametrize(
    "options, says",
    [
        ({"spans_slots": 100}, "100"),
        ({"spans_slots": "64"}, "spans_slots: '64'"),
        ({"spans_slots": -1}, "spans_slots: -1"),
        ({"events_slot_bytes": 3}, "3"),
        ({"dictionary_max_bytes": 1}, "1"),
        ({"when_full": "wait"}, "when_full: 'wait' is unknown; allowed are 'drop_newest' and 'block'"),
        ({"max_block_ms": 2**32}, "max_block_ms"),
    ],
)
def test_wrong_options(file, options, says):
    with pytest.raises(OtlpConfigError) as caught:
        MmapExporter(file, **options)
    assert says in str(caught.value) and not file.exists()


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(OtlpIOError, match="nowhere"):
        MmapExporter(tmp_path / "nowhere" / "a.mmap")
    noise = tmp_path / "noise"
    noise.write_bytes(b"no ring" * 1000)
    with pytest.raises(OtlpIOError, match="noise"):
        MmapExporter(noise)
    with pytest.raises(TypeError, match="path"):
        MmapExporter(b"bytes")


# --- the exporter itself ---


def test_closing(file):
    with MmapExporter(str(file), **SMALL) as exporter:
        assert exporter.path == str(file) and not exporter.closed
        assert repr(exporter) == f"<MmapExporter '{file}'>"
        scope = exporter.create_instrumentation_scope(exporter.create_resource({}), "s")
        record_span(exporter, scope)
        assert exporter.counters() == {"dropped": 0, "truncated": 0, "reclaimed": 0}
    assert exporter.closed and "(closed)" in repr(exporter)
    exporter.close()
    assert exporter.counters()["dropped"] == 0
    for call in (lambda: record_span(exporter, scope), lambda: exporter.create_resource({}), lambda: exporter.record_string("a")):
        with pytest.raises(OtlpShutdownError, match="is closed"):
            call()
    assert len(traces(file)) == 1


def test_a_full_ring_drops_and_counts(file):
    with MmapExporter(file, spans_slots=64) as exporter:
        scope = exporter.create_instrumentation_scope(exporter.create_resource({}), "s")
        for n in range(50):
            record_span(exporter, scope, span_id=(n + 1).to_bytes(8, "big"))
        assert exporter.counters()["dropped"] == 36
    assert len(traces(file)) == 32


def test_a_full_ring_blocks_without_the_gil_for_a_bounded_time(file):
    with MmapExporter(file, spans_slots=64, when_full="block", max_block_ms=300) as exporter:
        scope = exporter.create_instrumentation_scope(exporter.create_resource({}), "s")
        for n in range(32):
            record_span(exporter, scope, span_id=(n + 1).to_bytes(8, "big"), attributes={"n": [n]})
        ticks = []
        waiting = threading.Thread(target=lambda: record_span(exporter, scope, attributes={"late": [str(1.5)]}))
        waiting.start()
        while waiting.is_alive():
            ticks.append(1)
        assert len(ticks) > 100  # this thread ran meanwhile
        assert exporter.counters()["dropped"] == 2
    assert len(traces(file)) == 32


def test_threads(exporter, scope, file):
    def work(thread):
        for n in range(500):
            record_span(exporter, scope, span_id=bytes([thread + 1]) + n.to_bytes(7, "big"), attributes={f"key{thread}": n, "shared": "x" * (n % 300)})

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = traces(file)
    assert len(rows) == 4000
    for row in rows:
        thread, n = int(row["span_id"][:2], 16) - 1, int(row["span_id"][2:], 16)
        assert dict(row["attributes"]) == {f"key{thread}": str(n), "shared": "x" * (n % 300)}


def fork_child(exporter, scope, child):
    for n in range(200):
        record_span(exporter, scope, span_id=bytes([child]) + n.to_bytes(7, "big"), attributes={"child": child, f"of.{child}": n})


def test_forked_children_go_on(exporter, scope, file):
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=fork_child, args=(exporter, scope, n)) for n in (2, 3)]
    for child in children:
        child.start()
    fork_child(exporter, scope, 1)
    for child in children:
        child.join(30)
        assert child.exitcode == 0
    rows = traces(file)
    assert len(rows) == 600
    assert all(dict(row["attributes"])["child"] == str(int(row["span_id"][:2], 16)) for row in rows)


def test_two_exporters_of_one_file(file):
    with MmapExporter(file) as one, MmapExporter(file) as two:
        refs = [to.create_instrumentation_scope(to.create_resource({"a": 1}), "s") for to in (one, two)]
        assert refs[0] == refs[1]
        record_span(one, refs[0], span_id=b"1" * 8)
        record_span(two, refs[1], span_id=b"2" * 8)
    assert len(traces(file)) == 2


# --- the functions of the module ---

ENVIRONMENT_PROGRAM = """
import sys, time
from otlp_arrow_library import mmap
from otlp_arrow_library.mmap import *

assert not mmap.exporter().path
resource = create_resource({"service.name": "environment"})
scope = create_instrumentation_scope(resource, "s")
metric = create_metric_stream(scope, "m", "", "", {"sum": {"aggregation_temporality": "DELTA", "is_monotonic": True}})
trace, span = b"t" * 16, b"s" * 8
now = time.time_ns()
record_span_start(scope, trace, span, None, 1, "a", SpanKind.SERVER, now, {"k": "v"})
record_span_name(scope, trace, span, "b")
record_span_attributes(scope, trace, span, {"l": 1})
record_span_link(scope, trace, span, trace, b"x" * 8)
record_event(scope, {"trace_id": trace, "span_id": span}, record_string("e"), now, {})
record_event(scope, None, 0, now, {}, body="log")
record_measurement(metric, {}, now, 3)
record_span_status(scope, trace, span, StatusCode.OK)
record_span_end(scope, trace, span, now + 1)
print(mmap.exporter().path)
"""


def test_module_functions_on_the_file_of_the_environment(file):
    done = programs.run(ENVIRONMENT_PROGRAM, env={**os.environ, "SDK_MMAP_EXPORTER_FILE": str(file)})
    assert done.stdout.strip() == str(file)
    read = collected(file)
    (row,) = read.traces().to_pyarrow().to_pylist()
    assert row["name"] == "b" and row["service_name"] == "environment" and len(row["events"]) == len(row["links"]) == 1
    assert read.metrics().count() == 1
    assert [row["body"] for row in read.logs().to_pyarrow().to_pylist()] == ["log"]


def test_the_environment_is_looked_at_when_it_is_needed(file, monkeypatch):
    monkeypatch.delenv("SDK_MMAP_EXPORTER_FILE", raising=False)
    fresh = MmapExporter._from_environment()
    assert "SDK_MMAP_EXPORTER_FILE" in repr(fresh) and fresh.counters()["dropped"] == 0
    for value in (None, ""):
        if value is not None:
            monkeypatch.setenv("SDK_MMAP_EXPORTER_FILE", value)
        with pytest.raises(OtlpConfigError, match=r"record_string: no file .* SDK_MMAP_EXPORTER_FILE is (not set|empty); set it .*export SDK_MMAP"):
            fresh.record_string("a")
    monkeypatch.setenv("SDK_MMAP_EXPORTER_FILE", str(file))
    assert fresh.record_string("a") > 0 and fresh.path == str(file)
    fresh.close()


def test_the_sample(tmp_path):
    subprocess.run([sys.executable, ROOT / "docs/samples/python_mmap.py"], cwd=tmp_path, check=True, timeout=60)
    read = collected(tmp_path / "shop.mmap")
    assert [row["name"] for row in read.traces().to_pyarrow().to_pylist()] == ["POST /orders"]
    assert [row["metric_name"] for row in read.metrics().to_pyarrow().to_pylist()] == ["orders"]


def test_everything_says_what_it_is():
    for name in mmap.__all__:
        assert getattr(mmap, name) is not None
    for name in (n for n in mmap.__all__ if n.startswith(("record_", "create_"))):
        assert getattr(mmap, name).__doc__ and getattr(MmapExporter, name).__doc__


def test_no_references_leak(exporter, scope):
    value, attributes = "a value of its own", None
    attributes = {"a key of its own": value, "list": [value], "n": 5}
    record_span(exporter, scope, attributes=attributes)
    before = sys.getrefcount(value), sys.getrefcount(attributes), sys.getrefcount(TRACE), sys.getrefcount(None)
    for _ in range(300):
        record_span(exporter, scope, attributes=attributes)
        with pytest.raises(ValueError):
            exporter.record_span_end(scope, TRACE, SPAN, -1)
    after = sys.getrefcount(value), sys.getrefcount(attributes), sys.getrefcount(TRACE), sys.getrefcount(None)
    assert all(abs(x - y) < 100 for x, y in zip(before, after))
