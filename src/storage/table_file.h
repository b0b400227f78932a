// One data file being written: record batches as they come, dictionaries and footer at the end, then one rename that
// makes it visible. docs/formats/directory.md says why the dictionaries stand behind the batches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"

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

class TableFileWriter {
 public:
  // Creates `temporary_path` (replacing what a former life left there).
  static Result<std::unique_ptr<TableFileWriter>> Create(const std::string& temporary_path, std::shared_ptr<arrow::Schema> schema,
                                                         Compression compression, TableFileResources* resources);
  // Deletes the temporary file unless Publish succeeded.
  virtual ~TableFileWriter() = default;

  // Compresses and writes a batch of the schema; its memory is no longer needed afterwards.
  virtual Status Write(const arrow::RecordBatch& batch) = 0;

  // Writes the dictionaries that `dictionaries` (a batch without rows) carries, and the footer; with `sync` waits for
  // the device; then renames the file to `path`.
  virtual Status Publish(const arrow::RecordBatch& dictionaries, const std::string& path, bool sync) = 0;

  virtual int64_t rows() const = 0;
};

// The rows of a file, read from its footer and batch headers; kIo where it is no whole Arrow file.
Result<int64_t> CountRows(const std::string& path);

}  // namespace otlp_arrow
