// What a client says about the rows that it puts: {"signal":"logs"}, with a mapping where they are not in our schema:
// {"signal":"logs","columns":{"body":"message","time":{"column":"ts","unit":"ms"}},"attributes":["user"]}. docs/flight.md
#pragma once

#include <optional>
#include <string_view>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "query/column_mapping.h"

namespace otlp_arrow {

struct PutCommand {
  Signal signal = Signal::kTraces;
  std::optional<ColumnMapping> mapping;
  bool acknowledge_each = true;  // a PutResult for each batch; else one at the end
};

// Errors: kConfig, saying what is wrong and what is allowed.
Result<PutCommand> ParsePutCommand(std::string_view json);

}  // namespace otlp_arrow
