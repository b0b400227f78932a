// Tables of any producer as ours: which of its columns, or which constants, make up our columns and attributes. docs/flight.md
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "schema/schemas.h"

namespace otlp_arrow {

// Where a value comes from.
struct ValueSource {
  std::string column;                          // of the producer; empty: `text` for every row
  std::optional<arrow::TimeUnit::type> unit;   // of numbers that are times
  std::string text;
  ValueType type = ValueType::kString;         // of `text`
};

struct ColumnMapping {
  enum class Others { kIgnore, kAttributes, kRefuse };
  struct Entry {
    std::string name;  // our column, or the attribute's key
    ValueSource source;
  };
  std::vector<Entry> columns;
  std::vector<Entry> attributes;
  std::vector<Entry> resource_attributes;
  std::vector<Entry> scope_attributes;
  Others others = Others::kIgnore;  // what becomes of columns that are not named
};

// Each name is one of ours and each column is there; kConfig else, with the names that there are.
Status CheckMapping(Signal signal, const ColumnMapping& mapping, const arrow::Schema& schema);

// Our table with the columns that the mapping fills. `batch` is valid throughout (ValidateFull). Errors: kExport for a column whose
// values do not convert, naming it.
Result<std::shared_ptr<arrow::RecordBatch>> MapColumns(Signal signal, const ColumnMapping& mapping, const arrow::RecordBatch& batch);

}  // namespace otlp_arrow
