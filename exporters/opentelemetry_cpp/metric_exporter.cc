#include "exporter_core.h"
#include "metric_encoder.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "scratch_writer.h"
#include "temporality.h"

namespace otlp_arrow {
namespace {

using opentelemetry::sdk::metrics::AggregationTemporality;
using opentelemetry::sdk::metrics::InstrumentType;
using SdkMetrics = opentelemetry::sdk::metrics::ResourceMetrics;

class MetricExporterImpl final : public OtlpMetricExporter {
 public:
  MetricExporterImpl(std::shared_ptr<OtlpLibrary> library, MetricExportOptions options)
      : options_(options), core_(std::move(library), "data points") {}

  exporters::ExportResult Export(const SdkMetrics& metrics) noexcept override {
    const auto points = static_cast<size_t>(exporters::CountDataPoints(metrics));
    return core_.Export(points, [&](OtlpLibrary& library, ExportOutcome* total) {
      OTLP_ASSIGN_OR_RETURN(*total, ExportMetricsRef(library, metrics));
      return Status::Ok();
    });
  }
  AggregationTemporality GetAggregationTemporality(InstrumentType type) const noexcept override {
    return exporters::TemporalityOf(options_.temporality, type);
  }
  bool ForceFlush(std::chrono::microseconds timeout) noexcept override { return core_.ForceFlush(timeout); }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return core_.Shutdown(timeout); }
  Status last_error() const override { return core_.last_error(); }

 private:
  const MetricExportOptions options_;
  exporters::ExporterCore core_;
};

}  // namespace

std::unique_ptr<OtlpMetricExporter> MakeMetricExporter(std::shared_ptr<OtlpLibrary> library, MetricExportOptions options) {
  return std::make_unique<MetricExporterImpl>(std::move(library), options);
}

Result<ExportOutcome> ExportMetricsRef(OtlpLibrary& library, const SdkMetrics& metrics) {
  if (exporters::CountDataPoints(metrics) == 0) return ExportOutcome{};
  exporters::ScratchWriter writer;
  const int64_t left_out = exporters::WriteMetricsRequest(metrics, writer.get());
  OTLP_ASSIGN_OR_RETURN(ExportOutcome outcome, library.ExportOtlpRef(Signal::kMetrics, writer.get()->view()));
  if (left_out > 0) {
    outcome.rejected_items += left_out;
    outcome.rejected_reason = "a data point that the SDK dropped, or of another kind than its metric's first";
  }
  return outcome;
}

}  // namespace otlp_arrow
