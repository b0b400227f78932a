#include "log_recordable.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "record_export.h"

namespace otlp_arrow {

std::unique_ptr<OtlpLogRecordExporter> MakeLogRecordExporter(std::shared_ptr<OtlpLibrary> library) {
  using Exporter = exporters::RecordExporter<OtlpLogRecordExporter, opentelemetry::sdk::logs::Recordable, exporters::LogRecordable, Signal::kLogs>;
  return std::make_unique<Exporter>(std::move(library), "log records");
}

}  // namespace otlp_arrow
