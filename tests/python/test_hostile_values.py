"""Values and arguments that no well-behaved program passes: they cost an item at most, never the process or the batch."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import export as points
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

CONTEXT = SpanContext(1, 2, False)


def encoded(value: Any) -> Any:
    """What becomes of `value` as an attribute."""
    from otlp_arrow_library import _native

    message = ExportTraceServiceRequest()
    message.ParseFromString(_native.encode_spans([{"trace_id": 1, "span_id": 2, "attributes": {"v": value}}]))
    return message.resource_spans[0].scope_spans[0].spans[0].attributes[0].value


class Unprintable:
    def __str__(self) -> str:
        raise ValueError("no text for you")

    __repr__ = __str__


class NotText:
    def __str__(self) -> Any:
        return 5


class Broken(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        raise OSError("gone")

    def __len__(self) -> int:
        return 1


class LyingSequence(Sequence[int]):
    def __getitem__(self, index: Any) -> Any:
        if index == 2:
            raise RuntimeError("lost")
        return index

    def __len__(self) -> int:
        return 10


class Indexable:
    def __index__(self) -> int:
        return 42


class BrokenClass:
    @property
    def __class__(self) -> Any:
        raise RuntimeError("who knows")

    def __str__(self) -> str:
        return "broken class"


class Text(str):
    def __str__(self) -> str:
        raise ValueError("never called")


class Int(int):
    def __repr__(self) -> str:
        raise ValueError("never called")

    __str__ = __repr__


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Unprintable(), "<test_hostile_values.Unprintable: str() raised ValueError>"),
        (NotText(), "<test_hostile_values.NotText: str() raised TypeError>"),
        (Broken(), "<test_hostile_values.Broken: reading raised OSError>"),
        (LyingSequence(), "<test_hostile_values.LyingSequence: reading raised RuntimeError>"),
        ("a\ud800b", "a\ufffdb"),
        ("\udcff", "\ufffd"),
        ("\ud83e\udd80", "🦀"),
        ("ü\ud83e\udd80\ud83e", "ü🦀\ufffd"),
        (2**63, str(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (10**5000, hex(10**5000)),
        (1 + 2j, "(1+2j)"),
        ({1, 2}, "{1, 2}"),
    ],
    ids=lambda value: type(value).__name__,  # pytest prints them no better than others do
)
def test_becomes_text(value, text):
    assert encoded(value).string_value == text


def test_broken_classes():
    assert encoded(BrokenClass()).string_value == "broken class"
    assert encoded(Text("kept")).string_value == "kept"


def test_numbers_of_other_libraries():
    import numpy

    assert encoded(Indexable()).int_value == 42
    assert encoded(numpy.int64(-7)).int_value == -7
    assert encoded(numpy.float64(0.5)).double_value == 0.5
    assert encoded(Int(7)).int_value == 7
    assert encoded(Int(2**70)).string_value == str(2**70)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_no_mistake_goes_on(error):
    class Interrupting:
        def __str__(self) -> str:
            raise error

    with pytest.raises(error):
        encoded(Interrupting())


def test_a_list_that_holds_itself():
    endless: list[Any] = [1]
    endless.append(endless)
    assert [v.WhichOneof("value") for v in encoded(endless).array_value.values] == ["int_value", "string_value"]
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    assert encoded(mapping).kvlist_value.values[0].value.string_value == "<contains itself>"


def test_nesting_has_an_end(library):
    deep: list[Any] = []
    for _ in range(10_000):
        deep = [deep]
    value, depth = encoded(deep), 0
    while value.HasField("array_value"):
        value, depth = value.array_value.values[0], depth + 1
    assert (depth, value.string_value) == (30, "<nested too deep>")
    library.export_trace({"trace_id": 1, "span_id": 2, "attributes": {"deep": deep}})  # and the store takes it
    assert library.stats().traces.received == 1


@pytest.mark.timeout(60)
def test_lists_that_hold_each_other_over_and_over_end():
    laughs: list[Any] = ["ha"]
    for _ in range(59):
        laughs = [laughs] * 10
    assert encoded(laughs).HasField("array_value")


def test_a_list_of_very_many_says_that_it_was_cut():
    values = encoded([0] * (2**20 + 1)).array_value.values
    assert len(values) == 2**20 + 1 and values[-1].string_value == "<more elements are left out>"


def test_keys_that_are_no_text():
    from otlp_arrow_library import _native

    message = ExportTraceServiceRequest()
    attributes = {5: "int", None: "none", ("t",): "tuple", "": "empty", "a\ud800": "surrogate", Unprintable(): "object"}
    message.ParseFromString(_native.encode_spans([{"trace_id": 1, "span_id": 2, "attributes": attributes}]))
    keys = [a.key for a in message.resource_spans[0].scope_spans[0].spans[0].attributes]
    # A dictionary's None key is as good as no name.
    assert keys == ["5", "", "('t',)", "", "a\ufffd", "<test_hostile_values.Unprintable: str() raised ValueError>"]


def test_hostile_texts_everywhere_are_stored(library):
    bad = "x\ud800"
    span = {
        "trace_id": 1,
        "span_id": 2,
        "name": bad,
        "attributes": {bad: bad},
        "events": [{"name": bad}],
        "status": {"code": 2, "message": bad},
        "trace_state": bad,
        "resource": {bad: bad},
        "scope": {"name": bad, "version": bad},
    }
    library.export_trace(span)
    library.export_logs([{"body": bad, "severity_text": bad, "event_name": bad, "attributes": {bad: Unprintable()}}])
    library.flush()
    assert library.stats().traces.stored == 1 and library.stats().logs.stored == 1


class Changing:
    """Changes the container that it stands in while it is written."""

    def __init__(self, change: Any) -> None:
        self.change = change

    def __str__(self) -> str:
        self.change()
        gc.collect()
        return "changed"


def test_containers_that_change_while_they_are_read():
    attributes: dict[str, Any] = {f"k{n}": "x" * n for n in range(20)}
    attributes["hostile"] = Changing(attributes.clear)
    attributes.update({f"z{n}": [n] for n in range(20)})
    value = encoded(attributes).kvlist_value
    assert len(value.values) == 41 and attributes == {}

    elements: list[Any] = [Changing(lambda: elements.clear()), "a" * 1000, "b"]
    assert [v.string_value for v in encoded(elements).array_value.values] == ["changed", "a" * 1000, "b"]


def test_span_dictionary_that_changes_while_it_is_read():
    from otlp_arrow_library import _native

    span: dict[str, Any] = {"trace_id": 1, "span_id": 2, "attributes": {}, "name": "kept", "events": [{"name": "e"}]}
    span["attributes"]["hostile"] = Changing(span.clear)
    message = ExportTraceServiceRequest()
    message.ParseFromString(_native.encode_spans([span]))
    [read] = message.resource_spans[0].scope_spans[0].spans
    assert (read.name, read.events[0].name, span) == ("kept", "e", {})


def test_spans_list_that_shrinks_while_it_is_read():
    from otlp_arrow_library import _native

    spans: list[Any] = []
    spans.extend({"trace_id": 1, "span_id": n + 1, "attributes": {"v": Changing(spans.clear) if n == 3 else n}} for n in range(10))
    message = ExportTraceServiceRequest()
    message.ParseFromString(_native.encode_spans(spans))
    assert len(message.resource_spans[0].scope_spans[0].spans) == 4


@pytest.mark.timeout(60)
def test_open_spans_that_other_threads_write_to():
    """Every reading sees each attribute that was there all the time, though it is replaced without pause."""
    from otlp_arrow_library import _native

    span = TracerProvider().get_tracer("t").start_span("busy", attributes={f"k{n}": n for n in range(20)})
    stop = threading.Event()
    seen: list[int] = []

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            span.set_attribute(f"k{n % 20}", n)
            span.add_event("e", {"n": n})
            span.update_name(f"busy-{n}")

    old = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    writers = [threading.Thread(target=write) for _ in range(3)]
    try:
        for writer in writers:
            writer.start()
        for _ in range(300):
            message = ExportTraceServiceRequest()
            message.ParseFromString(_native.encode_spans([span]))
            [read] = message.resource_spans[0].scope_spans[0].spans
            seen.append(len({a.key for a in read.attributes}))
    finally:
        stop.set()
        for writer in writers:
            writer.join()
        sys.setswitchinterval(old)
    assert set(seen) == {20}


def test_the_lock_of_an_open_span_that_nobody_gives_back():
    """As after a fork while another thread held it: read without it rather than never."""
    from otlp_arrow_library import _native

    span = TracerProvider().get_tracer("t").start_span("s", attributes={"a": 1})
    span._attributes._lock.acquire()
    message = ExportTraceServiceRequest()
    message.ParseFromString(_native.encode_spans([span]))
    assert message.resource_spans[0].scope_spans[0].spans[0].attributes[0].key == "a"


SPAN = {"trace_id": 1, "span_id": 2}


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        (None, ["NoneType", "iterable of spans"]),
        (5, ["5", "int", "iterable of spans"]),
        ("spans", ["'spans'", "str"]),
        (SPAN, ["dict", "export_trace"]),
        ([None], ["span 1 of 1", "NoneType", "ReadableSpan"]),
        ([SPAN, "x"], ["span 2 of 2", "'x'", "str"]),
        ([{"trace_id": 1}], ["no span_id"]),
        ([{"span_id": 1}], ["no trace_id"]),
        ([{**SPAN, "nmae": "x"}], ["'nmae'", "name"]),
        ([{**SPAN, "trace_id": -1}], ["trace_id is -1", "2**128"]),
        ([{**SPAN, "trace_id": 2**128}], ["trace_id", "2**128"]),
        ([{**SPAN, "span_id": 2**64}], ["span_id", "2**64"]),
        ([{**SPAN, "span_id": "xyz"}], ["span_id is 'xyz'", "16 hexadecimal digits"]),
        ([{**SPAN, "trace_id": b"short"}], ["trace_id", "16 bytes"]),
        ([{**SPAN, "trace_id": True}], ["trace_id is True"]),
        ([{**SPAN, "kind": "sever"}], ["kind is 'sever'", "server"]),
        ([{**SPAN, "kind": 9}], ["kind is 9"]),
        ([{**SPAN, "start_time": -1}], ["start_time", "-1"]),
        ([{**SPAN, "start_time": 1.5}], ["start_time", "float"]),
        ([{**SPAN, "start_time": "yesterday"}], ["yesterday", "ISO 8601"]),
        ([{**SPAN, "start_time": 1, "start_time_unix_nano": 1}], ["both"]),
        ([{**SPAN, "attributes": [1]}], ["attributes is [1]", "mapping"]),
        ([{**SPAN, "attributes": "text"}], ["attributes is 'text'", "mapping"]),
        ([{**SPAN, "events": 5}], ["events is 5", "list"]),
        ([{**SPAN, "events": [5]}], ["int"]),
        ([{**SPAN, "links": [{}]}], ["link has no trace_id"]),
        ([{**SPAN, "status": "bad"}], ["status is 'bad'", "error"]),
        ([{**SPAN, "status": {"cod": 1}}], ["status has the key 'cod'"]),
        ([{**SPAN, "resource": 5}], ["resource is 5", "Resource"]),
        ([{**SPAN, "scope": 5}], ["scope is 5", "InstrumentationScope"]),
        ([{**SPAN, "flags": -1}], ["flags is -1"]),
        ([{**SPAN, "dropped_events_count": "x"}], ["dropped_events_count is 'x'"]),
        ([ReadableSpan("s")], ["span 1 of 1", "no context"]),
        ([ReadableSpan("s", CONTEXT, start_time=-1)], ["start_time is -1"]),
        ([ReadableSpan("s", CONTEXT, end_time="now")], ["end_time is 'now'"]),
        ([ReadableSpan("s", CONTEXT, kind="server")], ["kind is 'server'"]),
        ([ReadableSpan("s", CONTEXT, status=5)], ["status is 5"]),
        ([ReadableSpan("s", CONTEXT, events=5)], ["TypeError"]),
        ([ReadableSpan("s", CONTEXT, events=[5])], ["AttributeError"]),
        ([ReadableSpan("s", CONTEXT, attributes=5)], ["attributes is 5"]),
        ([ReadableSpan("s", (1, 2))], ["span context", "SpanContext"]),
        ([ReadableSpan("s", SpanContext(-1, 2, False))], ["trace_id is -1"]),
        ([ReadableSpan("s", CONTEXT, parent=5)], ["span context is 5"]),
    ],
)
def test_wrong_spans_are_refused_with_words(library, spans, words):
    from otlp_arrow_library import OtlpExportError

    with pytest.raises(OtlpExportError) as caught:
        library.export_traces(spans)
    for word in words:
        assert word in caught.value.message
    assert not caught.value.retryable
    assert library.stats().traces.received == 0


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (None, ["NoneType", "iterable of log records"]),
        ([5], ["log record 1 of 1", "int", "ReadableLogRecord"]),
        ([{"bdoy": 1}], ["'bdoy'", "body"]),
        ([{"severity_number": 25}], ["severity_number is 25", "0 to 24"]),
        ([{"severity_number": "WARN"}], ["severity_number is 'WARN'"]),
        ([{"trace_id": "zz"}], ["trace_id is 'zz'"]),
        ([{"attributes": 1}], ["attributes is 1"]),
        ([{"timestamp": 2**64}], ["2**64"]),
    ],
)
def test_wrong_logs_are_refused_with_words(library, records, words):
    from otlp_arrow_library import OtlpExportError

    with pytest.raises(OtlpExportError) as caught:
        library.export_logs(records)
    for word in words:
        assert word in caught.value.message


def metrics_of(data: Any, name: Any = "m", scope: Any = None, resource: Any = None) -> points.MetricsData:
    metric = points.Metric(name, "", "", data)
    scope_metrics = points.ScopeMetrics(scope or InstrumentationScope("s"), [metric], "")
    return points.MetricsData([points.ResourceMetrics(resource or Resource({}), [scope_metrics], "")])


def gauge(value: Any, **changes: Any) -> points.Gauge:
    fields = {"attributes": {}, "start_time_unix_nano": 1, "time_unix_nano": 2, "value": value, **changes}
    return points.Gauge([points.NumberDataPoint(**fields)])


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        (None, ["NoneType", "MetricsData"]),
        (5, ["5", "int", "MetricsData", "ResourceMetrics", "opentelemetry.metrics", "MeterProvider"]),
        ([], ["list"]),
        (sys, ["module", "MetricsData"]),
        (points.MetricsData(5), ["5"]),
        (points.MetricsData([5]), ["resource metric 1 of 1", "AttributeError"]),
        (metrics_of(5), ["metric 'm'", "data is 5", "Sum"]),
        (metrics_of(gauge("x")), ["metric 'm'", "value is 'x'", "int or a float"]),
        (metrics_of(gauge(None)), ["value is None"]),
        (metrics_of(gauge(1, time_unix_nano=-1)), ["time_unix_nano is -1"]),
        (metrics_of(gauge(1, attributes=5)), ["attributes is 5"]),
        (metrics_of(gauge(10**400)), ["no float holds"]),
        (metrics_of(points.Gauge(5)), ["data_points is 5"]),
        (metrics_of(gauge(1), scope=5), ["scope is 5"]),
    ],
)
@pytest.mark.parametrize("method", ["export_metrics", "export_metrics_ref"])
def test_wrong_metrics_are_refused_with_words(library, method, metrics, words):
    from otlp_arrow_library import OtlpExportError

    with pytest.raises(OtlpExportError) as caught:
        getattr(library, method)(metrics)
    for word in words:
        assert word in caught.value.message
    assert library.stats().metrics.received == 0


def test_metric_values_beyond_64_bits_stay_numbers(library):
    library.export_metrics(metrics_of(gauge(2**80)))
    library.export_metrics(metrics_of(gauge(float("nan"))))
    library.export_metrics(metrics_of(gauge(float("-inf")), name="\ud800"))
    library.flush()
    assert library.stats().metrics.stored == 3


def test_the_cause_of_an_error_is_kept():
    from otlp_arrow_library import OtlpExportError, _native

    class Exploding(ReadableSpan):
        @property
        def name(self) -> str:
            raise LookupError("no name today")

    with pytest.raises(OtlpExportError, match="span 2 of 2.*Exploding.*LookupError: no name today") as caught:
        _native.encode_spans([ReadableSpan("s", CONTEXT), Exploding("s", CONTEXT)])
    assert isinstance(caught.value.__cause__, LookupError)


def test_nothing_leaks():
    """The conversion gives back what it borrows, in refusals too."""
    from otlp_arrow_library import OtlpExportError, _native

    value = Unprintable()
    text = "x\ud800" * 3
    span = {**SPAN, "attributes": {"v": value, "t": text, "l": [value, (value,)], "m": {"k": value}}, "resource": {"v": value}}
    bad = {**SPAN, "attributes": {"v": value}, "events": [{"attributes": {"v": value}}, 5]}

    def run() -> None:
        _native.encode_spans([span] * 3)
        _native.encode_logs([{"body": [value, text]}])
        with pytest.raises(OtlpExportError):
            _native.encode_spans([span, bad])

    run()
    gc.collect()
    before = sys.getrefcount(value), sys.getrefcount(text), sys.getrefcount(span)
    for _ in range(50):
        run()
    gc.collect()
    assert (sys.getrefcount(value), sys.getrefcount(text), sys.getrefcount(span)) == before


def test_log_bodies_of_every_kind_are_kept():
    from otlp_arrow_library import _native

    bodies = [None, True, 5, 0.5, "t", b"b", [1], (1,), {"k": 1}, Unprintable(), 2**70, {1}]
    message = ExportLogsServiceRequest()
    message.ParseFromString(_native.encode_logs([{"body": body} for body in bodies]))
    kinds = [r.body.WhichOneof("value") for r in message.resource_logs[0].scope_logs[0].log_records]
    text = "string_value"
    assert kinds == [
        None, "bool_value", "int_value", "double_value", text, "bytes_value", "array_value", "array_value", "kvlist_value", text, text, text,
    ]  # fmt: skip
