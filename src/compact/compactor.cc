#include "compact/compactor.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "compact/compact_plan.h"

namespace otlp_arrow {
namespace {

// What is merged is published when its inputs come to one of these, so that neither the disk holds much twice nor the links to all
// files that stay are made too often.
constexpr size_t kPublishFiles = 4096;
constexpr uint64_t kPublishBytes = 1ull << 30;

uint64_t TotalBytes(const std::vector<DataFile>& files) {
  uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.bytes;
  return bytes;
}

}  // namespace

// One signal, once through.
class Compactor::Round {
 public:
  Round(Compactor* owner, const CompactOptions& options, Signal signal, CompactReport* report)
      : owner_(*owner), options_(options), signal_(signal), report_(*report), counts_(report->signals[static_cast<size_t>(signal)]) {}

  Status Run() {
    OTLP_ASSIGN_OR_RETURN(auto files, ListDataFiles(owner_.layout_, signal_));
    counts_.files_before = static_cast<int64_t>(files.size());
    counts_.bytes_before = static_cast<int64_t>(TotalBytes(files));
    std::erase_if(files, [&](const DataFile& file) { return owner_.damaged_.contains(file.path); });
    const auto now = std::chrono::floor<std::chrono::seconds>(owner_.clock_->Now());
    auto jobs = PlanMerges(options_, signal_, SettledFiles(owner_.layout_, signal_, files), now);
    for (const auto& job : jobs) report_.files_planned += static_cast<int64_t>(job.inputs.size());
    Tell();
    Status status = options_.dry_run ? CountPlanned(jobs) : Merge(std::move(jobs));
    DropPending();
    if (options_.dry_run) return status;
    OTLP_RETURN_NOT_OK(status);
    OTLP_ASSIGN_OR_RETURN(files, ListDataFiles(owner_.layout_, signal_));
    counts_.files_after = static_cast<int64_t>(files.size());
    counts_.bytes_after = static_cast<int64_t>(TotalBytes(files));
    return Status::Ok();
  }

 private:
  Status Merge(std::vector<MergeJob> jobs) {
    // What is put off comes behind the others.
    for (size_t i = 0; i < jobs.size(); ++i) {
      OTLP_ASSIGN_OR_RETURN(MergeOutcome outcome, MergeFiles(jobs[i], options_, owner_.exchange_->WorkFolder(), &owner_.resources_, [this] {
                              ++report_.files_read;
                              Tell();
                            }));
      for (const auto& [file, what] : outcome.damaged) {
        owner_.damaged_.insert(file.path);
        report_.left_out.push_back(file.path + ": " + what);
        spdlog::warn("compaction leaves out '{}': {}", file.path, what);
      }
      const bool wrong = !outcome.postponed.empty() &&
                         (outcome.postponed[0].name.format != options_.format || outcome.postponed[0].partition != jobs[i].partition);
      if (outcome.postponed.size() > 1 || wrong) jobs.push_back({signal_, jobs[i].partition, std::move(outcome.postponed)});
      if (!outcome.used.empty()) Keep(std::move(outcome));
      if (inputs_.size() >= kPublishFiles || TotalBytes(inputs_) >= kPublishBytes) OTLP_RETURN_NOT_OK(Publish());
    }
    return Publish();
  }

  void Keep(MergeOutcome outcome) {
    outputs_.push_back(std::move(outcome.file));
    inputs_.insert(inputs_.end(), outcome.used.begin(), outcome.used.end());
  }

  Status Publish() {
    if (outputs_.empty()) return Status::Ok();
    OTLP_ASSIGN_OR_RETURN(const Exchange exchange, owner_.exchange_->Replace(signal_, inputs_, outputs_));
    if (exchange == Exchange::kInputIsGone) {
      // Retention was faster: what is left is looked at again in the next round.
      spdlog::debug("compaction: a file of {} was deleted meanwhile; the rest waits for the next round", SignalName(signal_));
      DropPending();
      return Status::Ok();
    }
    if (exchange == Exchange::kInSteps) report_.was_exchanged = false;
    counts_.files_merged += static_cast<int64_t>(inputs_.size());
    counts_.bytes_merged += static_cast<int64_t>(TotalBytes(inputs_));
    counts_.files_written += static_cast<int64_t>(outputs_.size());
    for (const MergedFile& file : outputs_) {
      counts_.rows_merged += file.rows;
      counts_.bytes_written += static_cast<int64_t>(file.bytes);
    }
    outputs_.clear();
    inputs_.clear();
    return owner_.exchange_->DeleteReplaced(false);
  }

  void DropPending() {
    for (const MergedFile& file : outputs_) (void)platform::Remove(file.temporary_path);
    outputs_.clear();
    inputs_.clear();
  }

  Status CountPlanned(const std::vector<MergeJob>& jobs) {
    for (const MergeJob& job : jobs) {
      counts_.files_merged += static_cast<int64_t>(job.inputs.size());
      counts_.bytes_merged += static_cast<int64_t>(TotalBytes(job.inputs));
      ++counts_.files_written;
    }
    counts_.files_after = counts_.files_before - counts_.files_merged + counts_.files_written;
    counts_.bytes_after = counts_.bytes_before;
    return Status::Ok();
  }

  void Tell() {
    if (options_.on_progress) options_.on_progress(report_);
  }

  Compactor& owner_;
  const CompactOptions& options_;
  const Signal signal_;
  CompactReport& report_;
  CompactCounts& counts_;
  std::vector<MergedFile> outputs_;  // not published yet
  std::vector<DataFile> inputs_;     // of those
};

Compactor::Compactor(StoreLayout layout, std::shared_ptr<Clock> clock)
    : layout_(std::move(layout)), clock_(clock ? std::move(clock) : Clock::System()) {}

Compactor::~Compactor() = default;

Result<bool> Compactor::Lock(const CompactOptions& options) {
  // Somebody may have removed the folder, and with it the lock that others see.
  if (lock_ && platform::Exists(layout_.CompactLock())) return true;
  lock_.reset();
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout_.CompactDir()));
  OTLP_ASSIGN_OR_RETURN(lock_, platform::FileLock::TryLock(layout_.CompactLock()));
  if (!lock_) return false;
  exchange_ = std::make_unique<FolderExchange>(layout_, options.reader_grace, options.on_step);
  OTLP_RETURN_NOT_OK(exchange_->CleanUp());
  return true;
}

Result<CompactReport> Compactor::Run(const CompactOptions& options) {
  CompactReport report;
  if (!options.dry_run) {
    OTLP_ASSIGN_OR_RETURN(const bool locked, Lock(options));
    if (!locked) {
      report.is_busy = true;
      return report;
    }
    OTLP_RETURN_NOT_OK(platform::CreateDirectories(exchange_->WorkFolder()));
    OTLP_RETURN_NOT_OK(exchange_->DeleteReplaced(false));
  }
  for (const Signal signal : options.signals) {
    if (options.should_stop && options.should_stop()) report.was_stopped = true;
    if (report.was_stopped) break;
    Status status = Round(this, options, signal, &report).Run();
    if (status.code() == StatusCode::kShutdown) {
      report.was_stopped = true;
    } else {
      OTLP_RETURN_NOT_OK(status);
    }
  }
  if (!report.was_exchanged && !std::exchange(has_warned_, true)) {
    spdlog::warn("the file system of '{}' cannot exchange directories: readers may see rows twice, for a moment, when merged files take their places",
                 layout_.root());
  }
  return report;
}

Status Compactor::Finish(const std::function<bool()>& should_stop) {
  return exchange_ ? exchange_->DeleteReplaced(true, should_stop) : Status::Ok();
}

}  // namespace otlp_arrow
