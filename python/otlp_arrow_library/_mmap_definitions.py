"""What metric streams aggregate to, and how a dictionary says so."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict


class Temporality(enum.IntEnum):
    """Do points tell what was added since the last one, or since the beginning?"""

    DELTA = 1
    CUMULATIVE = 2


class SpanKind(enum.IntEnum):
    """As OTLP numbers them; the SDK's own `SpanKind` is understood as well."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class StatusCode(enum.IntEnum):
    """The status of a span; the SDK's own `StatusCode` is understood as well."""

    UNSET = 0
    OK = 1
    ERROR = 2


@dataclasses.dataclass(frozen=True)
class Gauge:
    """The last value."""


@dataclasses.dataclass(frozen=True)
class Sum:
    """The sum of all values; `is_monotonic` where it only grows."""

    aggregation_temporality: Temporality | str = Temporality.CUMULATIVE
    is_monotonic: bool = True


@dataclasses.dataclass(frozen=True)
class Histogram:
    """How many values lie between the boundaries, which increase."""

    aggregation_temporality: Temporality | str = Temporality.CUMULATIVE
    bucket_boundaries: Sequence[float] = ()


@dataclasses.dataclass(frozen=True)
class ExpHistogram:
    """A histogram of exponential buckets, as fine as `max_buckets` of them allow."""

    aggregation_temporality: Temporality | str = Temporality.CUMULATIVE
    max_buckets: int = 160
    max_scale: int = 20


class _Context(TypedDict):
    trace_id: bytes
    span_id: bytes


class SpanContext(_Context, total=False):
    """Which span a measurement or an event belongs to."""

    flags: int


Aggregation: TypeAlias = Gauge | Sum | Histogram | ExpHistogram | str | Mapping[str, Any]

KINDS: dict[str, type[Gauge | Sum | Histogram | ExpHistogram]] = {
    "gauge": Gauge,
    "sum": Sum,
    "histogram": Histogram,
    "exp_histogram": ExpHistogram,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
_FORMS = "{'gauge': {}}, {'sum': {...}}, {'histogram': {...}}, {'exp_histogram': {...}}, 'gauge', or a Gauge, Sum, Histogram, ExpHistogram"


def _what(name: str, value: object, wanted: str) -> str:
    return f"create_metric_stream: {name} is {value!r} ({type(value).__name__}), and must be {wanted}"


def _from_mapping(mapping: Mapping[str, Any]) -> Gauge | Sum | Histogram | ExpHistogram:
    if len(mapping) != 1:
        raise ValueError(_what("aggregation", mapping, _FORMS))
    (name, fields), = mapping.items()
    kind = KINDS.get(name)
    if kind is None:
        raise ValueError(_what("aggregation", mapping, _FORMS))
    fields = {} if fields is None else fields
    if not isinstance(fields, Mapping):
        raise TypeError(_what(f"aggregation[{name!r}]", fields, "a dictionary of its fields"))
    allowed = [field.name for field in dataclasses.fields(kind)]
    for key in fields:
        if key not in allowed:
            raise ValueError(f"create_metric_stream: aggregation[{name!r}] has no field {key!r}; allowed are {', '.join(allowed) or 'none'}")
    return kind(**fields)


def _temporality(value: object) -> int:
    if type(value) is int and value in (1, 2):
        return value
    name = value.upper() if isinstance(value, str) else getattr(value, "name", None)  # the SDK names them so as well
    if name not in ("DELTA", "CUMULATIVE"):
        kind = ValueError if isinstance(value, (str, int)) and not isinstance(value, bool) else TypeError
        raise kind(_what("aggregation_temporality", value, "Temporality.DELTA, Temporality.CUMULATIVE, 1, 2, or such a name"))
    return Temporality[name]


def _boundaries(value: object) -> list[float]:
    if isinstance(value, (str, bytes, Mapping)):
        raise TypeError(_what("bucket_boundaries", value, "a list of numbers"))
    try:
        numbers = [float(number) for number in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        raise TypeError(_what("bucket_boundaries", value, "a list of numbers")) from None
    if any(not low < high for low, high in zip(numbers, numbers[1:])) or any(number != number for number in numbers):
        raise ValueError(_what("bucket_boundaries", value, "increasing, and without NaN"))
    return numbers


def _integer(name: str, value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(_what(name, value, f"an int from {least} to {most}"))
    if not least <= value <= most:
        raise ValueError(_what(name, value, f"an int from {least} to {most}"))
    return value


def resolved(aggregation: object) -> tuple[str, int, bool, list[float], int, int]:
    """Name, temporality, is_monotonic, boundaries, max_buckets and max_scale; neutral values for what the kind lacks."""
    if isinstance(aggregation, str):
        aggregation = {aggregation: {}}
    if isinstance(aggregation, Mapping):
        aggregation = _from_mapping(aggregation)
    name = next((name for kind, name in _NAMES.items() if isinstance(aggregation, kind)), None)
    if name is None:
        raise TypeError(_what("aggregation", aggregation, _FORMS))
    temporality = 0 if isinstance(aggregation, Gauge) else _temporality(aggregation.aggregation_temporality)  # type: ignore[attr-defined]
    monotonic, boundaries, buckets, scale = False, [], 0, 0
    if isinstance(aggregation, Sum):
        monotonic = aggregation.is_monotonic
        if not isinstance(monotonic, bool):
            raise TypeError(_what("is_monotonic", monotonic, "a bool"))
    elif isinstance(aggregation, Histogram):
        boundaries = _boundaries(aggregation.bucket_boundaries)
    elif isinstance(aggregation, ExpHistogram):
        buckets = _integer("max_buckets", aggregation.max_buckets, 2, 65536)
        scale = _integer("max_scale", aggregation.max_scale, -10, 20)
    return name, temporality, monotonic, boundaries, buckets, scale
