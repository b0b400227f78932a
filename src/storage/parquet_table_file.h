// The Parquet side of TableFileWriter.
#pragma once

#include <memory>
#include <string>

#include <arrow/type_fwd.h>

#include "storage/table_file.h"

namespace otlp_arrow {

Result<std::unique_ptr<TableFileWriter>> CreateParquetFile(const std::string& temporary_path, std::shared_ptr<arrow::Schema> schema,
                                                           const TableFileOptions& options);

// As the footer says; kIo where the file is no whole Parquet file.
Result<int64_t> CountParquetRows(const std::string& path);

}  // namespace otlp_arrow
