// Finding and opening data files, for the commands that read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/io/type_fwd.h>
#include <arrow/ipc/type_fwd.h>
#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// The .arrow files that `path` means: itself, or those below it (below its otlp/ where it is an output directory), in
// the order of their names, which begin with a time. Errors (I/O): no such path, or a directory that cannot be read.
Result<std::vector<std::string>> FindStoredFiles(const std::string& path);

// An open file of one of our tables. Reading checks every offset and index, so that damaged files give errors.
class StoredFile {
 public:
  // `columns` (top level): only these are read; empty: all. Names that the file lacks are passed over.
  // Errors: kIo where the file cannot be read, kExport where it is damaged or no table of ours.
  static Result<StoredFile> Open(const std::string& path, const std::vector<std::string>& columns = {});
  // The same file with other columns; also where the file is deleted meanwhile.
  Result<StoredFile> WithColumns(const std::vector<std::string>& columns) const;

  Signal signal() const { return signal_; }
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }  // of the whole file
  int64_t bytes() const { return bytes_; }
  int batch_count() const;
  // Rows of all batches, without reading their columns.
  Result<int64_t> CountRows();
  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(int index);

 private:
  Status OpenReader(const std::vector<std::string>& columns);

  std::shared_ptr<arrow::io::RandomAccessFile> input_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  Signal signal_ = Signal::kTraces;
  int64_t bytes_ = 0;
};

}  // namespace otlp_arrow
