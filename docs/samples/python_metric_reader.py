from opentelemetry.sdk.metrics import MeterProvider
from otlp_arrow_library import OtlpLibrary

library = OtlpLibrary(output_dir="./telemetry")
reader = library.metric_reader()
provider = MeterProvider(metric_readers=[reader])

provider.get_meter("shop").create_counter("orders").add(1)
reader.collect()  # records the metrics as they are now; library.export_metrics(provider) does the same
