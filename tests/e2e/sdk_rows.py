"""What the OpenTelemetry Python SDK handed to its exporter, as the rows that should be stored."""

import operator

from opentelemetry.sdk.metrics.export import AggregationTemporality, ExponentialHistogram, Gauge, Histogram, Sum

import store

HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200


def hex_id(number, digits):
    return format(number, f"0{digits}x")


def value(v):
    """An attribute's value: OTLP has one kind of array."""
    if isinstance(v, (list, tuple)):
        return [value(e) for e in v]
    if isinstance(v, dict) or hasattr(v, "items"):
        return {k: value(e) for k, e in v.items()}
    return v


def attributes(mapping):
    return {k: value(v) for k, v in (mapping or {}).items()}


def context(resource, scope):
    return {
        "service_name": resource.attributes.get("service.name"),
        "resource_attributes": attributes(resource.attributes),
        "resource_schema_url": resource.schema_url or None,
        "scope_name": scope.name,
        "scope_version": scope.version or None,
        "scope_attributes": attributes(scope.attributes),
        "scope_schema_url": scope.schema_url or None,
    }


def span_row(span):
    own, parent = span.get_span_context(), span.parent
    return context(span.resource, span.instrumentation_scope) | {
        "trace_id": hex_id(own.trace_id, 32),
        "span_id": hex_id(own.span_id, 16),
        "parent_span_id": hex_id(parent.span_id, 16) if parent else None,
        "trace_state": own.trace_state.to_header() or None,
        "flags": HAS_IS_REMOTE | (IS_REMOTE if parent and parent.is_remote else 0),
        "name": span.name,
        "kind": span.kind.name,
        "start_time": span.start_time,
        "end_time": span.end_time,
        "duration_ns": span.end_time - span.start_time,
        "status_code": span.status.status_code.name,
        "status_message": span.status.description or None,
        "attributes": attributes(span.attributes),
        "dropped_attributes_count": span.dropped_attributes,
        "dropped_events_count": span.dropped_events,
        "dropped_links_count": span.dropped_links,
        "events": [
            {"time": e.timestamp, "name": e.name, "attributes": attributes(e.attributes), "dropped_attributes_count": e.dropped_attributes}
            for e in span.events
        ],
        "links": [
            {
                "trace_id": hex_id(link.context.trace_id, 32),
                "span_id": hex_id(link.context.span_id, 16),
                "flags": HAS_IS_REMOTE | (IS_REMOTE if link.context.is_remote else 0),
                "attributes": attributes(link.attributes),
                "dropped_attributes_count": link.dropped_attributes,
            }
            for link in span.links
        ],
    }


def log_row(readable):
    record = readable.log_record
    return context(readable.resource, readable.instrumentation_scope) | {
        "time": record.timestamp,
        "observed_time": record.observed_timestamp,
        "severity_number": record.severity_number.value if record.severity_number else 0,
        "severity_text": record.severity_text or None,
        "body": value(record.body),
        "event_name": record.event_name or None,
        "trace_id": hex_id(record.trace_id, 32) if record.trace_id else None,
        "span_id": hex_id(record.span_id, 16) if record.span_id else None,
        "flags": int(record.trace_flags or 0),
        "attributes": attributes(record.attributes),
        "dropped_attributes_count": readable.dropped_attributes,
    }


def metric_rows(metrics_data):
    for resource_metrics in metrics_data.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                for point in metric.data.data_points:
                    yield context(resource_metrics.resource, scope_metrics.scope) | metric_row(metric) | point_row(metric, point)


METRIC_TYPES = {Gauge: "GAUGE", Sum: "SUM", Histogram: "HISTOGRAM", ExponentialHistogram: "EXPONENTIAL_HISTOGRAM"}


def metric_row(metric):
    temporality = getattr(metric.data, "aggregation_temporality", None)
    return {
        "metric_name": metric.name,
        "description": metric.description or None,
        "unit": metric.unit or None,
        "metric_type": METRIC_TYPES[type(metric.data)],
        "aggregation_temporality": AggregationTemporality(temporality).name if temporality is not None else None,
        "is_monotonic": getattr(metric.data, "is_monotonic", None),
    }


def point_row(metric, point):
    row = {
        "time": point.time_unix_nano,
        "attributes": attributes(point.attributes),
        "exemplars": [exemplar_row(e) for e in point.exemplars],
    }
    if not isinstance(metric.data, Gauge):  # the exporter leaves it out there
        row["start_time"] = point.start_time_unix_nano
    if isinstance(metric.data, (Gauge, Sum)):
        return row | number(point.value)
    row |= {"count": point.count, "sum": point.sum, "min": point.min, "max": point.max, "value_int": None, "value_double": None}
    if isinstance(metric.data, Histogram):
        return row | {"bucket_counts": list(point.bucket_counts), "explicit_bounds": list(point.explicit_bounds)}
    return row | {
        "scale": point.scale,
        "zero_count": point.zero_count,
        "positive": buckets(point.positive),
        "negative": buckets(point.negative),
    }


def number(v):
    return {"value_int": v, "value_double": None} if isinstance(v, int) else {"value_int": None, "value_double": v}


def buckets(side):
    return {"offset": side.offset, "bucket_counts": list(side.bucket_counts)} if side.bucket_counts else None


def exemplar_row(e):
    return number(e.value) | {
        "time": e.time_unix_nano,
        "trace_id": hex_id(e.trace_id, 32) if e.trace_id else None,
        "span_id": hex_id(e.span_id, 16) if e.span_id else None,
        "filtered_attributes": attributes(e.filtered_attributes),
    }


# --- the other side: a stored row with the same keys ------------------------------------------------------------------


def stored_row(row):
    """A row as store.READERS give it, with typed attributes and without what the SDK does not send."""
    row = dict(row)
    if "body_type" in row:
        row["body"] = store.body(row["body"], row.pop("body_type"))
    for name in [n for n in row if n.endswith("_types")]:
        column = name.removesuffix("_types")
        row[column] = store.attributes(row[column], row.pop(name))
    for name in ("events", "links", "exemplars"):
        if name in row:
            row[name] = [stored_row(entry) for entry in row[name] or []]
    return row


def assert_same(expected, stored, key):
    """Compares rows, whatever their order: all fields that `expected` has."""
    stored = [stored_row(row) for row in stored]
    assert len(stored) == len(expected)
    for want, got in zip(sorted(expected, key=key), sorted(stored, key=key)):
        for name in want:
            assert name in got, f"there is no column {name}"
            if isinstance(want[name], list) and want[name] and isinstance(want[name][0], dict):
                assert [restrict(g, w) for w, g in zip(want[name], got[name], strict=True)] == want[name], f"{name} of {key(want)}"
            else:
                equal = same_kind if name == "body" or name.endswith("attributes") else operator.eq
                assert equal(got[name], want[name]), f"{name} of {key(want)}: {got[name]!r}, sent was {want[name]!r}"


def restrict(got, want):
    return {k: got[k] for k in want}


def same_kind(a, b):
    """Equal in value and in type, where the data say it: True is not 1, and 1 is not 1.0."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same_kind(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same_kind(x, y) for x, y in zip(a, b))
    return type(a) is type(b) and a == b
