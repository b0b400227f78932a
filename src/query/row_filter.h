// Which rows of a table are wanted: by time, by service and by trace.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct RowFilter {
  // Nanoseconds since 1970. The time of a row (spans: start; data points: time; log records: time, or where that is unknown
  // observed time) is in [start, end). Rows without a time stay only where neither bound is given.
  std::optional<int64_t> start;
  std::optional<int64_t> end;
  // Rows of these services stay; empty: all rows.
  std::vector<std::string> services;
  // Rows of these traces stay, 32 lower-case hexadecimal digits each; empty: all rows. Not for metrics, which have no such column.
  std::vector<std::string> trace_ids{};

  bool takes_all() const { return !start && !end && services.empty() && trace_ids.empty(); }
  // The columns that Select looks at.
  std::vector<std::string> Columns(Signal signal) const;
};

// The rows of a batch that a filter takes.
struct Selection {
  std::shared_ptr<arrow::BooleanArray> mask;
  int64_t rows = 0;  // that are taken
};

// `batch` holds the filter's columns in the types of the table (schema/schemas.h); one that is missing is null in each row.
Result<Selection> Select(Signal signal, const RowFilter& filter, const arrow::RecordBatch& batch);

// The selected rows of a batch of as many rows.
Result<std::shared_ptr<arrow::RecordBatch>> Take(const std::shared_ptr<arrow::RecordBatch>& batch, const Selection& selection);

// Both in one.
Result<std::shared_ptr<arrow::RecordBatch>> FilterRows(Signal signal, const RowFilter& filter,
                                                       const std::shared_ptr<arrow::RecordBatch>& batch);

}  // namespace otlp_arrow
