#include "service/time_filter.h"

#include <limits>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

namespace otlp_arrow {
namespace {

const arrow::TimestampArray* Times(const arrow::RecordBatch& batch, const char* name) {
  const auto column = batch.GetColumnByName(name);
  return column != nullptr && column->type_id() == arrow::Type::TIMESTAMP
             ? static_cast<const arrow::TimestampArray*>(column.get())
             : nullptr;
}

// 0 where the time is unknown, as in OTLP.
int64_t TimeAt(const arrow::TimestampArray* times, int64_t row) {
  return times == nullptr || times->IsNull(row) ? 0 : times->Value(row);
}

int64_t Nanos(const std::optional<ReplayOptions::Time>& time, int64_t otherwise) {
  return time ? time->time_since_epoch().count() : otherwise;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> FilterByTime(Signal signal,
                                                         const std::shared_ptr<arrow::RecordBatch>& batch,
                                                         const std::optional<ReplayOptions::Time>& since,
                                                         const std::optional<ReplayOptions::Time>& until) {
  if (!since && !until) return batch;
  const int64_t first = Nanos(since, std::numeric_limits<int64_t>::min());
  const int64_t end = Nanos(until, std::numeric_limits<int64_t>::max());
  const auto* times = Times(*batch, signal == Signal::kTraces ? "start_time" : "time");
  const auto* observed = signal == Signal::kLogs ? Times(*batch, "observed_time") : nullptr;
  arrow::BooleanBuilder mask;
  int64_t kept = 0;
  if (!mask.Reserve(batch->num_rows()).ok()) return Status::Io("no memory to filter rows");
  for (int64_t i = 0; i < batch->num_rows(); ++i) {
    int64_t time = TimeAt(times, i);
    if (time == 0) time = TimeAt(observed, i);
    const bool keep = time != 0 && time >= first && time < end;
    mask.UnsafeAppend(keep);
    kept += keep ? 1 : 0;
  }
  if (kept == batch->num_rows()) return batch;
  if (kept == 0) return batch->Slice(0, 0);
  std::shared_ptr<arrow::Array> mask_array;
  if (!mask.Finish(&mask_array).ok()) return Status::Io("no memory to filter rows");
  auto filtered = arrow::compute::Filter(arrow::Datum(batch), arrow::Datum(mask_array));
  if (!filtered.ok()) return Status::Io("cannot filter rows: " + filtered.status().message());
  return filtered->record_batch();
}

}  // namespace otlp_arrow
