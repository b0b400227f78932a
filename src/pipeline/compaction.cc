#include "pipeline/compaction.h"

#include <chrono>
#include <optional>

#include <spdlog/spdlog.h>

#include "base/platform/background.h"
#include "base/platform/platform.h"

namespace otlp_arrow {

Compaction::Compaction(const Config& config, StoreLayout layout, std::shared_ptr<Clock> clock)
    : layout_(std::move(layout)), clock_(std::move(clock)) {
  Reconfigure(config);
}

Compaction::~Compaction() { Stop(); }

void Compaction::Reconfigure(const Config& config) {
  std::lock_guard lock(mutex_);
  if (stop_) return;
  options_ = CompactOptions::From(config);
  options_.should_stop = [this] { return stop_ || !enabled_; };
  enabled_ = config.compaction.enabled;
  changed_ = true;
  wake_.notify_one();
  if (enabled_ && !thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void Compaction::Stop() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

CompactionStats Compaction::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

void Compaction::Run() {
  platform::SetThreadName("otlp-compact");
  platform::WorkInBackground();
  std::optional<Compactor> compactor;  // holds the directory's lock while compaction is enabled
  for (;;) {
    CompactOptions options;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::seconds(options_.rules.interval_secs), [&] { return stop_ || changed_; });
      if (stop_) break;
      changed_ = false;
      options = options_;
    }
    if (!enabled_) {
      compactor.reset();
      continue;
    }
    if (!compactor) compactor.emplace(layout_, clock_);
    Round(&*compactor, options);
  }
}

void Compaction::Round(Compactor* compactor, const CompactOptions& options) {
  const auto report = compactor->Run(options);
  if (!report.ok() && report.status().message() != last_error_) {
    spdlog::warn("compaction: {}; it is tried again every {} s, and all data stays readable", report.status().message(), options.rules.interval_secs);
  }
  last_error_ = report.ok() ? "" : report.status().message();
  const int64_t merged = report.ok() ? report->Sum(&CompactCounts::files_merged) : 0;
  if (merged > 0) {
    spdlog::debug("compaction: {} files became {}, {} rows", merged, report->Sum(&CompactCounts::files_written), report->Sum(&CompactCounts::rows_merged));
  }
  std::lock_guard lock(mutex_);
  if (!report.ok()) ++stats_.failed_rounds;
  if (!report.ok() || merged > 0) ++stats_.rounds;
  if (!report.ok()) return;
  stats_.files_merged += merged;
  stats_.files_written += report->Sum(&CompactCounts::files_written);
  stats_.rows_merged += report->Sum(&CompactCounts::rows_merged);
  stats_.bytes_merged += report->Sum(&CompactCounts::bytes_merged);
  stats_.bytes_written += report->Sum(&CompactCounts::bytes_written);
  stats_.files_left_out += static_cast<int64_t>(report->left_out.size());
}

}  // namespace otlp_arrow
