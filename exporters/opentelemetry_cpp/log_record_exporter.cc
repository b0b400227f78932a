#include "exporter_core.h"
#include "log_recordable.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "record_export.h"

namespace otlp_arrow {
namespace {

using opentelemetry::sdk::logs::Recordable;

class LogRecordExporterImpl final : public OtlpLogRecordExporter {
 public:
  explicit LogRecordExporterImpl(std::shared_ptr<OtlpLibrary> library) : core_(std::move(library), "log records") {}

  std::unique_ptr<Recordable> MakeRecordable() noexcept override {
    return std::unique_ptr<Recordable>(new exporters::LogRecordable);
  }
  exporters::ExportResult Export(const opentelemetry::nostd::span<std::unique_ptr<Recordable>>& records) noexcept override {
    return exporters::ExportRecords<exporters::LogRecordable>(&core_, Signal::kLogs, records);
  }
  bool ForceFlush(std::chrono::microseconds timeout) noexcept override { return core_.ForceFlush(timeout); }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return core_.Shutdown(timeout); }
  Status last_error() const override { return core_.last_error(); }

 private:
  exporters::ExporterCore core_;
};

}  // namespace

std::unique_ptr<OtlpLogRecordExporter> MakeLogRecordExporter(std::shared_ptr<OtlpLibrary> library) {
  return std::make_unique<LogRecordExporterImpl>(std::move(library));
}

}  // namespace otlp_arrow
