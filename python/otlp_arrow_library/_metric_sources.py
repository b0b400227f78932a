"""Metrics from what is no metrics data itself: the metrics API module, meter providers and readers."""

from __future__ import annotations

import dataclasses
import logging
import reprlib
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ._errors import OtlpError, OtlpExportError

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader, MetricsData

T = TypeVar("T")

_logger = logging.getLogger("otlp_arrow_library")
_TIMEOUT_MILLIS = 10_000
_TAKEN = (
    "taken are MetricsData or ResourceMetrics of the OpenTelemetry SDK, the module opentelemetry.metrics, and a MeterProvider "
    "or MetricReader of the SDK, which are collected from"
)
# What the API puts in the place of a provider where no SDK is set up, or where it is disabled.
_WITHOUT_SDK = ("_ProxyMeterProvider", "NoOpMeterProvider")
_warned: set[str] = set()


def collect(source: object) -> MetricsData | None:
    """Collects from `source`; None where there is nothing. Raises `OtlpExportError` for what cannot be collected from."""
    provider = _global_provider(source)
    if type(provider).__name__ in _WITHOUT_SDK and type(provider).__module__.startswith("opentelemetry.metrics"):
        _warn_of_no_sdk()
        return None
    sdk = sys.modules.get("opentelemetry.sdk.metrics")
    export = sys.modules.get("opentelemetry.sdk.metrics.export")
    if export is not None and isinstance(provider, export.MetricReader):
        return _collect_from(provider)
    if sdk is None or not isinstance(provider, sdk.MeterProvider):
        raise OtlpExportError(f"metrics: got {reprlib.repr(source)} ({_type_name(source)}); {_TAKEN}")
    return _collect_from(_reader_of(provider))


def owned(metrics: T) -> T:
    """A copy of metrics data that nobody else can change: what is no metrics data is returned as it is."""
    return _copy(metrics) if _is_sdk_dataclass(metrics) else metrics


def _global_provider(source: object) -> object:
    if isinstance(source, ModuleType) and callable(getattr(source, "get_meter_provider", None)):
        return source.get_meter_provider()
    return source


def _warn_of_no_sdk() -> None:
    if "no SDK" not in _warned:
        _warned.add("no SDK")
        _logger.warning(
            "there are no metrics to export: no OpenTelemetry SDK is set up (metrics.set_meter_provider), or it is disabled"
        )


def _reader_of(provider: Any) -> MetricReader:
    """Our own reader before others; of these one whose collections take nothing from its exporter."""
    readers = _readers(provider)
    ours = [reader for reader in readers if getattr(reader, "records_to_otlp_arrow", False)]
    cumulative = [reader for reader in readers if _is_cumulative(reader)]
    if not readers:
        raise OtlpExportError(
            "metrics: the meter provider has no metric reader to collect from; give it one: "
            "MeterProvider(metric_readers=[library.metric_reader()])"
        )
    if not ours and not cumulative:
        raise OtlpExportError(
            "metrics: the meter provider's readers collect deltas, which would be missing from their own exports; give it "
            "another one: MeterProvider(metric_readers=[..., library.metric_reader()])"
        )
    return (ours or cumulative)[0]


def _readers(provider: Any) -> list[MetricReader]:
    """Those of the constructor (at places that differ between SDKs) and those that were added later."""
    given: Any = getattr(provider, "_metric_readers", None)
    if given is None:
        given = getattr(getattr(provider, "_sdk_config", None), "metric_readers", ())
    later: Any = getattr(getattr(provider, "_measurement_consumer", None), "_reader_storages", {})
    return list(dict.fromkeys([*(given or ()), *later]))


def _is_cumulative(reader: Any) -> bool:
    temporalities = getattr(reader, "_instrument_class_temporality", {}).values()
    return all(temporality.name == "CUMULATIVE" for temporality in temporalities)


def _collect_from(reader: Any) -> MetricsData | None:
    """Collects without handing the metrics to the reader, which might export them elsewhere."""
    if reader._collect is None:
        raise OtlpExportError(f"metrics: {_type_name(reader)} belongs to no MeterProvider; MeterProvider(metric_readers=[reader])")
    try:
        data: MetricsData | None = reader._collect(reader, timeout_millis=_TIMEOUT_MILLIS)
    except OtlpError:
        raise
    except Exception as error:
        raise OtlpExportError(f"metrics: collecting raised {type(error).__name__}: {error}", retryable=True) from error
    return data


def _is_sdk_dataclass(value: object) -> bool:
    return dataclasses.is_dataclass(value) and type(value).__module__.startswith("opentelemetry.sdk.metrics.")


def _copy(value: Any) -> Any:
    if _is_sdk_dataclass(value):
        return type(value)(**{field.name: _copy(getattr(value, field.name)) for field in dataclasses.fields(value)})
    if isinstance(value, (list, tuple)):
        return [_copy(element) for element in value]
    if isinstance(value, Mapping):
        return {key: _copy(element) for key, element in value.items()}
    return value  # numbers, texts; resources and scopes are immutable


def _type_name(value: object) -> str:
    kind = type(value)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
