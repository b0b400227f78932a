"""Views: which streams of data points the measurements of an instrument become.

    MeterProvider(mmap_file=..., views=[View(instrument_name="http.*", attribute_keys={"http.route"})])

The OpenTelemetry SDK's own views and aggregations are taken as well, by their fields.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Protocol

from .._errors import OtlpConfigError
from ._temporality import DELTA, Temporalities

_logger = logging.getLogger("otlp_arrow_library.sdk")

DEFAULT_BOUNDARIES = (0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0, 10000.0)
_MOST_BUCKETS = 16384
_LEAST_SCALE, _MOST_SCALE = -10, 20


class DefaultAggregation:
    """What the instrument's kind suggests: sums of counters, the last value of gauges, histograms with the advised boundaries."""


class DropAggregation:
    """Nothing: the measurements are ignored."""


class SumAggregation:
    """The sum of all values."""


class LastValueAggregation:
    """The last value and its time."""


class ExplicitBucketHistogramAggregation:
    """How many values lie between `boundaries`, which increase; None: what the instrument advises, else the standard's 15."""

    def __init__(self, boundaries: Sequence[float] | None = None) -> None:
        self._boundaries = None if boundaries is None else checked_boundaries(boundaries)


class ExponentialBucketHistogramAggregation:
    """A base-2 exponential histogram as fine as `max_size` buckets allow (2 to 16384), at most of scale `max_scale` (-10 to 20)."""

    def __init__(self, max_size: int = 160, max_scale: int = 20) -> None:
        self._max_size = _in_range("max_size", max_size, 2, _MOST_BUCKETS)
        self._max_scale = _in_range("max_scale", max_scale, _LEAST_SCALE, _MOST_SCALE)


class View:
    """Selects instruments (all of the given criteria have to be met) and says what becomes of their measurements.

    `instrument_type` is a class of the OpenTelemetry API or SDK, `instrument_name` and `instrument_unit` may have the wildcards
    * and ?. `name` and `description` replace those of the instrument, `attribute_keys` are the attributes that are kept,
    `cardinality_limit` how many attribute sets are told apart (the others' is one of them).
    """

    def __init__(
        self,
        instrument_type: type | None = None,
        instrument_name: str | None = None,
        meter_name: str | None = None,
        meter_version: str | None = None,
        meter_schema_url: str | None = None,
        name: str | None = None,
        description: str | None = None,
        attribute_keys: Collection[str] | None = None,
        aggregation: object | None = None,
        instrument_unit: str | None = None,
        cardinality_limit: int | None = None,
    ) -> None:
        criteria = (instrument_type, instrument_name, instrument_unit, meter_name, meter_version, meter_schema_url)
        if all(criterion is None for criterion in criteria):
            raise OtlpConfigError(
                f"View {name!r} selects no instrument; give at least one of instrument_type, instrument_name, instrument_unit, "
                "meter_name, meter_version, meter_schema_url"
            )
        if name is not None and instrument_name is not None and ("*" in instrument_name or "?" in instrument_name):
            raise OtlpConfigError(
                f"View {name!r} selects instruments by {instrument_name!r}, and all of them would get one name; leave out `name`, or the wildcards"
            )
        if cardinality_limit is not None:
            _in_range("cardinality_limit", cardinality_limit, 1, 2**32 - 1)
        self._name = name
        self._instrument_type = instrument_type
        self._instrument_name = instrument_name
        self._instrument_unit = instrument_unit
        self._meter_name = meter_name
        self._meter_version = meter_version
        self._meter_schema_url = meter_schema_url
        self._description = description
        self._attribute_keys = None if attribute_keys is None else frozenset(attribute_keys)
        self._aggregation = DefaultAggregation() if aggregation is None else aggregation
        self._cardinality_limit = cardinality_limit
        aggregation_of(self)

    def __repr__(self) -> str:
        given = {key.lstrip("_"): value for key, value in vars(self).items() if value is not None and key != "_aggregation"}
        return f"View({', '.join(f'{key}={value!r}' for key, value in given.items())})"


class ScopeLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str | None: ...
    @property
    def schema_url(self) -> str | None: ...


@dataclasses.dataclass(frozen=True)
class InstrumentDescription:
    """What views look at. `kind` is the name of its class in the API."""

    kind: str
    name: str
    unit: str
    description: str
    scope: ScopeLike
    is_observable: bool
    boundaries: tuple[float, ...] | None = None  # advised


@dataclasses.dataclass(frozen=True)
class Stream:
    """One stream of data points, as the ring knows it."""

    name: str
    description: str
    unit: str
    aggregation: str  # gauge, sum, histogram, exp_histogram
    temporality: int = 0  # 1 delta, 2 cumulative; 0 of gauges
    is_monotonic: bool = False
    boundaries: tuple[float, ...] = ()
    max_buckets: int = 160
    max_scale: int = 20
    cardinality_limit: int = 0  # 0: as the collector is told
    attribute_keys: frozenset[str] | None = None  # None: all


@dataclasses.dataclass(frozen=True)
class _Aggregation:
    kind: str  # default, drop, gauge, sum, histogram, exp_histogram
    boundaries: tuple[float, ...] | None = None
    max_buckets: int = 160
    max_scale: int = 20


_KINDS = {
    "DefaultAggregation": "default",
    "DropAggregation": "drop",
    "SumAggregation": "sum",
    "LastValueAggregation": "gauge",
    "ExplicitBucketHistogramAggregation": "histogram",
    "ExponentialBucketHistogramAggregation": "exp_histogram",
}
_DEFAULT_KINDS = {"Histogram": "histogram", "Gauge": "gauge", "ObservableGauge": "gauge"}


def checked_boundaries(boundaries: Iterable[float]) -> tuple[float, ...]:
    """Raises OtlpConfigError where they are no finite numbers that increase."""
    try:
        numbers = tuple(float(boundary) for boundary in boundaries)
    except (TypeError, ValueError):
        raise OtlpConfigError(f"boundaries: {boundaries!r}; give numbers that increase, such as [0.1, 1, 10]") from None
    if not all(map(math.isfinite, numbers)) or any(low >= high for low, high in zip(numbers, numbers[1:])):
        raise OtlpConfigError(f"boundaries: {list(numbers)!r}; they must be finite and increase")
    return numbers


def checked_views(views: Iterable[object]) -> tuple[Any, ...]:
    """Views, ours or the OpenTelemetry SDK's. Raises OtlpConfigError for what is none."""
    checked = tuple(views)
    for view in checked:
        if not hasattr(view, "_aggregation") or not hasattr(view, "_instrument_name"):
            raise OtlpConfigError(f"views: {view!r} is of type {type(view).__name__}; give View objects of this package or of the OpenTelemetry SDK")
        aggregation_of(view)
    return checked


def aggregation_of(view: Any) -> _Aggregation:
    """Raises OtlpConfigError for an aggregation that is none."""
    aggregation = view._aggregation
    kind = next((_KINDS[base.__name__] for base in type(aggregation).__mro__ if base.__name__ in _KINDS), None)
    if kind is None:
        raise OtlpConfigError(f"aggregation: {aggregation!r} is of type {type(aggregation).__name__}; allowed are {', '.join(_KINDS)}")
    if kind == "histogram":
        boundaries = getattr(aggregation, "_boundaries", None)
        return _Aggregation(kind, boundaries=None if boundaries is None else checked_boundaries(boundaries))
    if kind == "exp_histogram":
        return _Aggregation(
            kind,
            max_buckets=_in_range("max_size", aggregation._max_size, 2, _MOST_BUCKETS),
            max_scale=min(_in_range("max_scale", aggregation._max_scale, _LEAST_SCALE, 1 << 30), _MOST_SCALE),
        )
    return _Aggregation(kind)


def streams_of(
    instrument: InstrumentDescription,
    api_class: type,
    views: Iterable[Any],
    temporalities: Temporalities,
    exponential_histograms: bool = False,
    cardinality_limit: int = 0,
) -> list[Stream]:
    """The streams of an instrument: one for each view that selects it, the default one where none does.

    `api_class` is its class, for `instrument_type`; `exponential_histograms`: those of histograms that no view changes.
    """
    delta = temporalities.of(instrument.kind) == DELTA
    default = _Aggregation("exp_histogram") if exponential_histograms else None
    streams: list[Stream] = []
    selected = False
    for view in views:
        if not _selects(view, instrument, api_class):
            continue
        aggregation = aggregation_of(view)
        if instrument.is_observable and aggregation.kind in ("histogram", "exp_histogram"):
            _logger.warning(
                "%r is not applied to the observable instrument %r: histograms need single values, and it tells totals", view, instrument.name
            )
            continue
        selected = True
        stream = _stream(instrument, aggregation, delta, default)
        if stream is None:
            continue
        keys = getattr(view, "_attribute_keys", None)
        streams.append(
            dataclasses.replace(
                stream,
                name=view._name or stream.name,
                description=view._description or stream.description,
                attribute_keys=None if keys is None else frozenset(keys),
                cardinality_limit=getattr(view, "_cardinality_limit", None) or cardinality_limit,
            )
        )
    if not selected:
        stream = _stream(instrument, _Aggregation("default"), delta, default)
        if stream is not None:
            streams.append(dataclasses.replace(stream, cardinality_limit=cardinality_limit))
    return streams


def _stream(instrument: InstrumentDescription, aggregation: _Aggregation, delta: bool, default: _Aggregation | None) -> Stream | None:
    if aggregation.kind == "default":
        kind = _DEFAULT_KINDS.get(instrument.kind, "sum")
        aggregation = default if kind == "histogram" and default else _Aggregation(kind)
    if aggregation.kind == "drop":
        return None
    plain = Stream(instrument.name, instrument.description, instrument.unit, aggregation.kind, DELTA if delta else 2)
    if aggregation.kind == "gauge":
        return dataclasses.replace(plain, temporality=0)
    if aggregation.kind == "sum":
        return dataclasses.replace(plain, is_monotonic=instrument.kind in ("Counter", "ObservableCounter"))
    if aggregation.kind == "histogram":
        advised = DEFAULT_BOUNDARIES if instrument.boundaries is None else instrument.boundaries
        return dataclasses.replace(plain, boundaries=advised if aggregation.boundaries is None else aggregation.boundaries)
    return dataclasses.replace(plain, max_buckets=aggregation.max_buckets, max_scale=aggregation.max_scale)


def _selects(view: Any, instrument: InstrumentDescription, api_class: type) -> bool:
    wanted_type = getattr(view, "_instrument_type", None)
    if wanted_type is not None and not _is_kind(api_class, wanted_type):
        return False
    wanted_name, wanted_unit = view._instrument_name, getattr(view, "_instrument_unit", None)
    if wanted_name is not None and not fnmatchcase(instrument.name, wanted_name.lower()):
        return False
    if wanted_unit is not None and not fnmatchcase(instrument.unit, wanted_unit):
        return False
    scope = instrument.scope
    wanted = (("_meter_name", scope.name), ("_meter_version", scope.version), ("_meter_schema_url", scope.schema_url))
    return all(getattr(view, field, None) in (None, value or "", value) for field, value in wanted)


def _is_kind(api_class: type, wanted: type) -> bool:
    """The SDK's classes derive from the API's and have their names."""
    if issubclass(api_class, wanted):
        return True
    name = wanted.__name__.lstrip("_")
    return wanted.__module__.startswith("opentelemetry.") and any(base.__name__.lstrip("_") == name for base in api_class.__mro__)


def _in_range(name: str, value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise OtlpConfigError(f"{name}: {value!r} is no int from {least} to {most}")
    return value
