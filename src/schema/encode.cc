#include "schema/encode.h"

#include <algorithm>
#include <utility>

#include <arrow/record_batch.h>

#include "schema/context_writer.h"
#include "schema/row_writer.h"

namespace otlp_arrow {
namespace {

// Field numbers of the Export…ServiceRequests and of Resource… messages: the same for every signal.
constexpr uint32_t kResourceContainers = 1;
constexpr uint32_t kScopeContainers = 2;
// Most containers hold between 16 KiB and 2 MiB.
constexpr size_t kContainerLengthBytes = 3;

std::unique_ptr<RowWriter> MakeRowWriter(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return MakeSpanWriter();
    case Signal::kMetrics: return MakeDataPointWriter();
    case Signal::kLogs: return MakeLogRecordWriter();
  }
  return nullptr;
}

// Groups rows into containers and containers into requests.
class RequestWriter {
 public:
  RequestWriter(Signal signal, const EncodeOptions& options) : rows_(MakeRowWriter(signal)), options_(options) {
    options_.max_items_per_request = std::max<int64_t>(options_.max_items_per_request, 1);
  }

  Status Bind(const Columns& columns) {
    OTLP_RETURN_NOT_OK(resources_.Bind(columns));
    OTLP_RETURN_NOT_OK(scopes_.Bind(columns));
    return rows_->Bind(columns);
  }

  Status Write(int64_t row) {
    OTLP_RETURN_NOT_OK(EnterContext(row));
    OTLP_RETURN_NOT_OK(rows_->Write(row, &out_));
    ++items_;
    if (items_ >= options_.max_items_per_request || out_.size() >= options_.max_bytes_per_request) return EndRequest();
    return {};
  }

  Result<std::vector<EncodedRequest>> Finish() {
    if (items_) OTLP_RETURN_NOT_OK(EndRequest());
    return std::move(requests_);
  }

 private:
  // Opens the containers of a row, or stays in those that are open where they are the same.
  Status EnterContext(int64_t row) {
    const bool same_resource = items_ && resources_.Same(row, row - 1);
    if (same_resource && scopes_.Same(row, row - 1)) return {};
    if (items_) OTLP_RETURN_NOT_OK(EndScope());
    if (items_ && !same_resource) EndResource();
    if (!items_) out_.Reserve(next_bytes_);
    if (!same_resource) {
      resource_row_ = row;
      resource_ = out_.Begin(kResourceContainers, kContainerLengthBytes);
      OTLP_RETURN_NOT_OK(resources_.WriteHead(row, &out_));
    }
    scope_row_ = row;
    scope_ = out_.Begin(kScopeContainers, kContainerLengthBytes);
    return scopes_.WriteHead(row, &out_);
  }

  Status EndScope() {
    OTLP_RETURN_NOT_OK(rows_->EndScope(&out_));
    scopes_.WriteTail(scope_row_, &out_);
    out_.End(scope_);
    return {};
  }

  void EndResource() {
    resources_.WriteTail(resource_row_, &out_);
    out_.End(resource_);
  }

  Status EndRequest() {
    OTLP_RETURN_NOT_OK(EndScope());
    EndResource();
    const size_t bytes = out_.size();
    requests_.push_back({out_.Take(), items_});
    next_bytes_ = bytes + bytes / 8;  // the next request will be about as large
    items_ = 0;
    return {};
  }

  std::unique_ptr<RowWriter> rows_;
  ResourceWriter resources_;
  ScopeWriter scopes_;
  EncodeOptions options_;

  wire::Writer out_;
  size_t next_bytes_ = 0;
  int64_t items_ = 0;  // in the request being written; 0: no container is open
  wire::Writer::OpenMessage resource_;
  wire::Writer::OpenMessage scope_;
  int64_t resource_row_ = 0;  // first rows of the open containers
  int64_t scope_row_ = 0;
  std::vector<EncodedRequest> requests_;
};

}  // namespace

Result<std::vector<EncodedRequest>> EncodeOtlp(Signal signal, const arrow::RecordBatch& batch, const EncodeOptions& options) {
  RequestWriter writer(signal, options);
  OTLP_RETURN_NOT_OK(writer.Bind(Columns(batch)));
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    Status status = writer.Write(row);
    if (!status.ok()) return Status::Export("row " + std::to_string(row) + " of " + std::string(SignalName(signal)) + ": " + status.message());
  }
  return writer.Finish();
}

}  // namespace otlp_arrow
