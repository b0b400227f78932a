"""OpenTelemetry providers that record natively: what a program does is in a ring file, or on its way to an `OtlpLibrary`,
when the call returns.

    from opentelemetry import trace
    from otlp_arrow_library.sdk import TracerProvider

    trace.set_tracer_provider(TracerProvider(mmap_file="/dev/shm/shop-{pid}.mmap"))
"""

from __future__ import annotations

try:
    import opentelemetry.trace  # noqa: F401
except ImportError as error:
    raise ImportError(
        "otlp_arrow_library.sdk needs the OpenTelemetry API: pip install 'otlp-arrow-library[sdk]', or pip install opentelemetry-api"
    ) from error

from ._configure import Configuration, configure
from ._ids import IdGenerator, RandomIdGenerator
from ._limits import SpanLimits
from ._logging_handler import LoggingHandler
from ._logs import Logger, LoggerProvider, LogRecordLimits
from ._metrics import Meter, MeterProvider
from ._processors import SpanProcessor
from ._recorder import Recorder
from ._resource import Resource
from ._sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    StaticSampler,
    TraceIdRatioBased,
)
from ._trace import Span, Tracer, TracerProvider
from ._trace_items import Event, Link
from ._views import (
    DefaultAggregation,
    DropAggregation,
    ExplicitBucketHistogramAggregation,
    ExponentialBucketHistogramAggregation,
    LastValueAggregation,
    SumAggregation,
    View,
)

__all__ = [
    "ALWAYS_OFF",
    "ALWAYS_ON",
    "DEFAULT_OFF",
    "DEFAULT_ON",
    "Configuration",
    "Decision",
    "DefaultAggregation",
    "DropAggregation",
    "Event",
    "ExplicitBucketHistogramAggregation",
    "ExponentialBucketHistogramAggregation",
    "IdGenerator",
    "LastValueAggregation",
    "Link",
    "LogRecordLimits",
    "Logger",
    "LoggerProvider",
    "LoggingHandler",
    "Meter",
    "MeterProvider",
    "ParentBased",
    "ParentBasedTraceIdRatio",
    "RandomIdGenerator",
    "Recorder",
    "Resource",
    "Sampler",
    "SamplingResult",
    "Span",
    "SpanLimits",
    "SpanProcessor",
    "StaticSampler",
    "SumAggregation",
    "TraceIdRatioBased",
    "Tracer",
    "TracerProvider",
    "View",
    "configure",
]
