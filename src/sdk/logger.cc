#include "otlp_arrow/sdk/logger.h"

#include <array>
#include <string>

#include "sdk/attribute_buffer.h"
#include "sdk/logger_core.h"

namespace otlp_arrow::sdk {

std::string_view SeverityText(SeverityNumber severity) noexcept {
  static constexpr std::array<std::string_view, 25> kTexts = {"",      "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
                                                              "INFO",  "INFO2", "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
                                                              "ERROR2", "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4"};
  const auto number = static_cast<uint32_t>(severity);
  return number < kTexts.size() ? kTexts[number] : std::string_view();
}

void LoggerCore::Emit(const LogView& record) const {
  const Binding binding = scope_.Get();
  if (!binding || provider_->is_shut_down.load(std::memory_order_relaxed)) return;
  AttributeBuffer attributes;
  const Dictionary dictionary{binding.writer, provider_->dictionary_owner()};
  attributes.Add(dictionary, record.attributes, provider_->log_limits.attributes, provider_->log_limits.attribute_value_length);
  ValueStorage body;
  std::string text;
  ring::Event event{.scope = binding.ref};
  const bool needs_clock = record.observed_time_unix_nano == 0 || (record.time_unix_nano == 0 && !record.has_time);
  const uint64_t now = needs_clock ? UnixNanoNow() : 0;
  event.time_unix_nano = record.time_unix_nano != 0 || record.has_time ? record.time_unix_nano : now;
  event.observed_time_unix_nano = record.observed_time_unix_nano != 0 ? record.observed_time_unix_nano : now;
  event.severity_number = static_cast<int32_t>(record.severity);
  event.severity_text = ValidText(record.severity_text, &text);
  event.body = Clean(record.body.view(), SpanLimits::kUnlimited, &body);
  if (!record.event_name.empty()) event.event_name = RefOf(dictionary, record.event_name);
  const SpanContext* context = ContextOr(record.context);
  const ring::SpanContext of_span = RingContext(context ? *context : CurrentContext());
  if (context) event.context = &of_span;
  event.attributes = attributes.view();
  event.dropped_attributes_count = attributes.dropped();
  event.is_log_record = true;
  (void)binding.writer->RecordEvent(event);  // what finds no room is counted by the ring
}

void Logger::Emit(const LogView& record) const noexcept {
  if (core_) Guarded([&] { core_->Emit(record); });
}

void Logger::Emit(SeverityNumber severity, std::string_view message, AttributeList attributes) const noexcept {
  Emit({.severity = severity, .severity_text = SeverityText(severity), .body = message, .attributes = attributes});
}

}  // namespace otlp_arrow::sdk
