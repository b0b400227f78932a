#include "query/stream_planner.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include <arrow/type.h>

#include "otlp_arrow/config.h"
#include "query/table_union.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTraceIdDigits = 32;

// Columns that every file has, so that no file need be opened to know their types.
bool AllOwn(Signal signal, const std::vector<std::string>& columns) {
  if (columns.empty()) return false;
  const auto schema = TableSchema(signal, {});
  return std::all_of(columns.begin(), columns.end(), [&](const auto& name) { return schema->GetFieldIndex(name) >= 0; });
}

}  // namespace

RowFilter FilterOf(const ReadOptions& options) {
  RowFilter filter;
  filter.start = options.start;
  filter.end = options.end;
  filter.services = options.services;
  for (std::string id : options.trace_ids) {
    std::transform(id.begin(), id.end(), id.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 'a' - 'A') : c; });
    filter.trace_ids.push_back(std::move(id));
  }
  return filter;
}

Status CheckTraceIds(Signal signal, const std::vector<std::string>& trace_ids) {
  if (trace_ids.empty()) return Status::Ok();
  if (signal == Signal::kMetrics) return Status::Config("trace_ids: data points have none; they are for traces and logs");
  for (const auto& id : trace_ids) {
    const bool hex = std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
    if (id.size() != kTraceIdDigits || !hex) {
      return Status::Config("trace_ids: '" + id + "' is no trace id; it has 32 hexadecimal digits, such as 4bf92f3577b34da6a3ce929d0e0e4736");
    }
  }
  return Status::Ok();
}

std::vector<PromotedAttribute> DefaultPromoted() {
  auto promoted = ParsePromotedAttributes(Config::DefaultPromotedAttributes());
  return promoted.ok() ? *std::move(promoted) : std::vector<PromotedAttribute>();
}

// The schemas of files, which never change: each file is opened once for them.
class StreamPlanner::SchemaCache {
 public:
  // Null where the file is gone, damaged or no table of the signal: reading it tells.
  std::shared_ptr<arrow::Schema> Get(const std::string& path, Signal signal) {
    {
      std::lock_guard lock(mutex_);
      if (const auto known = schemas_.find(path); known != schemas_.end()) return known->second;
    }
    auto file = StoredFile::Open(path);
    if (!file.ok() || file->signal() != signal) return nullptr;
    std::lock_guard lock(mutex_);
    auto& schema = schemas_[path];
    if (!schema) schema = Shared(file->schema());
    return schema;
  }

  // Forgets the files of the signal's folder that are not in `files` any more.
  void Keep(const std::string& folder, const std::vector<std::string>& files) {
    const std::set<std::string> there(files.begin(), files.end());
    std::lock_guard lock(mutex_);
    std::erase_if(schemas_, [&](const auto& entry) { return entry.first.starts_with(folder) && !there.contains(entry.first); });
  }

 private:
  // Most files have the same one.
  std::shared_ptr<arrow::Schema> Shared(const std::shared_ptr<arrow::Schema>& schema) {
    for (const auto& one : distinct_) {
      if (one->Equals(*schema, true)) return one;
    }
    distinct_.push_back(schema);
    return schema;
  }

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<arrow::Schema>> schemas_;
  std::vector<std::shared_ptr<arrow::Schema>> distinct_;
};

StreamPlanner::StreamPlanner(std::string path) : layout_(std::move(path)), schemas_(std::make_unique<SchemaCache>()) {
  std::error_code ignored;
  is_output_dir_ = fs::is_directory(layout_.root() + "/otlp", ignored) || fs::is_directory(layout_.JournalsDir(), ignored);
}

StreamPlanner::~StreamPlanner() = default;

Result<StreamPlan> StreamPlanner::Plan(Signal signal, const ReadOptions& options) {
  OTLP_RETURN_NOT_OK(CheckTraceIds(signal, options.trace_ids));
  StreamPlan plan;
  plan.signal = signal;
  plan.filter = FilterOf(options);
  plan.mixed_files = !IsOutputDir();
  plan.snapshot_again = [layout = layout_, signal, include_journal = options.include_journal, mixed = plan.mixed_files] {
    return mixed ? TakeFileSnapshot(layout.root()) : TakeSnapshot(layout, signal, include_journal);
  };
  OTLP_ASSIGN_OR_RETURN(plan.snapshot, plan.snapshot_again());
  OTLP_RETURN_NOT_OK(ChooseColumns(options.columns, &plan));
  return plan;
}

Status StreamPlanner::ChooseColumns(const std::vector<std::string>& columns, StreamPlan* plan) {
  TableUnion all(plan->signal);
  if (!AllOwn(plan->signal, columns)) {
    const std::string folder = plan->mixed_files ? layout_.root() : layout_.DataDir(plan->signal) + "/";
    schemas_->Keep(folder, plan->snapshot.files);
    for (const auto& path : plan->snapshot.files) {
      if (const auto schema = schemas_->Get(path, plan->signal)) all.Add(*schema);
    }
    // Nothing is in files yet: what the writers most likely promote.
    if (all.Promoted().empty() && plan->snapshot.files.empty()) all.Add(*TableSchema(plan->signal, DefaultPromoted()));
  }
  plan->promoted = all.Promoted();
  OTLP_ASSIGN_OR_RETURN(plan->schema, SelectColumns(all.schema(), columns, plan->signal));
  return Status::Ok();
}

// A directory may become one after it was opened.
bool StreamPlanner::IsOutputDir() const {
  if (is_output_dir_) return true;
  std::error_code ignored;
  return fs::is_directory(layout_.root() + "/otlp", ignored);
}

}  // namespace otlp_arrow
