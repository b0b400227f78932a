// What the encoder of one signal does with a row; request_writer.h drives it.
#pragma once

#include <cstdint>
#include <memory>

#include "otlp_arrow/status.h"
#include "otlp_arrow/wire_writer.h"
#include "schema/column_reader.h"

namespace otlp_arrow {

class RowWriter {
 public:
  virtual ~RowWriter() = default;
  virtual Status Bind(const Columns& columns) = 0;
  // Appends the item of a row to the open Scope… message.
  virtual Status Write(int64_t row, wire::Writer* out) = 0;
  // Ends what is open below the Scope… message.
  virtual Status EndScope(wire::Writer* out) { return {}; }
};

std::unique_ptr<RowWriter> MakeSpanWriter();
std::unique_ptr<RowWriter> MakeDataPointWriter();
std::unique_ptr<RowWriter> MakeLogRecordWriter();

}  // namespace otlp_arrow
