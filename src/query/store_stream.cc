#include "query/store_stream.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <arrow/type.h>

#include "base/platform/platform.h"
#include "query/table_union.h"
#include "storage/layout.h"

namespace otlp_arrow {
namespace {

// Of the requests that are decoded for one batch.
constexpr size_t kMaxRequestBytes = 8u << 20;
constexpr int kMostPlans = 20;

arrow::Status ToArrow(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk: return arrow::Status::OK();
    case StatusCode::kIo: return arrow::Status::IOError(status.message());
    default: return arrow::Status::Invalid(status.message());
  }
}

Status InFile(const Status& status, const std::string& path) {
  return {status.code(), "'" + path + "': " + status.message() + "; otlp-arrow inspect lists every file that is damaged"};
}

std::shared_ptr<arrow::Schema> FilterSchema(Signal signal, const RowFilter& filter) {
  const auto table = TableSchema(signal, {});
  arrow::FieldVector fields;
  for (const auto& name : filter.Columns(signal)) fields.push_back(table->GetFieldByName(name));
  return arrow::schema(std::move(fields));
}

}  // namespace

// A file that is being read. With a filter its columns are read first: a batch of which no row is wanted costs no more.
struct StoreStream::OpenFile {
  StoredFile first;                  // the filter's columns alone, or, without a filter, those that are handed out
  std::optional<StoredFile> wanted;  // with a filter: those that are handed out; opened when the first row is wanted
  std::string path;
  int next_batch = 0;
};

StoreStream::StoreStream(StreamPlan plan) : plan_(std::move(plan)), filter_schema_(FilterSchema(plan_.signal, plan_.filter)) {}
StoreStream::~StoreStream() = default;

arrow::Status StoreStream::ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
  auto next = Next();
  if (!next.ok()) return ToArrow(next.status());
  *batch = *std::move(next);
  return arrow::Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> StoreStream::Next() {
  OTLP_ASSIGN_OR_RETURN(auto batch, NextOfFile());
  if (batch) return batch;
  return NextOfRequests();
}

const std::string* StoreStream::NextFile() const {
  if (current_ && current_->next_batch < current_->first.batch_count()) return nullptr;
  return next_file_ < plan_.snapshot.files.size() ? &plan_.snapshot.files[next_file_] : nullptr;
}

Result<StoredFile> StoreStream::OpenFirst(size_t file_index) const {
  const auto columns = plan_.filter.takes_all() ? plan_.schema->field_names() : plan_.filter.Columns(plan_.signal);
  OTLP_ASSIGN_OR_RETURN(StoredFile file, StoredFile::Open(plan_.snapshot.files[file_index], columns, NextInput()));
  if (file.signal() == plan_.signal) return file;
  return Status::Export("holds " + std::string(SignalName(file.signal())) + ", not " + std::string(SignalName(plan_.signal)));
}

Result<bool> StoreStream::WasMerged(const std::string& path) {
  if (!plan_.snapshot_again) return false;
  OTLP_ASSIGN_OR_RETURN(StoreSnapshot now, plan_.snapshot_again());
  const auto& planned = plan_.snapshot.files;
  const bool merged = std::any_of(now.files.begin(), now.files.end(), [&](const std::string& file) {
    const auto name = DataFileName::Parse(file.substr(file.rfind('/') + 1));
    return name && name->merged && std::find(planned.begin(), planned.end(), file) == planned.end();
  });
  if (!merged) return false;
  if (began_ || ++plans_ > kMostPlans) {
    return Status::Io("'" + path + "' was merged with others by compaction before it was read; read again", true);
  }
  plan_.snapshot = std::move(now);
  next_file_ = 0;
  return true;
}

Status StoreStream::LeaveOutMissing() {
  OTLP_ASSIGN_OR_RETURN(const bool merged, WasMerged(plan_.snapshot.files[next_file_]));
  if (!merged) ++next_file_;  // deleted by retention: its rows have expired
  return Status::Ok();
}

Result<bool> StoreStream::OpenNextFile() {
  current_.reset();
  while (next_file_ < plan_.snapshot.files.size()) {
    const std::string& path = plan_.snapshot.files[next_file_];
    auto opened = OpenFirst(next_file_);
    if (opened.ok()) {
      current_.reset(new OpenFile{*std::move(opened), std::nullopt, path, 0});
      if (next_file_ < plan_.snapshot.inputs.size()) plan_.snapshot.inputs[next_file_].reset();
      ++next_file_;
      return true;
    }
    if (NextInput() == nullptr && !platform::Exists(path)) {
      OTLP_RETURN_NOT_OK(LeaveOutMissing());
      continue;
    }
    if (!plan_.mixed_files || opened.status().code() != StatusCode::kExport) return InFile(opened.status(), path);
    ++next_file_;
  }
  return false;
}

Result<std::shared_ptr<arrow::RecordBatch>> StoreStream::ReadBatch(OpenFile* file, int index) const {
  OTLP_ASSIGN_OR_RETURN(auto batch, file->first.ReadBatch(index));
  if (plan_.filter.takes_all()) return Conform(*batch, plan_.schema);
  OTLP_ASSIGN_OR_RETURN(batch, Conform(*batch, filter_schema_));
  OTLP_ASSIGN_OR_RETURN(const Selection selection, Select(plan_.signal, plan_.filter, *batch));
  if (selection.rows == 0) return std::shared_ptr<arrow::RecordBatch>();
  if (!file->wanted) {
    OTLP_ASSIGN_OR_RETURN(file->wanted, file->first.WithColumns(plan_.schema->field_names()));
  }
  OTLP_ASSIGN_OR_RETURN(batch, file->wanted->ReadBatch(index));
  OTLP_ASSIGN_OR_RETURN(batch, Conform(*batch, plan_.schema));
  return Take(batch, selection);
}

Result<std::shared_ptr<arrow::RecordBatch>> StoreStream::NextOfFile() {
  for (;;) {
    if (plan_.is_cancelled && plan_.is_cancelled()) return Status::Shutdown("reading was cancelled");
    if (!current_ || current_->next_batch == current_->first.batch_count()) {
      OTLP_ASSIGN_OR_RETURN(const bool more, OpenNextFile());
      if (!more) return std::shared_ptr<arrow::RecordBatch>();
      continue;
    }
    const int index = current_->next_batch++;
    if (!current_->first.MayHave(index, plan_.filter)) continue;
    auto batch = ReadBatch(current_.get(), index);
    if (!batch.ok()) return InFile(batch.status(), current_->path);
    if (!*batch || (*batch)->num_rows() == 0) continue;
    began_ = true;
    return batch;
  }
}

Result<std::shared_ptr<arrow::RecordBatch>> StoreStream::NextOfRequests() {
  auto& requests = plan_.snapshot.requests;
  for (;;) {
    auto batch = decoded_ ? decoded_->Pop() : nullptr;
    if (batch) {
      OTLP_ASSIGN_OR_RETURN(batch, FilterRows(plan_.signal, plan_.filter, batch));
      if (batch->num_rows() > 0) return Conform(*batch, plan_.schema);
      continue;
    }
    if (next_request_ == requests.size()) return std::shared_ptr<arrow::RecordBatch>();
    if (!decoded_) decoded_ = std::make_unique<RequestBatches>(plan_.signal, plan_.promoted);
    for (size_t bytes = 0; next_request_ < requests.size() && bytes < kMaxRequestBytes; ++next_request_) {
      JournaledRequest request = std::move(requests[next_request_]);
      bytes += request.bytes.size();
      OTLP_RETURN_NOT_OK(decoded_->Add(request.bytes, request.has_rejected_items));
    }
    OTLP_RETURN_NOT_OK(decoded_->Flush());
  }
}

Result<int64_t> StoreStream::CountFile(OpenFile* file) const {
  if (plan_.filter.takes_all()) return file->first.CountRows();
  int64_t rows = 0;
  for (int i = 0; i < file->first.batch_count(); ++i) {
    if (!file->first.MayHave(i, plan_.filter)) continue;
    OTLP_ASSIGN_OR_RETURN(auto batch, file->first.ReadBatch(i));
    OTLP_ASSIGN_OR_RETURN(batch, Conform(*batch, filter_schema_));
    OTLP_ASSIGN_OR_RETURN(const Selection selection, Select(plan_.signal, plan_.filter, *batch));
    rows += selection.rows;
  }
  return rows;
}

Result<int64_t> StoreStream::CountRequests() {
  int64_t rows = 0;
  if (plan_.filter.takes_all()) {
    for (const auto& request : plan_.snapshot.requests) rows += request.items;
    return rows;
  }
  for (;;) {
    OTLP_ASSIGN_OR_RETURN(const auto batch, NextOfRequests());
    if (!batch) return rows;
    rows += batch->num_rows();
  }
}

Result<int64_t> StoreStream::Count() {
  int64_t rows = 0;
  for (;;) {
    const int plans = plans_;
    OTLP_ASSIGN_OR_RETURN(const bool more, OpenNextFile());
    if (plans_ != plans) rows = 0;  // all files come again
    if (!more) break;
    auto counted = CountFile(current_.get());
    if (!counted.ok()) return InFile(counted.status(), current_->path);
    rows += *counted;
  }
  OTLP_ASSIGN_OR_RETURN(const int64_t journaled, CountRequests());
  return rows + journaled;
}

}  // namespace otlp_arrow
