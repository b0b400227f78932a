#include "log_recordable.h"

#include <cstring>
#include <iterator>
#include <string>

#include <opentelemetry/logs/severity.h>
#include <opentelemetry/trace/span_id.h>
#include <opentelemetry/trace/trace_id.h>

namespace otlp_arrow::exporters {

void LogRecordable::SetSeverity(opentelemetry::logs::Severity severity) noexcept {
  const auto number = static_cast<uint8_t>(severity);
  severity_ = number < std::size(opentelemetry::logs::SeverityNumToText) ? number : 0;
  has_severity_ = true;
}

void LogRecordable::SetBody(const AttributeValue& body) noexcept {
  const bool written = fields.TryReplace(kBody, [&] { WriteAnyValue(&fields, field::kLogBody, body); });
  dropped_ += !written;
}

void LogRecordable::SetAttribute(nostd::string_view key, const AttributeValue& value) noexcept {
  const bool written = fields.TryWrite([&] { WriteAttribute(&fields, field::kLogAttributes, View(key), value); });
  dropped_ += !written;
}

void LogRecordable::SetEventId(int64_t, nostd::string_view name) noexcept {
  fields.TryReplace(kEventName, [&] {
    std::string storage;
    fields.NonEmpty(field::kLogEventName, ValidText(View(name), &storage));
  });
}

void LogRecordable::SetTraceId(const opentelemetry::trace::TraceId& id) noexcept {
  std::memcpy(trace_id_, id.Id().data(), sizeof(trace_id_));
  has_trace_id_ = id.IsValid();
}

void LogRecordable::SetSpanId(const opentelemetry::trace::SpanId& id) noexcept {
  std::memcpy(span_id_, id.Id().data(), sizeof(span_id_));
  has_span_id_ = id.IsValid();
}

std::string_view LogRecordable::Seal() {
  if (is_sealed_) return fields.view();
  fields.NonZeroFixed64(field::kLogTime, static_cast<uint64_t>(time_));
  fields.NonZeroFixed64(field::kLogObservedTime, static_cast<uint64_t>(observed_time_));
  if (has_severity_) {
    fields.NonZeroVarint(field::kLogSeverityNumber, severity_);
    fields.Bytes(field::kLogSeverityText, View(opentelemetry::logs::SeverityNumToText[severity_]));
  }
  fields.NonZeroFixed32(field::kLogFlags, flags_);
  if (has_trace_id_) fields.Bytes(field::kLogTraceId, {trace_id_, sizeof(trace_id_)});
  if (has_span_id_) fields.Bytes(field::kLogSpanId, {span_id_, sizeof(span_id_)});
  fields.NonZeroVarint(field::kLogDroppedAttributes, dropped_);
  is_sealed_ = true;
  return fields.view();
}

}  // namespace otlp_arrow::exporters
