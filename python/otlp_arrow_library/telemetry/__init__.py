"""A small tracing API: spans, a decorator, processors, and an exporter that speaks OTLP.

    from otlp_arrow_library.telemetry import traced

    @traced
    def order(): ...

Its spans are those of the global TracerProvider: `otlp_arrow_library.sdk.configure` sets one up that records them as Arrow
files, and the OpenTelemetry SDK's own one will do. They nest with spans of the OpenTelemetry API.
"""

from __future__ import annotations

try:
    import opentelemetry.trace as _api  # noqa: F401
except ImportError as error:
    raise ImportError("otlp_arrow_library.telemetry needs the OpenTelemetry API: pip install 'otlp-arrow-library[sdk]'") from error

from opentelemetry.trace import StatusCode

from ._context import TraceContext, get_current_span, link_span, start_span
from ._events import SPAN_STARTED, subscribe, unsubscribe
from ._exporter import OTLPExporter
from ._models import ExportResult, Span, SpanEvent, SpanLink, SpanStatus, Timestamp
from ._processors import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from ._traced import traced

__all__ = [
    "BatchSpanProcessor",
    "ExportResult",
    "OTLPExporter",
    "SPAN_STARTED",
    "SimpleSpanProcessor",
    "Span",
    "SpanEvent",
    "SpanExporter",
    "SpanLink",
    "SpanStatus",
    "StatusCode",
    "Timestamp",
    "TraceContext",
    "get_current_span",
    "link_span",
    "start_span",
    "subscribe",
    "traced",
    "unsubscribe",
]
