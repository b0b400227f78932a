// Text in dictionaries as plain text, however deep it stands: Parquet's encoders keep dictionaries of their own.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

// The type with dictionary<int32, utf8> as utf8 everywhere in it.
std::shared_ptr<arrow::DataType> DenseType(const std::shared_ptr<arrow::DataType>& type);
// The schema with such types; `keep_columns`: columns that are dictionaries themselves stay so, only what is nested changes.
std::shared_ptr<arrow::Schema> DenseSchema(const arrow::Schema& schema, bool keep_columns);

// Bytes of text that the batch has once each row has its own copy: far more than it takes in memory where rows share long texts.
int64_t DenseTextBytes(const arrow::RecordBatch& batch);

// The batch in DenseSchema(…, false). Arrays without dictionaries are shared with it. Errors: kIo for want of memory, kExport for a text
// column of more than 2 GiB and for an index that the dictionary has not.
Result<std::shared_ptr<arrow::RecordBatch>> MakeDense(const arrow::RecordBatch& batch);

}  // namespace otlp_arrow
