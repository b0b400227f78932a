#include "compact/row_sorter.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

namespace otlp_arrow {
namespace {

Status FromArrow(const arrow::Status& status) { return Status::Io("cannot sort rows: " + status.message()); }

// Those without a time stand last.
std::vector<int64_t> SortKeys(const arrow::Array& times) {
  std::vector<int64_t> keys(static_cast<size_t>(times.length()), std::numeric_limits<int64_t>::max());
  const auto* values = times.data()->GetValues<int64_t>(1);
  for (int64_t i = 0; i < times.length(); ++i) {
    if (times.IsValid(i)) keys[static_cast<size_t>(i)] = values[i];
  }
  return keys;
}

}  // namespace

RowSorter::RowSorter(std::shared_ptr<arrow::Schema> schema, const std::string& time_column, int64_t max_rows, int64_t max_bytes, Sink sink)
    : schema_(std::move(schema)), time_column_(schema_->GetFieldIndex(time_column)), max_rows_(max_rows), max_bytes_(max_bytes), sink_(std::move(sink)) {}

Status RowSorter::Add(const std::shared_ptr<arrow::RecordBatch>& batch) {
  for (int64_t row = 0; row < batch->num_rows();) {
    auto part = batch->Slice(row, std::min(max_rows_ - rows_, batch->num_rows() - row));
    row += part->num_rows();
    rows_ += part->num_rows();
    const auto bytes = arrow::util::ReferencedBufferSize(*part);
    bytes_ += bytes.ok() ? *bytes : arrow::util::TotalBufferSize(*part);
    batches_.push_back(std::move(part));
    if (rows_ >= max_rows_ || bytes_ >= max_bytes_) OTLP_RETURN_NOT_OK(Flush());
  }
  return Status::Ok();
}

Status RowSorter::Flush() {
  if (rows_ == 0) return Status::Ok();
  auto rows = batches_.size() == 1 ? arrow::Result<std::shared_ptr<arrow::RecordBatch>>(batches_.front()) : arrow::ConcatenateRecordBatches(batches_);
  batches_.clear();
  rows_ = bytes_ = 0;
  if (!rows.ok()) return FromArrow(rows.status());
  OTLP_ASSIGN_OR_RETURN(const auto sorted, Sorted(*rows));
  return sink_(*sorted);
}

Result<std::shared_ptr<arrow::RecordBatch>> RowSorter::Sorted(const std::shared_ptr<arrow::RecordBatch>& rows) const {
  const std::vector<int64_t> keys = SortKeys(*rows->column(time_column_));
  if (std::is_sorted(keys.begin(), keys.end())) return rows;
  std::vector<int64_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return keys[static_cast<size_t>(a)] < keys[static_cast<size_t>(b)]; });
  const arrow::Int64Array indices(static_cast<int64_t>(order.size()), arrow::Buffer::Wrap(order));
  auto taken = arrow::compute::Take(rows, arrow::Datum(indices.data()), arrow::compute::TakeOptions::NoBoundsCheck());
  if (!taken.ok()) return FromArrow(taken.status());
  return taken->record_batch();
}

}  // namespace otlp_arrow
