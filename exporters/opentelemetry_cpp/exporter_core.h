// What all exporters have in common: the library, time-outs, and where failures go.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <opentelemetry/sdk/common/exporter_utils.h>

#include "failure_log.h"
#include "otlp_arrow/library.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow::exporters {

using opentelemetry::sdk::common::ExportResult;

// What the SDK is told.
ExportResult ToExportResult(const Status& status);

// A time-out of the SDK, which calls "no limit" the greatest duration or zero, in whole milliseconds: at least one.
std::chrono::milliseconds ToMilliseconds(std::chrono::microseconds timeout);

class ExporterCore {
 public:
  // `subject` is what is exported, in the plural.
  ExporterCore(std::shared_ptr<OtlpLibrary> library, std::string subject);

  // Runs `send`, unless the exporter is shut down, and converts what comes out, exceptions included. `send` adds up what
  // became of the `items` items as it goes.
  using Send = std::function<Status(OtlpLibrary&, ExportOutcome*)>;
  ExportResult Export(size_t items, const Send& send) noexcept;

  bool ForceFlush(std::chrono::microseconds timeout) noexcept;
  bool Shutdown(std::chrono::microseconds timeout) noexcept;
  Status last_error() const;

 private:
  Status TryExport(const Send& send, ExportOutcome* outcome);
  // What a call ended with; logged where that is a failure.
  void Keep(const Status& status, int64_t lost_items) noexcept;

  const std::shared_ptr<OtlpLibrary> library_;
  const std::string subject_;
  FailureLog log_;
  std::atomic<bool> shut_down_ = false;
  std::atomic<bool> failed_ = false;  // last_error_ is an error
  mutable std::mutex mutex_;          // guards last_error_
  Status last_error_;
};

}  // namespace otlp_arrow::exporters
