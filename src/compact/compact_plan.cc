#include "compact/compact_plan.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "base/platform/platform.h"
#include "storage/ledger_file.h"

namespace otlp_arrow {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr seconds kHour{3600}, kDay{86400};
// Files up to this size are alike: it costs next to nothing to write their rows again.
constexpr uint64_t kTinyBytes = 1 << 20;

sys_seconds WindowStart(sys_seconds time, seconds window) {
  const auto since = time.time_since_epoch();
  return sys_seconds(since - ((since % window) + window) % window);
}

uint64_t TotalBytes(const std::vector<DataFile>& files) {
  uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.bytes;
  return bytes;
}

// Of one window.
class WindowPlanner {
 public:
  WindowPlanner(const CompactOptions& options, Signal signal, std::string partition, bool is_over)
      : options_(options), signal_(signal), partition_(std::move(partition)), is_over_(is_over) {}

  void Plan(std::vector<DataFile> files, std::vector<MergeJob>* jobs) const {
    std::erase_if(files, [&](const DataFile& file) { return IsLarge(file) && !IsWrong(file); });
    if (!is_over_) files = WorthRewriting(std::move(files));
    const bool any_wrong = is_over_ && std::any_of(files.begin(), files.end(), [&](const auto& file) { return IsWrong(file); });
    const size_t least = is_over_ && !options_.everything ? 2 : std::max<size_t>(2, options_.rules.min_files);
    if (files.size() < least && !any_wrong) return;
    MergeJob job{signal_, partition_, {}};
    for (DataFile& file : files) {
      if (!job.inputs.empty() && TotalBytes(job.inputs) + file.bytes > options_.rules.target_file_bytes) Add(&job, jobs);
      job.inputs.push_back(std::move(file));
    }
    Add(&job, jobs);
  }

 private:
  bool IsLarge(const DataFile& file) const { return file.bytes >= options_.rules.target_file_bytes / 2; }
  bool IsWrong(const DataFile& file) const { return file.name.format != options_.format || file.partition != partition_; }

  void Add(MergeJob* job, std::vector<MergeJob>* jobs) const {
    const bool changes = job->inputs.size() > 1 || IsWrong(job->inputs.front());
    if (changes) jobs->push_back(*job);
    job->inputs.clear();
  }

  // While a window fills: no file is taken that is larger than all smaller ones together, so that a row is written again only
  // when its file at least doubles.
  std::vector<DataFile> WorthRewriting(std::vector<DataFile> files) const {
    std::stable_sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
    uint64_t sum = 0;
    size_t taken = 0;
    while (taken < files.size() && files[taken].bytes <= std::max(sum, kTinyBytes)) sum += files[taken++].bytes;
    files.resize(taken);
    std::stable_sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name.time < b.name.time; });
    return files;
  }

  const CompactOptions& options_;
  const Signal signal_;
  const std::string partition_;
  const bool is_over_;
};

}  // namespace

CompactOptions CompactOptions::From(const Config& config) {
  CompactOptions options;
  options.rules = config.compaction;
  options.format = config.compaction.format.value_or(config.format);
  options.compression = config.compression;
  options.row_group_rows = config.parquet.row_group_rows;
  options.max_age = {seconds(config.trace_cleanup_interval_secs), seconds(config.metric_cleanup_interval_secs),
                     seconds(config.log_cleanup_interval_secs)};
  return options;
}

seconds WindowOf(const CompactOptions& options, Signal signal) {
  seconds window(std::max<uint32_t>(1, options.rules.window_secs));
  if (options.rules.partition == Partitioning::kHour) window = std::min(window, kHour);
  if (options.rules.partition == Partitioning::kDate) window = std::min(window, kDay);
  const seconds max_age = options.max_age[static_cast<size_t>(signal)];
  if (max_age.count() != 0) window = std::min(window, max_age / 4);
  return std::max(window, seconds(1));
}

std::string PartitionOf(Partitioning partitioning, sys_seconds time) {
  if (partitioning == Partitioning::kNone) return "";
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  char text[64];
  int size = std::snprintf(text, sizeof(text), "date=%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                           static_cast<unsigned>(date.day()));
  if (partitioning == Partitioning::kHour) {
    size += std::snprintf(text + size, sizeof(text) - static_cast<size_t>(size), "/hour=%02d", static_cast<int>((time - day) / kHour));
  }
  return std::string(text, static_cast<size_t>(size));
}

std::vector<MergeJob> PlanMerges(const CompactOptions& options, Signal signal, const std::vector<DataFile>& files, sys_seconds now) {
  const seconds window = WindowOf(options, signal);
  const seconds min_age(options.rules.min_age_secs);
  std::map<std::pair<sys_seconds, std::string>, std::vector<DataFile>> windows;
  for (const DataFile& file : files) {
    if (now - file.name.time < min_age) continue;
    // A window that does not divide the hour may reach into two partitions.
    windows[{WindowStart(file.name.time, window), PartitionOf(options.rules.partition, file.name.time)}].push_back(file);
  }
  std::vector<MergeJob> jobs;
  for (auto& [key, in_window] : windows) {
    const bool is_over = options.everything || now >= key.first + window + min_age;
    WindowPlanner(options, signal, key.second, is_over).Plan(std::move(in_window), &jobs);
  }
  return jobs;
}

std::vector<DataFile> SettledFiles(const StoreLayout& layout, Signal signal, const std::vector<DataFile>& files) {
  std::map<std::string, std::optional<uint64_t>> stored_through;  // by writer; nullopt: it is gone
  std::vector<DataFile> settled;
  for (const DataFile& file : files) {
    if (!file.name.merged) {
      auto known = stored_through.find(file.name.writer);
      if (known == stored_through.end()) {
        std::optional<uint64_t> through;
        if (platform::Exists(layout.WriterDir(file.name.writer))) {
          through = ReadLedgerFile(layout, file.name.writer).stored_sequences[static_cast<size_t>(signal)];
        }
        known = stored_through.emplace(file.name.writer, through).first;
      }
      if (known->second && *known->second < file.name.range.last) continue;
    }
    settled.push_back(file);
  }
  return settled;
}

}  // namespace otlp_arrow
