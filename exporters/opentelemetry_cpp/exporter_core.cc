#include "exporter_core.h"

#include <exception>
#include <new>
#include <utility>

namespace otlp_arrow::exporters {
namespace {

constexpr auto kNoLimit = std::chrono::seconds(30);
constexpr auto kLongest = std::chrono::hours(24);  // steady_clock's arithmetic must not overflow

Status FromException(const char* what) { return Status::Export(std::string("exporting failed: ") + what); }

// Of a shutdown: the library goes on writing what it could not finish in time.
bool IsTimeout(const Status& status) { return status.code() == StatusCode::kExport && status.retryable(); }

}  // namespace

ExportResult ToExportResult(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return ExportResult::kSuccess;
    case StatusCode::kExport:
      return status.retryable() ? ExportResult::kFailureFull : ExportResult::kFailureInvalidArgument;
    default:
      return ExportResult::kFailure;
  }
}

std::chrono::milliseconds ToMilliseconds(std::chrono::microseconds timeout) {
  if (timeout <= std::chrono::microseconds::zero() || timeout == std::chrono::microseconds::max()) return kNoLimit;
  if (timeout >= kLongest) return kLongest;
  return std::chrono::ceil<std::chrono::milliseconds>(timeout);
}

ExporterCore::ExporterCore(std::shared_ptr<OtlpLibrary> library, std::string subject)
    : library_(std::move(library)), subject_(std::move(subject)), log_(subject_) {}

Status ExporterCore::TryExport(const Send& send, ExportOutcome* outcome) {
  if (!library_) return Status::Config("the exporter was made without a library; pass what OtlpLibrary::Create returned");
  if (shut_down_.load(std::memory_order_acquire)) return Status::Shutdown("the exporter is shut down; make another one to go on");
  try {
    OTLP_RETURN_NOT_OK(send(*library_, outcome));
  } catch (const std::bad_alloc&) {
    return Status::BufferFull("there is no memory for the request");
  } catch (const std::exception& e) {
    return FromException(e.what());
  } catch (...) {
    return FromException("an exception of unknown type");
  }
  if (outcome->rejected_items == 0 || outcome->accepted_items > 0) return Status::Ok();
  return Status::Export("all of them are invalid: " + outcome->rejected_reason);
}

ExportResult ExporterCore::Export(size_t items, const Send& send) noexcept {
  try {
    ExportOutcome outcome;
    const Status status = TryExport(send, &outcome);
    Keep(status, static_cast<int64_t>(items) - outcome.accepted_items);
    if (status.ok() && outcome.rejected_items > 0) log_.ReportRejected(outcome.rejected_reason, outcome.rejected_items);
    return ToExportResult(status);
  } catch (...) {  // no memory for a message
    return ExportResult::kFailure;
  }
}

void ExporterCore::Keep(const Status& status, int64_t lost_items) noexcept {
  if (status.ok() && !failed_.load(std::memory_order_relaxed)) return;
  try {
    {
      std::lock_guard lock(mutex_);
      last_error_ = status;
      failed_.store(!status.ok(), std::memory_order_relaxed);
    }
    if (!status.ok()) log_.Report(status, lost_items);
  } catch (...) {  // no memory for the message
  }
}

bool ExporterCore::ForceFlush(std::chrono::microseconds timeout) noexcept {
  if (!library_) return false;
  try {
    const Status status = library_->Flush(ToMilliseconds(timeout));
    Keep(status, 0);
    return status.ok();
  } catch (const std::exception& e) {
    Keep(FromException(e.what()), 0);
  } catch (...) {
    Keep(FromException("an exception of unknown type"), 0);
  }
  return false;
}

bool ExporterCore::Shutdown(std::chrono::microseconds timeout) noexcept {
  if (shut_down_.exchange(true) || !library_) return true;
  try {
    if (library_->is_shut_down()) return true;
    const Status status = library_->Flush(ToMilliseconds(timeout));
    if (status.ok() || IsTimeout(status) || library_->is_shut_down()) return true;
    Keep(status, 0);
  } catch (const std::exception& e) {
    Keep(FromException(e.what()), 0);
  } catch (...) {
    Keep(FromException("an exception of unknown type"), 0);
  }
  return false;
}

Status ExporterCore::last_error() const {
  std::lock_guard lock(mutex_);
  return last_error_;
}

}  // namespace otlp_arrow::exporters
