"""Preferred temporalities: do points tell what was added since the last one, or since the beginning?"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from .._errors import OtlpConfigError

_logger = logging.getLogger("otlp_arrow_library.sdk")

DELTA, CUMULATIVE = 1, 2
ENVIRONMENT_VARIABLE = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
# By https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp: sums that may fall stay cumulative.
_DELTAS: dict[str, tuple[str, ...]] = {
    "cumulative": (),
    "delta": ("Counter", "ObservableCounter", "Histogram"),
    "lowmemory": ("Counter", "Histogram"),
}
_ALLOWED = "'cumulative', 'delta', 'lowmemory', an AggregationTemporality, or a mapping of instrument classes to temporalities"


class Temporalities:
    """Of each kind of instrument. `preferred` None: what the environment says, else cumulative. Raises OtlpConfigError."""

    def __init__(self, preferred: object = None) -> None:
        self._by_kind: dict[str, int] = {}
        if preferred is None:
            self._by_kind = _from_environment()
        elif isinstance(preferred, Mapping):
            for kind, value in preferred.items():
                self._by_kind[_kind_name(kind)] = _one(value)
        else:
            name = preferred if isinstance(preferred, str) else getattr(preferred, "name", None)
            deltas = _DELTAS.get(name.strip().lower()) if isinstance(name, str) else None
            if deltas is None:
                raise OtlpConfigError(f"temporality: {preferred!r}; give {_ALLOWED}")
            self._by_kind = dict.fromkeys(deltas, DELTA)

    def of(self, kind: str) -> int:
        """1 delta, 2 cumulative. `kind` is the name of the instrument's class in the API."""
        return self._by_kind.get(kind, CUMULATIVE)


def _from_environment() -> dict[str, int]:
    text = os.environ.get(ENVIRONMENT_VARIABLE, "").strip().lower() or "cumulative"
    if text not in _DELTAS:  # a variable that nobody can read stops no program
        _logger.warning("%s is %r, and stays cumulative; allowed are %s", ENVIRONMENT_VARIABLE, text, ", ".join(_DELTAS))
    return dict.fromkeys(_DELTAS.get(text, ()), DELTA)


def _kind_name(kind: Any) -> str:
    name = getattr(kind, "__name__", None)
    if not isinstance(name, str):
        raise OtlpConfigError(f"temporality: {kind!r} is no class of instruments; give {_ALLOWED}")
    return name.lstrip("_")


def _one(value: object) -> int:
    name = value.upper() if isinstance(value, str) else getattr(value, "name", None)
    if name == "DELTA":
        return DELTA
    if name == "CUMULATIVE":
        return CUMULATIVE
    raise OtlpConfigError(f"temporality: {value!r}; for a class of instruments give 'delta' or 'cumulative'")
