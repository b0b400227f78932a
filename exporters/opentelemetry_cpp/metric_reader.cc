#include <mutex>

#include "otlp_arrow/opentelemetry_exporters.h"

namespace otlp_arrow {
namespace {

using opentelemetry::sdk::common::ExportResult;
using opentelemetry::sdk::metrics::AggregationTemporality;
using opentelemetry::sdk::metrics::InstrumentType;
using std::chrono::microseconds;
using std::chrono::steady_clock;

class MetricReaderImpl final : public OtlpMetricReader {
 public:
  MetricReaderImpl(std::shared_ptr<OtlpLibrary> library, MetricExportOptions options)
      : exporter_(MakeMetricExporter(std::move(library), options)) {}

  bool CollectAndExport() noexcept override {
    std::lock_guard lock(collecting_);
    return Collect([this](opentelemetry::sdk::metrics::ResourceMetrics& metrics) {
      return exporter_->Export(metrics) == ExportResult::kSuccess;
    });
  }
  AggregationTemporality GetAggregationTemporality(InstrumentType type) const noexcept override {
    return exporter_->GetAggregationTemporality(type);
  }
  Status last_error() const override { return exporter_->last_error(); }

 private:
  bool OnForceFlush(microseconds timeout) noexcept override {
    const auto begin = steady_clock::now();
    const bool collected = CollectAndExport();
    return exporter_->ForceFlush(Rest(timeout, begin)) && collected;
  }
  bool OnShutDown(microseconds timeout) noexcept override {
    const auto begin = steady_clock::now();
    const bool collected = CollectAndExport();
    return exporter_->Shutdown(Rest(timeout, begin)) && collected;
  }

  // What is left of a time-out; where there is a limit, not zero, which would be none.
  static microseconds Rest(microseconds timeout, steady_clock::time_point begin) {
    if (timeout <= microseconds::zero() || timeout == microseconds::max()) return timeout;
    const auto used = std::chrono::duration_cast<microseconds>(steady_clock::now() - begin);
    return std::max(timeout - used, microseconds(1));
  }

  std::mutex collecting_;  // the SDK's producers take one collection at a time
  const std::unique_ptr<OtlpMetricExporter> exporter_;
};

}  // namespace

std::shared_ptr<OtlpMetricReader> MakeMetricReader(std::shared_ptr<OtlpLibrary> library, MetricExportOptions options) {
  return std::make_shared<MetricReaderImpl>(std::move(library), options);
}

}  // namespace otlp_arrow
