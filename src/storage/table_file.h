// One data file being written: record batches as they come, dictionaries and footer at the end, then one rename that
// makes it visible. docs/formats/directory.md says why the dictionaries stand behind the batches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "storage/publish.h"

namespace otlp_arrow {

class BufferCodec;
class CachingPool;

// What one file after the other is written with: memory and compression contexts. Outlives the writers that use it.
struct TableFileResources {
  TableFileResources();
  ~TableFileResources();
  std::unique_ptr<CachingPool> pool;
  std::shared_ptr<BufferCodec> zstd;
};

struct TableFileOptions {
  FileFormat format = FileFormat::kArrow;
  Compression compression = Compression::kZstd;
  // Parquet alone. A row group is encoded in memory: it also ends when it holds 256 MiB of text.
  int64_t row_group_rows = 128 << 10;
  std::string sorted_by{};   // the column by which the rows of each row group come, ascending; the file says so. Empty: no order
  bool nulls_first = false;  // of that column
};

class TableFileWriter {
 public:
  // Creates `temporary_path` (replacing what a former life left there). Dictionaries of the batches: an Arrow file has one of each column,
  // in which those of all batches are prefixes; for a Parquet file they may differ from batch to batch.
  static Result<std::unique_ptr<TableFileWriter>> Create(const std::string& temporary_path, std::shared_ptr<arrow::Schema> schema,
                                                         const TableFileOptions& options, TableFileResources* resources);
  // Deletes the temporary file unless Publish succeeded.
  virtual ~TableFileWriter() = default;

  // Compresses and writes a batch of the schema; its memory is no longer needed afterwards.
  virtual Status Write(const arrow::RecordBatch& batch) = 0;

  // Parquet: the next rows begin a row group, so that each is in order by itself.
  virtual void EndRowGroup() {}

  // Writes the dictionaries that `dictionaries` (a batch without rows) carries, and the footer; then PublishFile. Of a Parquet file
  // only the footer is left to be written: `dictionaries` is not looked at.
  virtual Status Publish(const arrow::RecordBatch& dictionaries, const PublishTarget& target) = 0;

  virtual int64_t rows() const = 0;
};

// The rows of a file, read from its footer and batch headers; kIo where it is no whole file of its format, which its name tells.
Result<int64_t> CountRows(const std::string& path);

}  // namespace otlp_arrow
