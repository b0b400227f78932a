// One schema for files that differ in their columns.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "schema/schemas.h"

namespace otlp_arrow {

// The table's own columns, then every other column that a file of it has, in the order in which they were first seen.
class TableUnion {
 public:
  explicit TableUnion(Signal signal);

  void Add(const arrow::Schema& file);
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }
  // The columns that are not the table's own, as the decoder takes them.
  std::vector<PromotedAttribute> Promoted() const;

 private:
  int own_columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

// The fields of `schema` that `columns` names, in that order; all where it is empty. Errors: kConfig for a name that is not
// there or stands there twice.
Result<std::shared_ptr<arrow::Schema>> SelectColumns(const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::string>& columns,
                                                     Signal signal);

// The batch with exactly the columns of `schema`: others are dropped, missing ones are null, types are converted (values
// that do not convert become null). Errors: kExport for a type that has no conversion, naming the column.
Result<std::shared_ptr<arrow::RecordBatch>> Conform(const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema);

}  // namespace otlp_arrow
