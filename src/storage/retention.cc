#include "storage/retention.h"

#include <algorithm>

#include "base/platform/platform.h"
#include "storage/merged_counts.h"
#include "storage/publish.h"
#include "storage/table_file.h"

namespace otlp_arrow {
namespace {

struct Candidate {
  Signal signal;
  DataFile file;
};

// What the file holds of whom; nothing where it cannot be read.
RowsByWriter RowsIn(const DataFile& file) {
  if (file.name.merged) {
    if (auto rows = ReadMergedRows(file.path); rows.ok() && !rows->empty()) return *rows;
  }
  const auto rows = CountRows(file.path);
  return {{file.name.writer, rows.ok() ? *rows : 0}};
}

// Of all signals, the oldest first.
Result<std::vector<Candidate>> ListCandidates(const StoreLayout& layout) {
  std::vector<Candidate> files;
  for (Signal s : kAllSignals) {
    OTLP_ASSIGN_OR_RETURN(auto of_signal, ListDataFiles(layout, s));
    for (DataFile& file : of_signal) files.push_back({s, std::move(file)});
  }
  std::stable_sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.file.name.time < b.file.name.time; });
  return files;
}

}  // namespace

RetentionRules RetentionRules::From(const Config& config) {
  RetentionRules rules;
  rules.max_age = {std::chrono::seconds(config.trace_cleanup_interval_secs), std::chrono::seconds(config.metric_cleanup_interval_secs),
                   std::chrono::seconds(config.log_cleanup_interval_secs)};
  rules.max_total_bytes = config.max_total_bytes;
  return rules;
}

bool RetentionRules::any() const {
  return max_total_bytes != 0 || std::any_of(max_age.begin(), max_age.end(), [](auto age) { return age.count() != 0; });
}

Result<std::vector<ExpiredFile>> ExpireFiles(const StoreLayout& layout, const RetentionRules& rules, std::chrono::sys_seconds now,
                                             const std::function<bool(const std::string& writer)>& may_delete) {
  if (!platform::Exists(layout.root() + "/otlp")) return std::vector<ExpiredFile>();
  // Or a file could come back with a folder that was made while it was there.
  OTLP_ASSIGN_OR_RETURN(const auto lock, AcquirePublishLock(layout.PublishLock(), platform::PathLock::Kind::kShared));
  OTLP_ASSIGN_OR_RETURN(const auto candidates, ListCandidates(layout));
  uint64_t total = 0;
  for (const auto& candidate : candidates) total += candidate.file.bytes;
  std::vector<ExpiredFile> expired;
  for (const auto& [signal, file] : candidates) {
    const auto max_age = rules.max_age[static_cast<size_t>(signal)];
    const bool too_old = max_age.count() != 0 && now - file.name.time > max_age;
    const bool too_much = rules.max_total_bytes != 0 && total > rules.max_total_bytes;
    if ((!too_old && !too_much) || !may_delete(file.name.writer)) continue;
    const RowsByWriter rows = RowsIn(file);
    OTLP_RETURN_NOT_OK(platform::Remove(file.path));
    total -= file.bytes;
    for (const auto& [writer, items] : rows) expired.push_back({signal, writer, file.path, items});
  }
  return expired;
}

}  // namespace otlp_arrow
