#include "query/row_filter.h"

#include <algorithm>
#include <limits>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>
#include <arrow/record_batch.h>

namespace otlp_arrow {
namespace {

const char* TimeColumn(Signal signal) { return signal == Signal::kTraces ? "start_time" : "time"; }

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

using Rows = std::vector<uint8_t>;  // 1: taken

void SelectTimes(Signal signal, const RowFilter& filter, const arrow::RecordBatch& batch, Rows* rows) {
  const int64_t first = filter.start.value_or(std::numeric_limits<int64_t>::min());
  const int64_t end = filter.end.value_or(std::numeric_limits<int64_t>::max());
  const auto* times = Times(batch, TimeColumn(signal));
  const auto* observed = signal == Signal::kLogs ? Times(batch, "observed_time") : nullptr;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    int64_t time = TimeAt(times, i);
    if (time == 0) time = TimeAt(observed, i);
    (*rows)[static_cast<size_t>(i)] &= static_cast<uint8_t>(time != 0 && time >= first && time < end);
  }
}

void SelectServices(const std::vector<std::string>& services, const arrow::RecordBatch& batch, Rows* rows) {
  const auto column = batch.GetColumnByName("service_name");
  const auto* names = column != nullptr && column->type_id() == arrow::Type::DICTIONARY
                          ? static_cast<const arrow::DictionaryArray*>(column.get())
                          : nullptr;
  if (names == nullptr || names->dictionary()->type_id() != arrow::Type::STRING) {
    std::fill(rows->begin(), rows->end(), uint8_t{0});
    return;
  }
  const auto& texts = static_cast<const arrow::StringArray&>(*names->dictionary());
  Rows wanted(static_cast<size_t>(texts.length()));
  for (int64_t i = 0; i < texts.length(); ++i) {
    wanted[static_cast<size_t>(i)] = std::find(services.begin(), services.end(), texts.GetView(i)) != services.end();
  }
  for (int64_t i = 0; i < names->length(); ++i) {
    const bool taken = names->IsValid(i) && wanted[static_cast<size_t>(names->GetValueIndex(i))];
    (*rows)[static_cast<size_t>(i)] &= static_cast<uint8_t>(taken);
  }
}

// Few ids are asked for, and hardly a row has one of them.
void SelectTraces(const std::vector<std::string>& trace_ids, const arrow::RecordBatch& batch, Rows* rows) {
  const auto column = batch.GetColumnByName("trace_id");
  const auto* ids = column != nullptr && column->type_id() == arrow::Type::STRING ? static_cast<const arrow::StringArray*>(column.get()) : nullptr;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const bool taken = ids != nullptr && ids->IsValid(i) && std::find(trace_ids.begin(), trace_ids.end(), ids->GetView(i)) != trace_ids.end();
    (*rows)[static_cast<size_t>(i)] &= static_cast<uint8_t>(taken);
  }
}

}  // namespace

std::vector<std::string> RowFilter::Columns(Signal signal) const {
  std::vector<std::string> columns;
  if (start || end) {
    columns.emplace_back(TimeColumn(signal));
    if (signal == Signal::kLogs) columns.emplace_back("observed_time");
  }
  if (!services.empty()) columns.emplace_back("service_name");
  if (!trace_ids.empty()) columns.emplace_back("trace_id");
  return columns;
}

Result<Selection> Select(Signal signal, const RowFilter& filter, const arrow::RecordBatch& batch) {
  Rows rows(static_cast<size_t>(batch.num_rows()), 1);
  if (filter.start || filter.end) SelectTimes(signal, filter, batch, &rows);
  if (!filter.services.empty()) SelectServices(filter.services, batch, &rows);
  if (!filter.trace_ids.empty()) SelectTraces(filter.trace_ids, batch, &rows);
  Selection selection;
  selection.rows = std::count(rows.begin(), rows.end(), 1);
  arrow::BooleanBuilder mask;
  if (!mask.AppendValues(rows.data(), batch.num_rows()).ok() || !mask.Finish(&selection.mask).ok()) {
    return Status::Io("no memory to filter rows");
  }
  return selection;
}

Result<std::shared_ptr<arrow::RecordBatch>> Take(const std::shared_ptr<arrow::RecordBatch>& batch, const Selection& selection) {
  if (selection.rows == batch->num_rows()) return batch;
  if (selection.rows == 0) return batch->Slice(0, 0);
  auto filtered = arrow::compute::Filter(arrow::Datum(batch), arrow::Datum(selection.mask));
  if (!filtered.ok()) return Status::Io("cannot filter rows: " + filtered.status().message());
  return filtered->record_batch();
}

Result<std::shared_ptr<arrow::RecordBatch>> FilterRows(Signal signal, const RowFilter& filter,
                                                       const std::shared_ptr<arrow::RecordBatch>& batch) {
  if (filter.takes_all()) return batch;
  OTLP_ASSIGN_OR_RETURN(const Selection selection, Select(signal, filter, *batch));
  return Take(batch, selection);
}

}  // namespace otlp_arrow
