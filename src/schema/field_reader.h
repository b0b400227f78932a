// Columns whose text stands for a field of another type: ids and enumerations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp_arrow/status.h"
#include "otlp_arrow/wire_writer.h"
#include "schema/column_reader.h"

namespace otlp_arrow {

// Trace or span ids as hex digits.
template <size_t kBytes>
class IdReader {
 public:
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  // Appends the id as a bytes field; null and empty text leave it out. Errors: kExport for other text.
  Status Write(int64_t row, uint32_t field, wire::Writer* out) const;

 private:
  std::string path_;
  TextReader ids_;
};
using TraceIdReader = IdReader<16>;
using SpanIdReader = IdReader<8>;

// Names or decimal numbers of an enumeration's values, as schemas.h has them.
class EnumReader {
 public:
  using FromName = std::optional<int32_t> (*)(std::string_view);
  explicit EnumReader(FromName from_name) : from_name_(from_name) {}
  Status Bind(const std::string& path, const std::shared_ptr<arrow::Array>& array);
  bool IsNull(int64_t row) const { return names_.IsNull(row); }
  bool Same(int64_t a, int64_t b) const { return names_.Same(a, b); }
  // Zero where null. Errors: kExport for text that is neither a name nor a number.
  Status Read(int64_t row, int32_t* value);

 private:
  Status Parse(std::string_view name);

  FromName from_name_;
  std::string path_;
  TextReader names_;
  std::string_view last_name_;  // within the column: most rows say the same as the one before
  int32_t last_value_ = 0;
};

}  // namespace otlp_arrow
