"""The instruments of the metrics API; what they measure is recorded natively."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics as api

from .. import _native
from ._views import Stream

if TYPE_CHECKING:
    from ._scope import InstrumentationScope

# In the API's own module, where some of its versions keep them.
_ApiGauge: Any = getattr(api, "Gauge", None) or api._Gauge


def stream_fields(streams: Iterable[Stream]) -> tuple[tuple[Any, ...], ...]:
    """As `_native.Instrument` takes them."""
    return tuple(
        (
            stream.name,
            stream.description,
            stream.unit,
            stream.aggregation,
            stream.temporality,
            stream.is_monotonic,
            stream.boundaries,
            stream.max_buckets,
            stream.max_scale,
            stream.cardinality_limit,
            None if stream.attribute_keys is None else tuple(stream.attribute_keys),
        )
        for stream in streams
    )


class _Described:
    """What an instrument was created with."""

    name: str
    unit: str
    description: str
    instrumentation_scope: InstrumentationScope

    def _describe(self, name: str, unit: str, description: str, scope: InstrumentationScope) -> None:
        self.name = name
        self.unit = unit
        self.description = description
        self.instrumentation_scope = scope

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class _Measuring(_Described, _native.Instrument):
    """An instrument that the program tells what happens."""

    _may_be_negative = True

    def __init__(
        self, scope: InstrumentationScope, name: str, unit: str, description: str, streams: Iterable[Stream], exemplar_filter: int
    ) -> None:
        self._describe(name, unit, description, scope)
        self._open(scope.native, name, self._may_be_negative, exemplar_filter, stream_fields(streams))


class Counter(_Measuring, api.Counter):
    """Adds up what is added, which is never negative."""

    _may_be_negative = False
    add = _native.Instrument._measure


class UpDownCounter(_Measuring, api.UpDownCounter):
    """Adds up what is added."""

    add = _native.Instrument._measure


class Histogram(_Measuring, api.Histogram):
    """How values, which are never negative, are distributed."""

    _may_be_negative = False
    record = _native.Instrument._measure


class Gauge(_Measuring, _ApiGauge):  # type: ignore[misc]
    """The last value."""

    set = _native.Instrument._measure


class _Observed(_Described):
    """An instrument that asks the program."""

    def __init__(self, scope: InstrumentationScope, name: str, unit: str, description: str) -> None:
        self._describe(name, unit, description, scope)


class ObservableCounter(_Observed, api.ObservableCounter):
    """A total that never falls."""


class ObservableUpDownCounter(_Observed, api.ObservableUpDownCounter):
    """A total."""


class ObservableGauge(_Observed, api.ObservableGauge):
    """The value of the moment."""
