#include "compact/merge_files.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/platform/platform.h"
#include "compact/row_sorter.h"
#include "compact/unified_text.h"
#include "query/stored_files.h"
#include "schema/schemas.h"
#include "storage/dense_text.h"
#include "storage/merged_counts.h"

namespace otlp_arrow {
namespace {

// Of the rows that are sorted at a time; concatenating and sorting holds them twice.
constexpr int64_t kMaxSortedBytes = 128ll << 20;
// Of the dictionaries of an Arrow file, which are in memory until its end.
constexpr int64_t kMaxDictionaryBytes = 128ll << 20;
// Of a record batch of an Arrow file.
constexpr int64_t kBatchRows = 64 << 10;

const char* TimeColumn(Signal signal) { return signal == Signal::kTraces ? "start_time" : "time"; }

// The same but for dictionaries.
bool AreAlike(const std::shared_ptr<arrow::DataType>& a, const std::shared_ptr<arrow::DataType>& b) {
  return DenseType(a)->Equals(*DenseType(b));
}

// The columns of all files; false, and nothing added, where a column would have two types.
class ColumnUnion {
 public:
  explicit ColumnUnion(Signal signal) : schema_(TableSchema(signal, {})) {}

  bool Add(const arrow::Schema& file) {
    arrow::FieldVector fields = schema_->fields();
    for (const auto& field : file.fields()) {
      const auto known = schema_->GetFieldByName(field->name());
      if (known && !AreAlike(known->type(), field->type())) return false;
      if (!known) fields.push_back(field);
    }
    if (fields.size() > schema_->fields().size()) schema_ = arrow::schema(std::move(fields), schema_->metadata());
    return true;
  }
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

 private:
  std::shared_ptr<arrow::Schema> schema_;
};

// The columns of the schema in its order, null where the batch lacks one; of the schema's types but for dictionaries.
Result<std::shared_ptr<arrow::RecordBatch>> Align(const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (const auto& field : schema->fields()) {
    auto column = batch.GetColumnByName(field->name());
    if (!column) {
      auto nulls = arrow::MakeArrayOfNull(field->type(), batch.num_rows());
      if (!nulls.ok()) return Status::Io("cannot merge rows: " + nulls.status().message());
      column = *std::move(nulls);
    }
    fields.push_back(field->WithType(column->type()));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields), schema->metadata()), batch.num_rows(), std::move(columns));
}

// One output file: what is common to both formats.
class MergeWriter {
 public:
  MergeWriter(Signal signal, std::shared_ptr<arrow::Schema> schema, const CompactOptions& options)
      : options_(options), schema_(std::move(schema)), is_parquet_(options.format == FileFormat::kParquet), text_(schema_),
        // What is sorted together is one row group.
        sorter_(is_parquet_ ? DenseSchema(*schema_, false) : schema_, TimeColumn(signal), options.row_group_rows, kMaxSortedBytes,
                [this](const arrow::RecordBatch& rows) { return Write(rows); }),
        time_column_(TimeColumn(signal)) {}

  Status Open(const std::string& path, TableFileResources* resources) {
    TableFileOptions options;
    options.format = options_.format;
    options.compression = options_.compression;
    options.row_group_rows = options_.row_group_rows;
    options.sorted_by = time_column_;
    OTLP_ASSIGN_OR_RETURN(file_, TableFileWriter::Create(path, schema_, options, resources));
    return Status::Ok();
  }

  Status Add(const arrow::RecordBatch& batch) {
    OTLP_ASSIGN_OR_RETURN(auto aligned, Align(batch, schema_));
    if (is_parquet_) {
      OTLP_ASSIGN_OR_RETURN(aligned, MakeDense(*aligned));
    } else {
      OTLP_ASSIGN_OR_RETURN(aligned, text_.Unify(*aligned));
    }
    return sorter_.Add(aligned);
  }

  bool IsFull() const { return !is_parquet_ && text_.bytes() > kMaxDictionaryBytes; }

  Status Finish(const PublishTarget& target) {
    OTLP_RETURN_NOT_OK(sorter_.Flush());
    OTLP_ASSIGN_OR_RETURN(const auto dictionaries, text_.Dictionaries());
    return file_->Publish(*dictionaries, target);
  }

  int64_t rows() const { return file_->rows(); }

 private:
  Status Write(const arrow::RecordBatch& rows) {
    if (is_parquet_) {
      OTLP_RETURN_NOT_OK(file_->Write(rows));
      file_->EndRowGroup();
      return Status::Ok();
    }
    for (int64_t row = 0; row < rows.num_rows(); row += kBatchRows) OTLP_RETURN_NOT_OK(file_->Write(*rows.Slice(row, kBatchRows)));
    return Status::Ok();
  }

  const CompactOptions& options_;
  std::shared_ptr<arrow::Schema> schema_;
  const bool is_parquet_;
  UnifiedText text_;
  RowSorter sorter_;
  const std::string time_column_;
  std::unique_ptr<TableFileWriter> file_;
};

class Merge {
 public:
  Merge(const MergeJob& job, const CompactOptions& options, const std::string& folder, TableFileResources* resources,
        const std::function<void()>& on_file_read)
      : job_(job), options_(options), folder_(folder), resources_(resources), on_file_read_(on_file_read), columns_(job.signal) {}

  Result<MergeOutcome> Run() {
    for (const DataFile& file : job_.inputs) OTLP_RETURN_NOT_OK(Look(file));
    while (!outcome_.used.empty()) {
      OTLP_ASSIGN_OR_RETURN(const bool done, Write());
      if (done) break;
    }
    return std::move(outcome_);
  }

 private:
  void LeaveOut(const DataFile& file, const Status& status) {
    if (platform::Exists(file.path)) {
      outcome_.damaged.emplace_back(file, status.message());
    } else {
      outcome_.vanished.push_back(file);
    }
  }

  // Which columns it has, and how many rows of whom.
  Status Look(const DataFile& file) {
    if (ShouldStop()) return Stopped();
    auto opened = StoredFile::Open(file.path);
    auto rows = opened.ok() ? opened->CountRows() : Result<int64_t>(opened.status());
    if (rows.ok() && opened->signal() != job_.signal) rows = Status::Export("holds " + std::string(SignalName(opened->signal())));
    if (!rows.ok()) {
      LeaveOut(file, rows.status());
    } else if (!columns_.Add(*opened->schema())) {
      outcome_.postponed.push_back(file);
    } else {
      RowsByWriter by_writer = MergedRowsOf(*opened->schema());
      if (!file.name.merged) by_writer = {{file.name.writer, *rows}};
      counts_[file.path] = {*rows, std::move(by_writer)};
      outcome_.used.push_back(file);
    }
    return Status::Ok();
  }

  // False where it has to be begun again, without a file that was found bad or with half of them.
  Result<bool> Write() {
    MergedFile merged;
    RowsByWriter by_writer;
    int64_t expected = 0;
    for (const DataFile& file : outcome_.used) {
      const Counts& counts = counts_[file.path];
      expected += counts.rows;
      for (const auto& [writer, rows] : counts.by_writer) by_writer[writer] += rows;
      merged.name.time = std::max(merged.name.time, file.name.time);
    }
    merged.name.merged = true;
    merged.name.writer = NewWriterId();
    merged.name.format = options_.format;
    merged.partition = job_.partition;
    merged.temporary_path = folder_ + "/" + merged.name.ToString();
    MergeWriter writer(job_.signal, WithMergedRows(*columns_.schema(), by_writer), options_);
    OTLP_RETURN_NOT_OK(writer.Open(merged.temporary_path + ".tmp", resources_));
    for (size_t i = 0; i < outcome_.used.size(); ++i) {
      OTLP_ASSIGN_OR_RETURN(const std::optional<Status> damage, Copy(outcome_.used[i], &writer));
      if (damage) {
        LeaveOut(outcome_.used[i], *damage);
        outcome_.used.erase(outcome_.used.begin() + static_cast<int64_t>(i));
        return false;
      }
      if (writer.IsFull() && i + 1 < outcome_.used.size()) return Halve();
      if (on_file_read_) on_file_read_();
    }
    OTLP_RETURN_NOT_OK(writer.Finish({merged.temporary_path, "", true}));
    merged.rows = writer.rows();
    if (merged.rows != expected) {
      (void)platform::Remove(merged.temporary_path);
      return Status::Io("merging " + std::to_string(outcome_.used.size()) + " files from '" + outcome_.used.front().path + "' on gave " +
                        std::to_string(merged.rows) + " rows of " + std::to_string(expected) + "; they stay as they are");
    }
    std::error_code ignored;
    merged.bytes = std::filesystem::file_size(merged.temporary_path, ignored);
    outcome_.file = std::move(merged);
    return true;
  }

  bool Halve() {
    auto& used = outcome_.used;
    const auto middle = used.begin() + static_cast<int64_t>(used.size() / 2);
    outcome_.postponed.insert(outcome_.postponed.end(), middle, used.end());
    used.erase(middle, used.end());
    return false;
  }

  // An error is the writer's; what is wrong with the file itself is the value.
  Result<std::optional<Status>> Copy(const DataFile& input, MergeWriter* writer) {
    auto file = StoredFile::Open(input.path);
    if (!file.ok()) return std::optional(file.status());
    int64_t rows = 0;
    for (int i = 0; i < file->batch_count(); ++i) {
      if (ShouldStop()) return Stopped();
      auto batch = file->ReadBatch(i);
      if (!batch.ok()) return std::optional(batch.status());
      const Status added = writer->Add(**batch);
      if (added.code() == StatusCode::kExport) return std::optional(added);
      OTLP_RETURN_NOT_OK(added);
      rows += (*batch)->num_rows();
    }
    if (rows == counts_[input.path].rows) return std::optional<Status>();
    return std::optional(Status::Export("holds " + std::to_string(rows) + " rows, its footer says " + std::to_string(counts_[input.path].rows)));
  }

  bool ShouldStop() const { return options_.should_stop && options_.should_stop(); }
  static Status Stopped() { return Status::Shutdown("merging was stopped; nothing has changed"); }

  struct Counts {
    int64_t rows = 0;
    RowsByWriter by_writer;
  };

  const MergeJob& job_;
  const CompactOptions& options_;
  const std::string& folder_;
  TableFileResources* resources_;
  const std::function<void()>& on_file_read_;
  ColumnUnion columns_;
  std::map<std::string, Counts> counts_;  // by path
  MergeOutcome outcome_;
};

}  // namespace

Result<MergeOutcome> MergeFiles(const MergeJob& job, const CompactOptions& options, const std::string& folder, TableFileResources* resources,
                                const std::function<void()>& on_file_read) {
  return Merge(job, options, folder, resources, on_file_read).Run();
}

}  // namespace otlp_arrow
