#include "otlp_arrow/opentelemetry_exporters.h"
#include "record_export.h"
#include "span_recordable.h"

namespace otlp_arrow {

std::unique_ptr<OtlpSpanExporter> MakeSpanExporter(std::shared_ptr<OtlpLibrary> library) {
  using Exporter = exporters::RecordExporter<OtlpSpanExporter, opentelemetry::sdk::trace::Recordable, exporters::SpanRecordable, Signal::kTraces>;
  return std::make_unique<Exporter>(std::move(library), "spans");
}

}  // namespace otlp_arrow
