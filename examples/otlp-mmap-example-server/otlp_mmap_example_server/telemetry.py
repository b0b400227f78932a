"""Where traces, metrics and logs go: the global providers of the OpenTelemetry API."""

from __future__ import annotations

import logging
import os
import sys

FILE, ENDPOINT = "SDK_MMAP_EXPORTER_FILE", "OTEL_EXPORTER_OTLP_ENDPOINT"


def configure() -> None:
    """As the environment asks; the file goes before the endpoint."""
    os.environ.setdefault("OTEL_SERVICE_NAME", "otlp-mmap-example-server")
    logging.getLogger().setLevel(logging.INFO)
    if os.environ.get(FILE):
        from otlp_arrow_library import sdk

        sdk.configure(os.environ[FILE], logging_level="INFO")
    elif os.environ.get(ENDPOINT):
        export()
    else:
        print(f"telemetry goes nowhere: neither {FILE} nor {ENDPOINT} is set", file=sys.stderr)


def export() -> None:
    """With the OpenTelemetry SDK, to the endpoint that its exporters read from the environment."""
    from opentelemetry import _logs, metrics, trace
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    tracers, loggers = TracerProvider(), LoggerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())]))
    _logs.set_logger_provider(loggers)
    logging.getLogger().addHandler(LoggingHandler(logger_provider=loggers))
