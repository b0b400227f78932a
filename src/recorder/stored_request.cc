#include "recorder/stored_request.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>

#include "otlp_arrow/reader.h"
#include "schema/encode.h"

namespace otlp_arrow {
namespace {

using Reader = std::shared_ptr<arrow::RecordBatchReader>;

// An item as the OTLP that it turns back into: the same for the same row.
std::optional<std::string> OtlpOfRow(Signal signal, const arrow::RecordBatch& batch, int64_t row) {
  auto requests = EncodeOtlp(signal, *batch.Slice(row, 1));
  if (!requests.ok() || requests->size() != 1) return std::nullopt;
  return std::move(requests->front().bytes);
}

std::shared_ptr<arrow::RecordBatch> FirstRow(Signal signal, const std::string& request) {
  ArrowArrayStream stream{};
  if (!ReadRequests(signal, {request}, {}, &stream).ok()) return nullptr;
  auto reader = arrow::ImportRecordBatchReader(&stream);
  std::shared_ptr<arrow::RecordBatch> batch;
  if (!reader.ok() || !(*reader)->ReadNext(&batch).ok() || !batch || batch->num_rows() == 0) return nullptr;
  return batch->Slice(0, 1);
}

// What bounds the search: the time of the row, if it has one.
void SetTime(Signal signal, const arrow::RecordBatch& row, ReadOptions* options) {
  const std::vector<std::string> names = signal == Signal::kTraces ? std::vector<std::string>{"start_time"} : std::vector<std::string>{"time", "observed_time"};
  for (const std::string& name : names) {
    const auto column = row.GetColumnByName(name);
    if (!column || column->IsNull(0)) continue;
    const auto time = column->GetScalar(0);
    if (!time.ok()) return;
    options->start = std::static_pointer_cast<arrow::TimestampScalar>(*time)->value;
    options->end = *options->start + 1;
    return;
  }
}

}  // namespace

Result<bool> IsStored(const std::string& output_dir, Signal signal, const std::string& request) {
  const auto wanted_row = FirstRow(signal, request);
  if (!wanted_row) return false;
  const auto wanted = OtlpOfRow(signal, *wanted_row, 0);
  ReadOptions options;
  options.include_journal = true;
  SetTime(signal, *wanted_row, &options);
  OTLP_ASSIGN_OR_RETURN(const auto store, StoreReader::Open(output_dir));
  ArrowArrayStream stream{};
  OTLP_RETURN_NOT_OK(store->Read(signal, options, &stream));
  auto reader = arrow::ImportRecordBatchReader(&stream);
  if (!reader.ok()) return Status::Io(reader.status().message());
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (auto status = (*reader)->ReadNext(&batch); !status.ok()) return Status::Io(status.message());
    if (!batch) return false;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      if (OtlpOfRow(signal, *batch, row) == wanted) return true;
    }
  }
}

}  // namespace otlp_arrow
