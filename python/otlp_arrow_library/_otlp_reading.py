"""OTLP requests in protobuf's wire format, read into the objects of `_received`: for tests, so without need for speed.

The numbers are those of opentelemetry-proto 1.x; fields that it does not have are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from . import _received as received

_VARINT, _FIXED64, _LEN, _FIXED32 = 0, 1, 2, 5
_DOUBLE = struct.Struct("<d")
_U64, _U32 = struct.Struct("<Q"), struct.Struct("<I")

Read: TypeAlias = Callable[[Any], Any]
# By field number: the name, how to read a value, and is it a list.
Message: TypeAlias = dict[int, tuple[str, Read, bool]]


def read_spans(request: bytes) -> Iterator[received.ReceivedSpan]:
    """The spans of an ExportTraceServiceRequest, in order."""
    for resource, scope, span in _items(request, _SPAN):
        status = span.get("status", {})
        yield received.ReceivedSpan(
            name=span.get("name", ""),
            trace_id=span.get("trace_id", ""),
            span_id=span.get("span_id", ""),
            parent_span_id=span.get("parent_span_id") or None,
            trace_state=span.get("trace_state", ""),
            flags=span.get("flags", 0),
            kind=_name(_KINDS, span.get("kind", 0)),
            start_time=span.get("start_time", 0),
            end_time=span.get("end_time", 0),
            attributes=_attributes(span),
            events=[_event(event) for event in span.get("events", ())],
            links=[_link(link) for link in span.get("links", ())],
            status_code=_name(_STATUS_CODES, status.get("code", 0)),
            status_message=status.get("message", ""),
            dropped_attributes_count=span.get("dropped_attributes_count", 0),
            dropped_events_count=span.get("dropped_events_count", 0),
            dropped_links_count=span.get("dropped_links_count", 0),
            resource=resource,
            scope=scope,
        )


def read_metrics(request: bytes) -> Iterator[received.ReceivedMetric]:
    """The metrics of an ExportMetricsServiceRequest, in order."""
    for resource, scope, metric in _items(request, _METRIC):
        kind = next((k for k in _METRIC_KINDS if k in metric), "unspecified")
        data: dict[str, Any] = metric.get(kind, {})
        yield received.ReceivedMetric(
            name=metric.get("name", ""),
            description=metric.get("description", ""),
            unit=metric.get("unit", ""),
            type=kind.upper(),
            temporality=_name(_TEMPORALITIES, data.get("temporality", 0)) if kind in _WITH_TEMPORALITY else None,
            is_monotonic=bool(data.get("is_monotonic", False)) if kind == "sum" else None,
            points=[_point(kind, point) for point in data.get("points", ())],
            metadata=_attributes(metric, "metadata"),
            resource=resource,
            scope=scope,
        )


def read_logs(request: bytes) -> Iterator[received.ReceivedLogRecord]:
    """The log records of an ExportLogsServiceRequest, in order."""
    for resource, scope, record in _items(request, _LOG_RECORD):
        yield received.ReceivedLogRecord(
            body=record.get("body"),
            severity_number=record.get("severity_number", 0),
            severity_text=record.get("severity_text", ""),
            time=record.get("time", 0),
            observed_time=record.get("observed_time", 0),
            event_name=record.get("event_name", ""),
            trace_id=record.get("trace_id") or None,
            span_id=record.get("span_id") or None,
            flags=record.get("flags", 0),
            attributes=_attributes(record),
            dropped_attributes_count=record.get("dropped_attributes_count", 0),
            resource=resource,
            scope=scope,
        )


def count_containers(request: bytes) -> int:
    """How many ResourceSpans, ResourceMetrics or ResourceLogs a request holds."""
    return sum(1 for number, kind, _ in _fields(request) if number == 1 and kind == _LEN)


# --- objects from messages -------------------------------------------------------------------------------------------


def _items(request: bytes, item: Message) -> Iterator[tuple[received.ReceivedResource, received.ReceivedScope, dict[str, Any]]]:
    for container in _decode(request, {1: ("containers", _message(_CONTAINER), True)}).get("containers", ()):
        resource = _resource(container)
        for group in container.get("scopes", ()):
            scope = _scope(group)
            for encoded in group.get("items", ()):
                yield resource, scope, _decode(encoded, item)


def _resource(container: dict[str, Any]) -> received.ReceivedResource:
    message = container.get("resource", {})
    dropped = message.get("dropped_attributes_count", 0)
    return received.ReceivedResource(_attributes(message), dropped, container.get("schema_url", ""))


def _scope(group: dict[str, Any]) -> received.ReceivedScope:
    message = group.get("scope", {})
    return received.ReceivedScope(
        message.get("name", ""),
        message.get("version", ""),
        _attributes(message),
        message.get("dropped_attributes_count", 0),
        group.get("schema_url", ""),
    )


def _event(event: dict[str, Any]) -> received.ReceivedEvent:
    dropped = event.get("dropped_attributes_count", 0)
    return received.ReceivedEvent(event.get("name", ""), event.get("time", 0), _attributes(event), dropped)


def _link(link: dict[str, Any]) -> received.ReceivedLink:
    return received.ReceivedLink(
        link.get("trace_id", ""),
        link.get("span_id", ""),
        link.get("trace_state", ""),
        link.get("flags", 0),
        _attributes(link),
        link.get("dropped_attributes_count", 0),
    )


def _point(kind: str, point: dict[str, Any]) -> received.ReceivedDataPoint:
    optional: dict[str, Any] = {name: point[name] for name in ("sum", "min", "max", "zero_threshold") if name in point}
    if kind in ("gauge", "sum"):
        optional["value"] = point.get("as_int", point.get("as_double"))
    else:
        optional["count"] = point.get("count", 0)
    if kind == "histogram":
        optional |= {"bucket_counts": point.get("bucket_counts", []), "explicit_bounds": point.get("explicit_bounds", [])}
    elif kind == "exponential_histogram":
        optional |= {"scale": point.get("scale", 0), "zero_count": point.get("zero_count", 0)}
        optional |= {half: _buckets(point[half]) for half in ("positive", "negative") if half in point}
    elif kind == "summary":
        optional["quantiles"] = [(q.get("quantile", 0.0), q.get("value", 0.0)) for q in point.get("quantiles", ())]
    return received.ReceivedDataPoint(
        attributes=_attributes(point),
        time=point.get("time", 0),
        start_time=point.get("start_time", 0),
        flags=point.get("flags", 0),
        exemplars=[_exemplar(exemplar) for exemplar in point.get("exemplars", ())],
        **optional,
    )


def _buckets(message: dict[str, Any]) -> received.ReceivedBuckets:
    return received.ReceivedBuckets(message.get("offset", 0), message.get("bucket_counts", []))


def _exemplar(message: dict[str, Any]) -> received.ReceivedExemplar:
    return received.ReceivedExemplar(
        message.get("as_int", message.get("as_double")),
        message.get("time", 0),
        message.get("trace_id") or None,
        message.get("span_id") or None,
        _attributes(message),
    )


def _attributes(message: dict[str, Any], name: str = "attributes") -> received.Attributes:
    attributes: received.Attributes = {}
    for entry in message.get(name, ()):
        attributes.setdefault(entry.get("key", ""), entry.get("value"))
    return attributes


def _name(names: tuple[str, ...], number: int) -> str:
    return names[number] if 0 <= number < len(names) else str(number)


# --- messages from bytes ---------------------------------------------------------------------------------------------


def _fields(data: bytes) -> Iterator[tuple[int, int, Any]]:
    """(number, wire type, value) of each field: an int, or bytes. Raises `ValueError` where the framing is broken."""
    at, end = 0, len(data)
    while at < end:
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, kind, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _LEN:
            size, at = _varint(data, at)
        if size is None or size > end - at:
            raise ValueError(f"no OTLP: a field of wire type {kind} at byte {at} does not fit")
        piece = data[at : at + size]
        at += size
        if kind == _LEN:
            yield number, kind, piece
        else:
            yield number, kind, (_U64 if kind == _FIXED64 else _U32).unpack(piece)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError(f"no OTLP: a number at byte {at} does not end")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value & (2**64 - 1), at


def _decode(data: bytes, message: Message) -> dict[str, Any]:
    decoded: dict[str, Any] = {}
    for number, kind, value in _fields(data):
        if number not in message:
            continue
        name, read, many = message[number]
        if not many:
            decoded[name] = read(value)
        elif isinstance(read, _Packed):
            decoded.setdefault(name, []).extend(read.values(kind, value))
        else:
            decoded.setdefault(name, []).append(read(value))
    return decoded


class _Packed:
    """Numbers that come one by one or many in one field."""

    def __init__(self, kind: int, read: Read) -> None:
        self._kind = kind
        self._read = read

    def __call__(self, value: Any) -> Any:
        return self._read(value)

    def values(self, kind: int, value: Any) -> Iterator[Any]:
        if kind != _LEN:
            yield self._read(value)
        elif self._kind == _FIXED64:
            yield from (self._read(number) for (number,) in _U64.iter_unpack(value))
        else:
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                yield self._read(number)


def _message(message: Message) -> Read:
    return lambda data: _decode(data, message)


def _raw(data: bytes) -> bytes:
    return data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _hex(data: bytes) -> str:
    return data.hex()


def _number(value: int) -> int:
    return value


def _int64(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _int32(value: int) -> int:
    return _int64(value)


def _sint(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _double(value: int) -> float:
    return float(_DOUBLE.unpack(_U64.pack(value))[0])


def _any_value(data: bytes) -> received.Value:
    value: received.Value = None
    for _, read in _decode(data, _ANY_VALUE).items():
        value = read
    return value


def _array(data: bytes) -> list[received.Value]:
    return list(_decode(data, {1: ("values", _any_value, True)}).get("values", ()))


def _kvlist(data: bytes) -> received.Attributes:
    return _attributes({"attributes": _decode(data, {1: ("values", _key_value, True)}).get("values", ())})


def _key_value(data: bytes) -> dict[str, Any]:
    return _decode(data, {1: ("key", _text, False), 2: ("value", _any_value, False)})


_ANY_VALUE: Message = {
    1: ("string", _text, False),
    2: ("bool", bool, False),
    3: ("int", _int64, False),
    4: ("double", _double, False),
    5: ("array", _array, False),
    6: ("kvlist", _kvlist, False),
    7: ("bytes", _raw, False),
}


def _attribute_fields(attributes: int, dropped: int) -> Message:
    return {attributes: ("attributes", _key_value, True), dropped: ("dropped_attributes_count", _number, False)}


_RESOURCE: Message = _attribute_fields(1, 2)
_SCOPE: Message = {1: ("name", _text, False), 2: ("version", _text, False), **_attribute_fields(3, 4)}
_SCOPE_ITEMS: Message = {1: ("scope", _message(_SCOPE), False), 2: ("items", _raw, True), 3: ("schema_url", _text, False)}
_CONTAINER: Message = {
    1: ("resource", _message(_RESOURCE), False),
    2: ("scopes", _message(_SCOPE_ITEMS), True),
    3: ("schema_url", _text, False),
}

_EVENT: Message = {1: ("time", _number, False), 2: ("name", _text, False), **_attribute_fields(3, 4)}
_LINK: Message = {
    1: ("trace_id", _hex, False),
    2: ("span_id", _hex, False),
    3: ("trace_state", _text, False),
    6: ("flags", _number, False),
    **_attribute_fields(4, 5),
}
_STATUS: Message = {2: ("message", _text, False), 3: ("code", _int32, False)}
_SPAN: Message = {
    1: ("trace_id", _hex, False),
    2: ("span_id", _hex, False),
    3: ("trace_state", _text, False),
    4: ("parent_span_id", _hex, False),
    5: ("name", _text, False),
    6: ("kind", _int32, False),
    7: ("start_time", _number, False),
    8: ("end_time", _number, False),
    **_attribute_fields(9, 10),
    11: ("events", _message(_EVENT), True),
    12: ("dropped_events_count", _number, False),
    13: ("links", _message(_LINK), True),
    14: ("dropped_links_count", _number, False),
    15: ("status", _message(_STATUS), False),
    16: ("flags", _number, False),
}
_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
_STATUS_CODES = ("UNSET", "OK", "ERROR")

_EXEMPLAR: Message = {
    2: ("time", _number, False),
    3: ("as_double", _double, False),
    4: ("span_id", _hex, False),
    5: ("trace_id", _hex, False),
    6: ("as_int", _int64, False),
    7: ("attributes", _key_value, True),
}
_TIMES: Message = {2: ("start_time", _number, False), 3: ("time", _number, False)}
_NUMBER_POINT: Message = {
    **_TIMES,
    4: ("as_double", _double, False),
    5: ("exemplars", _message(_EXEMPLAR), True),
    6: ("as_int", _int64, False),
    7: ("attributes", _key_value, True),
    8: ("flags", _number, False),
}
_HISTOGRAM_POINT: Message = {
    **_TIMES,
    4: ("count", _number, False),
    5: ("sum", _double, False),
    6: ("bucket_counts", _Packed(_FIXED64, _number), True),
    7: ("explicit_bounds", _Packed(_FIXED64, _double), True),
    8: ("exemplars", _message(_EXEMPLAR), True),
    9: ("attributes", _key_value, True),
    10: ("flags", _number, False),
    11: ("min", _double, False),
    12: ("max", _double, False),
}
_BUCKETS: Message = {1: ("offset", _sint, False), 2: ("bucket_counts", _Packed(_VARINT, _number), True)}
_EXPONENTIAL_POINT: Message = {
    **_TIMES,
    1: ("attributes", _key_value, True),
    4: ("count", _number, False),
    5: ("sum", _double, False),
    6: ("scale", _sint, False),
    7: ("zero_count", _number, False),
    8: ("positive", _message(_BUCKETS), False),
    9: ("negative", _message(_BUCKETS), False),
    10: ("flags", _number, False),
    11: ("exemplars", _message(_EXEMPLAR), True),
    12: ("min", _double, False),
    13: ("max", _double, False),
    14: ("zero_threshold", _double, False),
}
_QUANTILE: Message = {1: ("quantile", _double, False), 2: ("value", _double, False)}
_SUMMARY_POINT: Message = {
    **_TIMES,
    4: ("count", _number, False),
    5: ("sum", _double, False),
    6: ("quantiles", _message(_QUANTILE), True),
    7: ("attributes", _key_value, True),
    8: ("flags", _number, False),
}


def _data(point: Message) -> Read:
    return _message(
        {1: ("points", _message(point), True), 2: ("temporality", _int32, False), 3: ("is_monotonic", bool, False)}
    )


_METRIC: Message = {
    1: ("name", _text, False),
    2: ("description", _text, False),
    3: ("unit", _text, False),
    5: ("gauge", _data(_NUMBER_POINT), False),
    7: ("sum", _data(_NUMBER_POINT), False),
    9: ("histogram", _data(_HISTOGRAM_POINT), False),
    10: ("exponential_histogram", _data(_EXPONENTIAL_POINT), False),
    11: ("summary", _data(_SUMMARY_POINT), False),
    12: ("metadata", _key_value, True),
}
_METRIC_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_WITH_TEMPORALITY = ("sum", "histogram", "exponential_histogram")
_TEMPORALITIES = ("UNSPECIFIED", "DELTA", "CUMULATIVE")

_LOG_RECORD: Message = {
    1: ("time", _number, False),
    2: ("severity_number", _int32, False),
    3: ("severity_text", _text, False),
    5: ("body", _any_value, False),
    6: ("attributes", _key_value, True),
    7: ("dropped_attributes_count", _number, False),
    8: ("flags", _number, False),
    9: ("trace_id", _hex, False),
    10: ("span_id", _hex, False),
    11: ("observed_time", _number, False),
    12: ("event_name", _text, False),
}
