#include "collector/log_writer.h"

#include <algorithm>
#include <string>

namespace otlp_arrow {
namespace {

constexpr uint32_t kLogRecords = 2;  // of ScopeLogs

// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
struct LogField {
  enum : uint32_t {
    kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5, kAttributes = 6, kDroppedAttributes = 7, kFlags = 8, kTraceId = 9,
    kSpanId = 10, kObservedTime = 11, kEventName = 12
  };
};
constexpr uint32_t kStringValue = 1, kBytesValue = 7;  // of AnyValue

bool WriteBody(std::span<const ring::EventView> parts, const DictionaryConverter& converter, wire::Writer* out) {
  const auto first = std::find_if(parts.begin(), parts.end(), [](const ring::EventView& part) { return part.body.has_value(); });
  if (first == parts.end()) return true;
  const ring::Value::Type type = first->body->type;
  const bool is_text = type == ring::Value::Type::kString || type == ring::Value::Type::kBytes;
  if (!is_text || parts.size() == 1) return converter.View(*first->body, LogField::kBody, out);
  std::string text;
  for (const ring::EventView& part : parts) {
    if (part.body && part.body->type == type) text += part.body->bytes;
  }
  const auto body = out->Begin(LogField::kBody);
  out->Bytes(type == ring::Value::Type::kString ? kStringValue : kBytesValue, text);
  out->End(body);
  return true;
}

}  // namespace

bool WriteLogRecord(std::span<const ring::EventView> parts, const DictionaryConverter& converter, wire::Writer* out) {
  const ring::EventView& event = parts.front();
  bool whole = true;
  uint64_t dropped = 0;
  const auto message = out->Begin(kLogRecords, 2);
  out->NonZeroFixed64(LogField::kTime, event.time_unix_nano);
  out->NonZeroFixed64(LogField::kObservedTime, event.observed_time_unix_nano);
  out->NonZeroInt32(LogField::kSeverityNumber, event.severity_number);
  out->NonEmpty(LogField::kSeverityText, event.severity_text);
  whole &= WriteBody(parts, converter, out);
  for (const ring::EventView& part : parts) {
    dropped += part.dropped_attributes_count;
    whole &= converter.Attributes(part.attributes, LogField::kAttributes, out) == 0;
  }
  out->NonZeroVarint(LogField::kDroppedAttributes, std::min<uint64_t>(dropped, UINT32_MAX));
  if (event.context) {
    out->NonZeroFixed32(LogField::kFlags, event.context->flags);
    out->NonEmpty(LogField::kTraceId, event.context->trace_id);
    out->NonEmpty(LogField::kSpanId, event.context->span_id);
  }
  const auto name = converter.Text(event.event_name);
  if (name) out->NonEmpty(LogField::kEventName, *name);
  out->End(message);
  return whole && name.has_value();
}

}  // namespace otlp_arrow
