#include "exporter_core.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "record_export.h"
#include "span_recordable.h"

namespace otlp_arrow {
namespace {

using opentelemetry::sdk::trace::Recordable;

class SpanExporterImpl final : public OtlpSpanExporter {
 public:
  explicit SpanExporterImpl(std::shared_ptr<OtlpLibrary> library) : core_(std::move(library), "spans") {}

  std::unique_ptr<Recordable> MakeRecordable() noexcept override {
    return std::unique_ptr<Recordable>(new exporters::SpanRecordable);
  }
  exporters::ExportResult Export(const opentelemetry::nostd::span<std::unique_ptr<Recordable>>& spans) noexcept override {
    return exporters::ExportRecords<exporters::SpanRecordable>(&core_, Signal::kTraces, spans);
  }
  bool ForceFlush(std::chrono::microseconds timeout) noexcept override { return core_.ForceFlush(timeout); }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return core_.Shutdown(timeout); }
  Status last_error() const override { return core_.last_error(); }

 private:
  exporters::ExporterCore core_;
};

}  // namespace

std::unique_ptr<OtlpSpanExporter> MakeSpanExporter(std::shared_ptr<OtlpLibrary> library) {
  return std::make_unique<SpanExporterImpl>(std::move(library));
}

}  // namespace otlp_arrow
