// How our tables are laid out in Parquet: the encoding of each column, what has statistics, what the footer says.
#pragma once

#include <memory>

#include <arrow/result.h>
#include <arrow/type_fwd.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "storage/table_file.h"

namespace otlp_arrow {

struct ParquetLayout {
  std::shared_ptr<parquet::schema::GroupNode> schema;
  std::shared_ptr<parquet::WriterProperties> properties;
  std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties;
  std::shared_ptr<const arrow::KeyValueMetadata> metadata;  // that of the schema, and the schema itself for Arrow's readers
  int bloom_leaf = -1;                                      // the leaf column that gets a bloom filter: trace_id; -1: none
};

// Throws as Parquet does.
arrow::Result<ParquetLayout> MakeParquetLayout(const arrow::Schema& schema, const TableFileOptions& options);

}  // namespace otlp_arrow
