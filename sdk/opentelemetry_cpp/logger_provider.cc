#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <opentelemetry/logs/log_record.h>
#include <opentelemetry/logs/logger.h>
#include <opentelemetry/logs/severity.h>

#include "api_context.h"
#include "converted_attributes.h"
#include "otlp_arrow/opentelemetry_sdk.h"

namespace otlp_arrow::bridge {
namespace {

namespace logs = opentelemetry::logs;
namespace common = opentelemetry::common;
namespace nostd = opentelemetry::nostd;

// Holds what it was told until it is emitted: views of the caller's memory may be gone by then.
class ApiLogRecord final : public logs::LogRecord {
 public:
  explicit ApiLogRecord(sdk::SpanContext context) : context_(std::move(context)) { record_.observed_time_unix_nano = UnixNanoNow(); }

  void SetTimestamp(common::SystemTimestamp time) noexcept override { record_.time_unix_nano = static_cast<uint64_t>(time.time_since_epoch().count()); }
  void SetObservedTimestamp(common::SystemTimestamp time) noexcept override {
    record_.observed_time_unix_nano = static_cast<uint64_t>(time.time_since_epoch().count());
  }
  void SetSeverity(logs::Severity severity) noexcept override {
    const auto number = static_cast<uint8_t>(severity);
    record_.severity = number <= 24 ? static_cast<SeverityNumber>(number) : SeverityNumber::kUnspecified;
    record_.severity_text = sdk::SeverityText(record_.severity);
  }
  void SetBody(const common::AttributeValue& body) noexcept override {
    Guarded([&] { record_.body = nostd::visit(ValueConverter(&memory_, true), body); });
  }
  void SetAttribute(nostd::string_view key, const common::AttributeValue& value) noexcept override {
    Guarded([&] {
      const ring::Value converted = nostd::visit(ValueConverter(&memory_, true), value);
      attributes_.push_back({memory_.Keep(std::string(View(key))), converted});
    });
  }
  void SetEventId(int64_t, nostd::string_view name) noexcept override {
    Guarded([&] { record_.event_name = memory_.Keep(std::string(View(name))); });
  }
  void SetTraceId(const api::TraceId& id) noexcept override { std::memcpy(context_.trace_id.bytes.data(), id.Id().data(), 16); }
  void SetSpanId(const api::SpanId& id) noexcept override { std::memcpy(context_.span_id.bytes.data(), id.Id().data(), 8); }
  void SetTraceFlags(const api::TraceFlags& flags) noexcept override { context_.flags = flags.flags(); }

  void Emit(const sdk::Logger& logger) noexcept {
    record_.attributes = attributes_;
    record_.context = &context_;
    record_.has_time = true;
    logger.Emit(record_);
  }

 private:
  template <class Call>
  static void Guarded(Call&& call) noexcept {
    try {
      call();
    } catch (...) {  // no memory
    }
  }

  sdk::LogView record_;
  sdk::SpanContext context_;
  std::vector<sdk::AttributeView> attributes_;
  ValueMemory memory_;
};

class ApiLogger final : public logs::Logger {
 public:
  ApiLogger(std::string name, std::shared_ptr<sdk::Provider> provider, sdk::Logger logger)
      : name_(std::move(name)), provider_(std::move(provider)), logger_(std::move(logger)) {}

  const nostd::string_view GetName() noexcept override { return name_; }
  nostd::unique_ptr<logs::LogRecord> CreateLogRecord() noexcept override {
    try {
      const auto current = CurrentApiContext();
      return nostd::unique_ptr<logs::LogRecord>(new ApiLogRecord(current ? FromApi(*current) : sdk::CurrentContext()));
    } catch (...) {  // no memory
      return nostd::unique_ptr<logs::LogRecord>();
    }
  }
  using logs::Logger::EmitLogRecord;
  // Records of other makes are left out: they can only be written to.
  void EmitLogRecord(nostd::unique_ptr<logs::LogRecord>&& record) noexcept override {
    if (auto* own = dynamic_cast<ApiLogRecord*>(record.get())) own->Emit(logger_);
  }

 private:
  const std::string name_;
  const std::shared_ptr<sdk::Provider> provider_;
  const sdk::Logger logger_;
};

class ApiLoggerProvider final : public logs::LoggerProvider {
 public:
  explicit ApiLoggerProvider(std::shared_ptr<sdk::Provider> provider) : provider_(std::move(provider)) {}

  using logs::LoggerProvider::GetLogger;
  nostd::shared_ptr<logs::Logger> GetLogger(nostd::string_view logger_name, nostd::string_view library_name, nostd::string_view library_version,
                                            nostd::string_view schema_url, const common::KeyValueIterable& attributes) override {
    const nostd::string_view name = library_name.empty() ? logger_name : library_name;
    InstrumentationScope scope{.name = std::string(View(name)), .version = std::string(View(library_version)), .schema_url = std::string(View(schema_url))};
    scope.attributes = OwnedAttributes(attributes);
    return nostd::shared_ptr<logs::Logger>(
        std::shared_ptr<logs::Logger>(std::make_shared<ApiLogger>(std::string(View(logger_name)), provider_, provider_->GetLogger(std::move(scope)))));
  }

 private:
  const std::shared_ptr<sdk::Provider> provider_;
};

}  // namespace
}  // namespace otlp_arrow::bridge

namespace otlp_arrow {

opentelemetry::nostd::shared_ptr<opentelemetry::logs::LoggerProvider> MakeLoggerProvider(std::shared_ptr<sdk::Provider> provider) {
  return opentelemetry::nostd::shared_ptr<opentelemetry::logs::LoggerProvider>(
      std::shared_ptr<opentelemetry::logs::LoggerProvider>(std::make_shared<bridge::ApiLoggerProvider>(std::move(provider))));
}

}  // namespace otlp_arrow
