#include "failure_log.h"

#include <opentelemetry/sdk/common/global_log_handler.h>

namespace otlp_arrow::exporters {
namespace {

constexpr int kRejectedKind = -1;

int KindOf(const Status& status) { return 2 * static_cast<int>(status.code()) + status.retryable(); }

}  // namespace

int64_t FailureLog::Count(int kind, int64_t items, Clock::duration quiet_time) {
  std::lock_guard lock(mutex_);
  const auto now = now_();
  Kind& entry = kinds_[kind];
  entry.untold_items += items;
  if (now < entry.next_line) return -1;
  entry.next_line = quiet_time == Clock::duration::max() ? Clock::time_point::max() : now + quiet_time;
  return std::exchange(entry.untold_items, 0);
}

void FailureLog::Report(const Status& status, int64_t items) {
  const bool once = status.code() == StatusCode::kShutdown;
  const int64_t count = Count(KindOf(status), items, once ? Clock::duration::max() : Clock::duration(kQuietTime));
  if (count < 0) return;
  const std::string lost = count > 0 ? std::to_string(count) + " " + subject_ + " were not recorded: " : subject_ + ": ";
  OTEL_INTERNAL_LOG_ERROR("[otlp-arrow] " << lost << status.message() << (once ? " (told once)" : ""));
}

void FailureLog::ReportRejected(const std::string& reason, int64_t items) {
  const int64_t count = Count(kRejectedKind, items, kQuietTime);
  if (count < 0) return;
  OTEL_INTERNAL_LOG_WARN("[otlp-arrow] " << count << " " << subject_ << " were left out as invalid: " << reason);
}

}  // namespace otlp_arrow::exporters
