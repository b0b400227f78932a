// Finding and opening data files, for the commands that read them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/config.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "query/table_reader.h"

namespace otlp_arrow {

// The .arrow and .parquet files that `path` means: itself, or those below it (below its otlp/ where it is an output directory), in
// the order of their names, which begin with a time. Files and folders whose names begin with a dot are passed over. A folder that
// compaction exchanges meanwhile is listed again: the files are those of one moment. Errors (I/O): no such path, or a directory that cannot be read.
Result<std::vector<std::string>> FindStoredFiles(const std::string& path);

// By its first bytes, or where there are none by its name. Errors: kIo.
Result<FileFormat> FormatOfFile(const std::string& path, const InputFile& input);

// An open file of one of our tables. Reading checks every offset and index, so that damaged files give errors.
class StoredFile {
 public:
  // `columns` (top level): only these are read; empty: all. Names that the file lacks are passed over.
  // Errors: kIo where the file cannot be read, kExport where it is damaged or no table of ours.
  // `input`: the file where it is open already.
  static Result<StoredFile> Open(const std::string& path, const std::vector<std::string>& columns = {}, InputFile input = nullptr);
  // The same file with other columns; also where the file is deleted meanwhile.
  Result<StoredFile> WithColumns(const std::vector<std::string>& columns) const;

  Signal signal() const { return signal_; }
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }  // of the whole file
  int64_t bytes() const { return bytes_; }
  FileFormat format() const { return format_; }
  int batch_count() const { return reader_->batch_count(); }
  // Rows of all batches, without reading their columns.
  Result<int64_t> CountRows() { return reader_->CountRows(); }
  Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(int index) { return reader_->ReadBatch(index); }
  // False where the batch surely has no row that the filter takes. A file has one filter.
  bool MayHave(int index, const RowFilter& filter) { return filter.takes_all() || reader_->MayHave(index, signal_, filter); }

 private:
  std::shared_ptr<TableReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  Signal signal_ = Signal::kTraces;
  FileFormat format_ = FileFormat::kArrow;
  int64_t bytes_ = 0;
};

}  // namespace otlp_arrow
