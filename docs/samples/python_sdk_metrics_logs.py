import logging

from opentelemetry import metrics

from otlp_arrow_library import OtlpLibrary
from otlp_arrow_library.sdk import ExplicitBucketHistogramAggregation, LoggerProvider, LoggingHandler, MeterProvider, View

library = OtlpLibrary(output_dir="telemetry")  # or a file for a collector: mmap_file="/dev/shm/shop-{pid}.mmap"
metrics.set_meter_provider(
    MeterProvider(
        library=library,
        resource={"service.name": "shop"},
        views=[
            View(instrument_name="http.*", attribute_keys={"http.route"}),
            View(instrument_name="db.duration", aggregation=ExplicitBucketHistogramAggregation([0.001, 0.01, 0.1, 1])),
        ],
    )
)
requests = metrics.get_meter("shop").create_counter("http.requests", "1", "requests that were answered")
requests.add(1, {"http.route": "/orders", "user": 7})

handler = LoggingHandler(logger_provider=LoggerProvider({"service.name": "shop"}, library=library))
logging.getLogger().addHandler(handler)
logging.getLogger("shop").warning("no pears left", extra={"order": 4711})
