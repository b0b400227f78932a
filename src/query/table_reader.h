// The batches of one open data file, whatever its format. What is read is checked in full, so that damaged files give errors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "query/row_filter.h"

namespace otlp_arrow {

class TableReader {
 public:
  virtual ~TableReader() = default;

  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;  // of the whole file
  virtual int batch_count() const = 0;
  virtual Result<int64_t> CountRows() = 0;
  // With the chosen columns; cheapest in the order of the batches.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(int index) = 0;
  // False where the file itself tells, without its columns being read, that the batch has no row that the filter takes.
  virtual bool MayHave(int /*index*/, Signal, const RowFilter&) { return true; }
  // Another reader of the same file with these top-level columns (names that it lacks are passed over; if none is there, one that
  // has the rows).
  virtual Result<std::shared_ptr<TableReader>> WithColumns(const std::vector<std::string>& columns) const = 0;
};

using InputFile = std::shared_ptr<arrow::io::RandomAccessFile>;

// Errors: kExport where it is no whole file of the format.
Result<std::shared_ptr<TableReader>> OpenArrowTable(InputFile input);
Result<std::shared_ptr<TableReader>> OpenParquetTable(InputFile input);

}  // namespace otlp_arrow
