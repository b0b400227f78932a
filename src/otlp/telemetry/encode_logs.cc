#include "otlp/telemetry/encode.h"
#include "otlp/telemetry/encode_values.h"

namespace otlp_arrow {
namespace {

constexpr size_t kItemSize = 256;  // about that of a log record on the wire

void EncodeLogRecord(const LogRecord& record, wire::Writer* out) {
  EncodeMessage(2, 128, out, [&] {
    out->NonZeroFixed64(1, record.time_unix_nano);
    out->NonZeroInt32(2, static_cast<int32_t>(record.severity_number));
    out->NonEmpty(3, record.severity_text);
    if (!record.body.empty()) EncodeValue(5, record.body, out);
    EncodeAttributes(6, record.attributes, out);
    out->NonZeroVarint(7, record.dropped_attributes_count);
    out->NonZeroFixed32(8, record.flags);
    EncodeId(9, record.trace_id, out);
    EncodeId(10, record.span_id, out);
    out->NonZeroFixed64(11, record.observed_time_unix_nano);
    out->NonEmpty(12, record.event_name);
  });
}

struct ScopeLogsView {
  const InstrumentationScope& scope;
  std::span<const LogRecord> log_records;
};

template <class Scopes>
void Encode(const Resource& resource, const Scopes& scopes, wire::Writer* out) {
  EncodeContainers(
      resource, scopes, kItemSize, out, [](const auto& scope) { return scope.log_records.size(); },
      [out](const auto& scope) {
        for (const LogRecord& record : scope.log_records) EncodeLogRecord(record, out);
      });
}

}  // namespace

void EncodeLogs(std::span<const LogRecord> records, const Resource& resource, const InstrumentationScope& scope, wire::Writer* out) {
  Encode(resource, std::array{ScopeLogsView{scope, records}}, out);
}

void EncodeLogs(const ResourceLogs& logs, wire::Writer* out) { Encode(logs.resource, logs.scope_logs, out); }

}  // namespace otlp_arrow
