"""Exporters and a metric reader that the OpenTelemetry SDK takes as they are.

    provider.add_span_processor(BatchSpanProcessor(library.span_exporter()))
    MeterProvider(metric_readers=[PeriodicExportingMetricReader(library.metric_exporter())])
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(library.log_exporter()))
    MeterProvider(metric_readers=[library.metric_reader()])

They hold the library and leave it alive when they are shut down. Nothing of them raises into the SDK: what fails returns
FAILURE, is logged, and stands in `last_error`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.metrics import export as sdk_metrics
from opentelemetry.sdk.trace import export as sdk_trace

from . import _native
from ._errors import OtlpConfigError, OtlpError, OtlpShutdownError, as_export_error
from ._failure_log import FailureLog
from ._library import OtlpLibrary
from ._preferences import Aggregations, Temporalities, aggregations, temporalities
from ._sdk_logs import LogRecordExporter, LogRecordExportResult
from ._shared import shared_library

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from ._sdk_logs import ReadableLogRecord

_SHUTDOWN_FLUSH_MILLIS = 10_000


class _Recorder:
    """What all of them have in common: the library, what went wrong last, and an end."""

    def __init__(self, library: OtlpLibrary | None) -> None:
        if library is not None and not isinstance(library, OtlpLibrary):
            raise OtlpConfigError(f"library: {library!r} is of type {type(library).__name__}; give an OtlpLibrary, or None for the shared one")
        self._library = shared_library() if library is None else library
        self._failures = FailureLog(type(self).__name__)
        self._is_shut_down = False
        self.last_error: OtlpError | None = None
        """Why the last failure was one; stays until the next success."""

    @property
    def library(self) -> OtlpLibrary:
        """Where the data goes."""
        return self._library

    def _record(self, export: Callable[[Any], None], data: Any) -> bool:
        """True where all of it is kept."""
        if self._is_shut_down:
            return self._fail(OtlpShutdownError("this exporter is shut down and takes nothing more; make another one of the library"))
        try:
            export(data)
        except OtlpError as error:
            return self._fail(error)
        except Exception as error:  # nothing is raised into the SDK
            return self._fail(as_export_error(error))
        self.last_error = None
        return True

    def _record_items(self, export: Callable[[Any], None], encode: Callable[[Any], bytes], items: Sequence[Any]) -> bool:
        """An item that cannot be converted takes no other one with it."""
        if self._record(export, items):
            return True
        error = self.last_error
        if error is None or error.retryable or isinstance(error, OtlpShutdownError) or not isinstance(items, (list, tuple)):
            return False
        good = [item for item in items if _is_convertible(encode, item)]
        # Where all can be converted the store refused them: what it could keep is kept.
        if good and len(good) < len(items):
            self._record(export, good)
            self.last_error = error
        return False

    def _fail(self, error: OtlpError) -> bool:
        self.last_error = error
        self._failures.report(error)
        return False

    def _flush(self, timeout_millis: float) -> bool:
        if self._library.is_shut_down:
            return False
        try:
            self._library.flush(_seconds(timeout_millis))
        except OtlpError as error:
            return self._fail(error)
        except Exception as error:
            return self._fail(as_export_error(error))
        return True

    def _shut_down(self, timeout_millis: float) -> None:
        """What was exported becomes readable. The library goes on."""
        if not self._is_shut_down:
            self._is_shut_down = True
            self._flush(timeout_millis)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._library!r}{', shut down' if self._is_shut_down else ''}>"


class OtlpSpanExporter(_Recorder, sdk_trace.SpanExporter):
    """A `SpanExporter` for `BatchSpanProcessor` and `SimpleSpanProcessor`. Without a library it uses the process's shared one."""

    def __init__(self, library: OtlpLibrary | None = None) -> None:
        super().__init__(library)

    def export(self, spans: Sequence[ReadableSpan]) -> sdk_trace.SpanExportResult:
        recorded = self._record_items(self._library.export_traces, _native.encode_spans, spans)
        return sdk_trace.SpanExportResult.SUCCESS if recorded else sdk_trace.SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """True when all that was exported is in readable files."""
        return self._flush(timeout_millis)

    def shutdown(self) -> None:
        self._shut_down(_SHUTDOWN_FLUSH_MILLIS)


class OtlpLogExporter(_Recorder, LogRecordExporter):
    """A `LogRecordExporter` for `BatchLogRecordProcessor` and `SimpleLogRecordProcessor`."""

    def __init__(self, library: OtlpLibrary | None = None) -> None:
        super().__init__(library)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        recorded = self._record_items(self._library.export_logs, _native.encode_logs, batch)
        return LogRecordExportResult.SUCCESS if recorded else LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """True when all that was exported is in readable files."""
        return self._flush(timeout_millis)

    def shutdown(self) -> None:
        self._shut_down(_SHUTDOWN_FLUSH_MILLIS)


class OtlpMetricExporter(_Recorder, sdk_metrics.MetricExporter):
    """A `MetricExporter` for `PeriodicExportingMetricReader`.

    Cumulative unless `preferred_temporality` says otherwise: a mapping of instrument classes to temporalities as everywhere in
    the SDK, one `AggregationTemporality` or its name ("delta", "cumulative", "lowmemory": as in
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE, which exporters without a library follow).
    `preferred_aggregation` maps instrument classes to aggregations. Raises `OtlpConfigError` for what is neither.
    """

    def __init__(
        self,
        library: OtlpLibrary | None = None,
        preferred_temporality: Temporalities = None,
        preferred_aggregation: Aggregations = None,
    ) -> None:
        temporality = temporalities(preferred_temporality, from_environment=library is None)
        aggregation = aggregations(preferred_aggregation, from_environment=library is None)
        _Recorder.__init__(self, library)
        sdk_metrics.MetricExporter.__init__(self, preferred_temporality=temporality, preferred_aggregation=aggregation)
        self.preferred_temporality = temporality
        """Of each class of instruments."""

    def export(
        self, metrics_data: sdk_metrics.MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> sdk_metrics.MetricExportResult:
        recorded = self._record(self._library.export_metrics_ref, metrics_data)
        return sdk_metrics.MetricExportResult.SUCCESS if recorded else sdk_metrics.MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """True when all that was exported is in readable files."""
        return self._flush(timeout_millis)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        self._shut_down(timeout_millis)


class OtlpMetricReader(_Recorder, sdk_metrics.MetricReader):
    """A `MetricReader` without a clock of its own: `collect()` records the metrics as they are then. So do the provider's
    `force_flush()`, the last time its `shutdown()`, and `OtlpLibrary.export_metrics(provider)`.
    """

    records_to_otlp_arrow = True

    def __init__(
        self,
        library: OtlpLibrary | None = None,
        preferred_temporality: Temporalities = None,
        preferred_aggregation: Aggregations = None,
    ) -> None:
        temporality = temporalities(preferred_temporality, from_environment=library is None)
        aggregation = aggregations(preferred_aggregation, from_environment=library is None)
        _Recorder.__init__(self, library)
        sdk_metrics.MetricReader.__init__(self, preferred_temporality=temporality, preferred_aggregation=aggregation)
        self.preferred_temporality = temporality
        """Of each class of instruments."""

    def _receive_metrics(self, metrics_data: sdk_metrics.MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        self._record(self._library.export_metrics_ref, metrics_data)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Collects; True when that and all before is in readable files."""
        deadline = time.monotonic() + _seconds(timeout_millis)
        self.collect(timeout_millis=timeout_millis)
        return self._flush(max(0.0, deadline - time.monotonic()) * 1000)

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        if self._is_shut_down:
            return
        deadline = time.monotonic() + _seconds(timeout_millis)
        if self._collect is not None and not self._library.is_shut_down:
            try:
                self.collect(timeout_millis=timeout_millis)
            except Exception as error:  # a callback's, or that there was no time
                self._fail(as_export_error(error))
        self._shut_down(max(0.0, deadline - time.monotonic()) * 1000)


def _is_convertible(encode: Callable[[Any], bytes], item: object) -> bool:
    try:
        encode((item,))
    except Exception:
        return False
    return True


def _seconds(timeout_millis: float) -> float:
    return max(0.0, float(timeout_millis)) / 1000
