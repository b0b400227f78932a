#include "otlp/telemetry/decode.h"
#include "otlp/telemetry/decode_values.h"

namespace otlp_arrow {
namespace {

using wire::Tag;

void DecodeLogRecord(std::string_view message, LogRecord* record) {
  ForEachField(message, [record](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kFixed64): record->time_unix_nano = value.number; break;
      case Tag(2, wire::kVarint): record->severity_number = static_cast<SeverityNumber>(value.AsInt32()); break;
      case Tag(3, wire::kLen): record->severity_text = value.AsText(); break;
      case Tag(5, wire::kLen): DecodeValue(value.bytes, &record->body); break;
      case Tag(6, wire::kLen): DecodeAttribute(value.bytes, &record->attributes); break;
      case Tag(7, wire::kVarint): record->dropped_attributes_count = value.AsUint32(); break;
      case Tag(8, wire::kFixed32): record->flags = value.AsUint32(); break;
      case Tag(9, wire::kLen): DecodeId(value.bytes, &record->trace_id); break;
      case Tag(10, wire::kLen): DecodeId(value.bytes, &record->span_id); break;
      case Tag(11, wire::kFixed64): record->observed_time_unix_nano = value.number; break;
      case Tag(12, wire::kLen): record->event_name = value.AsText(); break;
      default: break;
    }
  });
}

}  // namespace

Result<std::vector<ResourceLogs>> DecodeLogs(std::string_view request) {
  OTLP_ASSIGN_OR_RETURN(const bool check, ScanForDecoding(Signal::kLogs, request));
  std::vector<ResourceLogs> all;
  DecodeContainers(
      request, check, [&] { return &all.emplace_back(); }, [](ResourceLogs* logs) { return &logs->scope_logs.emplace_back(); },
      [check](std::string_view bytes, ScopeLogs* scope) {
        if (!check || CheckLogRecord(bytes) == ItemFault::kNone) DecodeLogRecord(bytes, &scope->log_records.emplace_back());
      });
  return all;
}

}  // namespace otlp_arrow
