// Attribute columns (a map and its companion of types, see schemas.h) back into repeated KeyValue messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/status.h"
#include "otlp_arrow/wire_writer.h"
#include "schema/column_reader.h"

namespace otlp_arrow {

class AttributeWriter {
 public:
  // Binds the column `name` and its companion `name`_types.
  Status Bind(const Columns& columns, const std::string& name);
  bool IsNull(int64_t row) const { return map_.IsNull(row); }
  // Appends the attributes of a row as KeyValue fields of number `field`. Errors: kExport for a value that is not of
  // the type its letter says, naming the column, the key and the value.
  Status Write(int64_t row, uint32_t field, wire::Writer* out) const;
  // Same entries and types on both rows.
  bool Same(int64_t a, int64_t b) const { return map_.Same(a, b) && types_.Same(a, b); }

 private:
  Status WriteTyped(RowRange entries, std::string_view types, uint32_t field, wire::Writer* out) const;
  Status WriteExact(std::string_view base64, uint32_t field, wire::Writer* out) const;

  MapReader map_;
  TextReader types_;
};

// An error for text that does not read back; `text` is cut where it is long.
Status UnreadableText(const std::string& column, std::string_view text, const std::string& wanted);

}  // namespace otlp_arrow
