from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otlp_arrow_library import OtlpLibrary

library = OtlpLibrary(output_dir="./telemetry")

tracer_provider = TracerProvider()
tracer_provider.add_span_processor(BatchSpanProcessor(library.span_exporter()))

meter_provider = MeterProvider(metric_readers=[PeriodicExportingMetricReader(library.metric_exporter())])

logger_provider = LoggerProvider()
logger_provider.add_log_record_processor(BatchLogRecordProcessor(library.log_exporter()))

with tracer_provider.get_tracer("shop").start_as_current_span("POST /orders"):
    meter_provider.get_meter("shop").create_counter("orders").add(1)
    logger_provider.get_logger("shop").emit(body="order 4711 taken", severity_text="INFO")
