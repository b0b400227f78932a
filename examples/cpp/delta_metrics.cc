// Metrics of opentelemetry-cpp, recorded as what was counted since the last time (delta temporality), once by a periodic
// reader and once whenever the program says so:
//
//   delta_metrics [DIRECTORY]
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_options.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>

#include <otlp_arrow/opentelemetry_exporters.h>

namespace {

namespace sdk = opentelemetry::sdk;
using otlp_arrow::OtlpLibrary;
using otlp_arrow::TemporalityPreference;

// A program's instruments are made once.
class Shop {
 public:
  explicit Shop(const opentelemetry::nostd::shared_ptr<opentelemetry::metrics::Meter>& meter)
      : orders_(meter->CreateUInt64Counter("shop.orders", "orders taken", "{order}")),
        duration_(meter->CreateDoubleHistogram("shop.order.duration", "from cart to receipt", "s")) {}

  void TakeOrders(int count) {
    for (int i = 0; i < count; ++i) {
      orders_->Add(1, {{"payment", i % 2 ? "card" : "cash"}});
      duration_->Record(0.1 * i, {{"payment", i % 2 ? "card" : "cash"}}, opentelemetry::context::RuntimeContext::GetCurrent());
    }
  }

 private:
  opentelemetry::nostd::unique_ptr<opentelemetry::metrics::Counter<uint64_t>> orders_;
  opentelemetry::nostd::unique_ptr<opentelemetry::metrics::Histogram<double>> duration_;
};

// Every minute, and at the end.
void RecordPeriodically(const std::shared_ptr<OtlpLibrary>& library) {
  sdk::metrics::PeriodicExportingMetricReaderOptions options;
  options.export_interval_millis = std::chrono::minutes(1);
  sdk::metrics::MeterProvider provider;
  provider.AddMetricReader(sdk::metrics::PeriodicExportingMetricReaderFactory::Create(
      otlp_arrow::MakeMetricExporter(library, {TemporalityPreference::kDelta}), options));
  Shop shop(provider.GetMeter("shop.periodic"));
  shop.TakeOrders(10);
  provider.ForceFlush();  // the periodic reader does not export at its end by itself
}

// When the program finds it right; that is what short-lived programs and tests want.
void RecordOnDemand(const std::shared_ptr<OtlpLibrary>& library) {
  const auto reader = otlp_arrow::MakeMetricReader(library, {TemporalityPreference::kDelta});
  sdk::metrics::MeterProvider provider;
  provider.AddMetricReader(reader);
  Shop shop(provider.GetMeter("shop.on_demand"));
  for (int batch = 0; batch < 3; ++batch) {
    shop.TakeOrders(10);
    if (!reader->CollectAndExport()) std::fprintf(stderr, "%s\n", reader->last_error().ToString().c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  otlp_arrow::Config config;
  config.output_dir = argc > 1 ? argv[1] : "./telemetry";
  auto library = OtlpLibrary::Create(config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;
  RecordPeriodically(*library);
  RecordOnDemand(*library);
  const otlp_arrow::Status status = (*library)->Shutdown();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
