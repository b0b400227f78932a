// A library that keeps what it is given, and the SDK's log.
#pragma once

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <opentelemetry/sdk/common/global_log_handler.h>

#include "otlp_arrow/library.h"

namespace otlp_arrow::testing {

class FakeLibrary final : public OtlpLibrary {
 public:
  Result<ExportOutcome> ExportOtlp(Signal signal, std::string request) override { return ExportOtlpRef(signal, request); }
  Result<ExportOutcome> ExportOtlpRef(Signal signal, std::string_view request) override {
    std::lock_guard lock(mutex_);
    if (throws_) throw std::runtime_error("thrown by the library");
    if (!status_.ok()) return status_;
    requests_.emplace_back(signal, request);
    return outcome_;
  }
  void StartExportOtlp(Signal signal, std::string request, ExportCallback done) override {
    done(ExportOtlp(signal, std::move(request)));
  }
  Status Flush(std::chrono::milliseconds timeout) override {
    std::lock_guard lock(mutex_);
    if (throws_) throw std::runtime_error("thrown by the library");
    flushes_.push_back(timeout);
    return flush_status_;
  }
  Status Shutdown(std::chrono::milliseconds) override {
    ++shutdowns_;
    return Status::Ok();
  }
  bool is_shut_down() const override { return shutdowns_ > 0; }
  LibraryStats Stats() const override { return {}; }
  const Config& config() const override { return config_; }

  void Answer(Status status) {
    std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  void Answer(ExportOutcome outcome) {
    std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
  }
  void AnswerFlush(Status status) {
    std::lock_guard lock(mutex_);
    flush_status_ = std::move(status);
  }
  void Throw() {
    std::lock_guard lock(mutex_);
    throws_ = true;
  }

  std::vector<std::pair<Signal, std::string>> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  std::vector<std::chrono::milliseconds> flushes() const {
    std::lock_guard lock(mutex_);
    return flushes_;
  }
  int shutdowns() const { return shutdowns_; }

 private:
  mutable std::mutex mutex_;
  Status status_, flush_status_;
  ExportOutcome outcome_{1, 0, ""};
  bool throws_ = false;
  std::vector<std::pair<Signal, std::string>> requests_;
  std::vector<std::chrono::milliseconds> flushes_;
  std::atomic<int> shutdowns_ = 0;
  Config config_;
};

// Catches the lines of the SDK's internal log while it lives.
class SdkLog {
 public:
  SdkLog() : handler_(new Handler), before_(Global::GetLogHandler()) { Global::SetLogHandler(handler_); }
  ~SdkLog() { Global::SetLogHandler(before_); }
  SdkLog(const SdkLog&) = delete;
  SdkLog& operator=(const SdkLog&) = delete;

  // Those that are ours.
  std::vector<std::string> lines() const {
    auto* handler = static_cast<Handler*>(handler_.get());
    std::lock_guard lock(handler->mutex);
    return handler->lines;
  }

 private:
  using Global = opentelemetry::sdk::common::internal_log::GlobalLogHandler;
  struct Handler final : opentelemetry::sdk::common::internal_log::LogHandler {
    void Handle(opentelemetry::sdk::common::internal_log::LogLevel, const char*, int, const char* message,
                const opentelemetry::sdk::common::AttributeMap&) noexcept override {
      std::lock_guard lock(mutex);
      if (std::string_view(message).starts_with("[otlp-arrow]")) lines.push_back(message);
    }
    std::mutex mutex;
    std::vector<std::string> lines;
  };

  const opentelemetry::nostd::shared_ptr<opentelemetry::sdk::common::internal_log::LogHandler> handler_, before_;
};

}  // namespace otlp_arrow::testing
