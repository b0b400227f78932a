"""Preferred temporalities and aggregations of the metric exporter and the metric reader."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeAlias

from opentelemetry.sdk import metrics
from opentelemetry.sdk.metrics.export import AggregationTemporality
from opentelemetry.sdk.metrics.view import Aggregation, ExponentialBucketHistogramAggregation

from ._errors import OtlpConfigError

Temporalities: TypeAlias = Mapping[type, AggregationTemporality] | AggregationTemporality | str | None
Aggregations: TypeAlias = Mapping[type, Aggregation] | None

_TEMPORALITY_VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_HISTOGRAM_VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
# The SDK's gauge is public under a private name in some of its versions.
_GAUGES = [getattr(metrics, name) for name in ("Gauge", "_Gauge") if hasattr(metrics, name)][:1]
_INSTRUMENTS: list[type] = [
    metrics.Counter,
    metrics.UpDownCounter,
    metrics.Histogram,
    metrics.ObservableCounter,
    metrics.ObservableUpDownCounter,
    metrics.ObservableGauge,
    *_GAUGES,
]
# By https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp: sums that may fall stay cumulative.
_DELTAS: dict[str, tuple[type, ...]] = {
    "cumulative": (),
    "delta": (metrics.Counter, metrics.ObservableCounter, metrics.Histogram),
    "lowmemory": (metrics.Counter, metrics.Histogram),
}
_INSTRUMENT_NAMES = ", ".join(kind.__name__ for kind in _INSTRUMENTS)


def temporalities(preferred: object, *, from_environment: bool = False) -> dict[type, AggregationTemporality]:
    """The temporality of each class of instruments."""
    if preferred is None:
        preferred = os.environ.get(_TEMPORALITY_VARIABLE, "") if from_environment else ""
        preferred = preferred.strip() or "cumulative"
    if isinstance(preferred, AggregationTemporality):
        preferred = preferred.name
    if isinstance(preferred, str):
        return _by_name(preferred)
    chosen = _by_name("cumulative")
    for kind, temporality in _entries("preferred_temporality", preferred):
        if not isinstance(temporality, AggregationTemporality) or temporality.name not in ("CUMULATIVE", "DELTA"):
            raise OtlpConfigError(
                f"preferred_temporality: {temporality!r} for {kind.__name__}; allowed are AggregationTemporality.CUMULATIVE and DELTA"
            )
        chosen[kind] = temporality
    return chosen


def aggregations(preferred: object, *, from_environment: bool = False) -> dict[type, Aggregation]:
    """The aggregations that differ from the SDK's default."""
    chosen: dict[type, Aggregation] = {}
    if from_environment and os.environ.get(_HISTOGRAM_VARIABLE, "").strip() == "base2_exponential_bucket_histogram":
        chosen[metrics.Histogram] = ExponentialBucketHistogramAggregation()
    if preferred is None:
        return chosen
    for kind, aggregation in _entries("preferred_aggregation", preferred):
        if not isinstance(aggregation, Aggregation):
            raise OtlpConfigError(
                f"preferred_aggregation: {aggregation!r} for {kind.__name__}; give an Aggregation of opentelemetry.sdk.metrics.view"
            )
        chosen[kind] = aggregation
    return chosen


def _by_name(name: str) -> dict[type, AggregationTemporality]:
    deltas = _DELTAS.get(name.lower())
    if deltas is None:
        raise OtlpConfigError(
            f"preferred_temporality: {name!r} is unknown; give one of {', '.join(_DELTAS)}, an AggregationTemporality, or a mapping "
            "of instrument classes to temporalities"
        )
    return {kind: AggregationTemporality.DELTA if kind in deltas else AggregationTemporality.CUMULATIVE for kind in _INSTRUMENTS}


def _entries(setting: str, preferred: object) -> list[tuple[type, object]]:
    if not isinstance(preferred, Mapping):
        raise OtlpConfigError(
            f"{setting}: {preferred!r} is of type {type(preferred).__name__}; give a mapping of instrument classes ({_INSTRUMENT_NAMES})"
        )
    for kind in preferred:
        if kind not in _INSTRUMENTS:
            raise OtlpConfigError(f"{setting}: {kind!r} is no class of instruments; these are {_INSTRUMENT_NAMES}")
    return list(preferred.items())
