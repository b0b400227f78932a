// A log record of the SDK that is OTLP from the start.
#pragma once

#include <cstdint>
#include <string_view>

#include <opentelemetry/sdk/logs/recordable.h>
#include <opentelemetry/trace/trace_flags.h>

#include "encoded_record.h"

namespace otlp_arrow::exporters {

class LogRecordable final : public opentelemetry::sdk::logs::Recordable, public EncodedRecord {
 public:
  void SetTimestamp(opentelemetry::common::SystemTimestamp time) noexcept override { time_ = time.time_since_epoch().count(); }
  void SetObservedTimestamp(opentelemetry::common::SystemTimestamp time) noexcept override {
    observed_time_ = time.time_since_epoch().count();
  }
  void SetSeverity(opentelemetry::logs::Severity severity) noexcept override;
  void SetBody(const AttributeValue& body) noexcept override;
  void SetAttribute(nostd::string_view key, const AttributeValue& value) noexcept override;
  // OTLP has a field for the event's name, none for its id.
  void SetEventId(int64_t id, nostd::string_view name) noexcept override;
  void SetTraceId(const opentelemetry::trace::TraceId& id) noexcept override;
  void SetSpanId(const opentelemetry::trace::SpanId& id) noexcept override;
  void SetTraceFlags(const opentelemetry::trace::TraceFlags& flags) noexcept override { flags_ = flags.flags(); }
  void SetResource(const Resource& its_resource) noexcept override { resource = &its_resource; }
  void SetInstrumentationScope(const InstrumentationScope& its_scope) noexcept override { scope = &its_scope; }

  // The record as an OTLP LogRecord message. Nothing may be set afterwards. Throws where there is no memory.
  std::string_view Seal();

 private:
  static constexpr RecordWriter::Slot kBody = RecordWriter::kFirst, kEventName = RecordWriter::kSecond;

  char trace_id_[16] = {};
  char span_id_[8] = {};
  int64_t time_ = 0, observed_time_ = 0;  // nanoseconds since 1970; 0: not known
  uint32_t dropped_ = 0;                  // attributes and bodies
  uint8_t severity_ = 0;
  uint8_t flags_ = 0;
  bool has_severity_ = false, has_trace_id_ = false, has_span_id_ = false;
  bool is_sealed_ = false;
};
static_assert(sizeof(LogRecordable) <= kBlockSize);

}  // namespace otlp_arrow::exporters
