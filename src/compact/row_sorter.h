// Rows on their way into a file, put in the order of their time as many at a time as memory allows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

class RowSorter {
 public:
  using Sink = std::function<Status(const arrow::RecordBatch& rows)>;

  // Gives `sink` batches that are in order, rows without a time last. The batches of the schema all carry the same dictionaries or
  // none. `max_rows`, `max_bytes`: that are gathered before they are handed on.
  RowSorter(std::shared_ptr<arrow::Schema> schema, const std::string& time_column, int64_t max_rows, int64_t max_bytes, Sink sink);

  Status Add(const std::shared_ptr<arrow::RecordBatch>& batch);
  Status Flush();

 private:
  Result<std::shared_ptr<arrow::RecordBatch>> Sorted(const std::shared_ptr<arrow::RecordBatch>& rows) const;

  std::shared_ptr<arrow::Schema> schema_;
  int time_column_;
  int64_t max_rows_, max_bytes_;
  Sink sink_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  int64_t rows_ = 0, bytes_ = 0;
};

}  // namespace otlp_arrow
