// Log records of the native SDK.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "otlp_arrow/export.h"
#include "otlp_arrow/sdk/attributes.h"
#include "otlp_arrow/sdk/context.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

class LoggerCore;

struct LogView {
  SeverityNumber severity = SeverityNumber::kUnspecified;
  std::string_view severity_text{};
  AttributeValue body{};
  AttributeList attributes{};
  std::string_view event_name{};
  uint64_t time_unix_nano = 0;           // 0: now, unless has_time
  uint64_t observed_time_unix_nano = 0;  // 0: now
  bool has_time = false;                 // time_unix_nano is what it is, also 0: unknown
  const SpanContext* context = nullptr;  // null: the current span's
};

// Cheap to copy, for any thread.
class OTLP_ARROW_EXPORT Logger {
 public:
  Logger() = default;  // records nothing
  explicit Logger(std::shared_ptr<const LoggerCore> core) : core_(std::move(core)) {}

  void Emit(const LogView& record) const noexcept;
  void Emit(SeverityNumber severity, std::string_view message, AttributeList attributes = {}) const noexcept;

 private:
  std::shared_ptr<const LoggerCore> core_;
};

// "INFO", "WARN2", …; empty for kUnspecified.
OTLP_ARROW_EXPORT std::string_view SeverityText(SeverityNumber severity) noexcept;

}  // namespace otlp_arrow::sdk
