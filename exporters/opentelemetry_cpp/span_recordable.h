// A span of the SDK that is OTLP from the start.
#pragma once

#include <cstdint>
#include <string_view>

#include <opentelemetry/sdk/trace/recordable.h>

#include "encoded_record.h"

namespace otlp_arrow::exporters {

class SpanRecordable final : public opentelemetry::sdk::trace::Recordable, public EncodedRecord {
 public:
  void SetIdentity(const opentelemetry::trace::SpanContext& context, opentelemetry::trace::SpanId parent) noexcept override;
  void SetAttribute(nostd::string_view key, const AttributeValue& value) noexcept override;
  void AddEvent(nostd::string_view name, opentelemetry::common::SystemTimestamp time,
                const KeyValueIterable& attributes) noexcept override;
  void AddLink(const opentelemetry::trace::SpanContext& target, const KeyValueIterable& attributes) noexcept override;
  void SetStatus(opentelemetry::trace::StatusCode code, nostd::string_view description) noexcept override;
  void SetName(nostd::string_view name) noexcept override;
  void SetTraceFlags(opentelemetry::trace::TraceFlags flags) noexcept override { flags_ = flags.flags(); }
  void SetSpanKind(opentelemetry::trace::SpanKind kind) noexcept override;
  void SetResource(const Resource& its_resource) noexcept override { resource = &its_resource; }
  void SetStartTime(opentelemetry::common::SystemTimestamp time) noexcept override { start_ = time.time_since_epoch().count(); }
  void SetDuration(std::chrono::nanoseconds duration) noexcept override { duration_ = duration.count(); }
  void SetInstrumentationScope(const InstrumentationScope& its_scope) noexcept override { scope = &its_scope; }

  // The span as an OTLP Span message. Nothing may be set afterwards. Throws where there is no memory.
  std::string_view Seal();

 private:
  static constexpr RecordWriter::Slot kName = RecordWriter::kFirst, kStatus = RecordWriter::kSecond;
  static constexpr RecordWriter::Slot kTraceState = RecordWriter::kThird;

  char trace_id_[16] = {};
  char span_id_[8] = {};
  char parent_id_[8] = {};
  int64_t start_ = 0;     // nanoseconds since 1970
  int64_t duration_ = 0;  // nanoseconds
  uint32_t dropped_attributes_ = 0, dropped_events_ = 0, dropped_links_ = 0;
  uint8_t kind_ = 0;
  uint8_t flags_ = 0;
  bool has_parent_ = false;
  bool is_sealed_ = false;
};
static_assert(sizeof(SpanRecordable) <= kBlockSize);

}  // namespace otlp_arrow::exporters
