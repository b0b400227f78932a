// Columns of other producers in the types of our tables, and as texts of attributes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <arrow/type_fwd.h>

#include "otlp_arrow/status.h"
#include "schema/schemas.h"

namespace otlp_arrow {

// `column`, which is valid, as our column `target`; lists and structs are left as they are. `unit`: of numbers that are times.
// Errors: kExport, naming `source`, for values that do not convert without loss.
Result<std::shared_ptr<arrow::Array>> ConvertColumn(const std::string& source, const std::shared_ptr<arrow::Array>& column,
                                                    const arrow::Field& target, std::optional<arrow::TimeUnit::type> unit);

// A column as text, with the type that its values have as attributes.
struct AttributeTexts {
  std::shared_ptr<arrow::Array> texts;  // utf8
  ValueType type = ValueType::kString;
};
Result<AttributeTexts> ConvertToAttribute(const std::string& source, const std::shared_ptr<arrow::Array>& column);

}  // namespace otlp_arrow
