// Events of a ring as OTLP log records.
#pragma once

#include <span>

#include "collector/dictionary_converter.h"
#include "ring/records.h"

namespace otlp_arrow {

// Writes one log record (ScopeLogs.log_records). `parts`: the record, in as many parts as it was cut into; all but bodies
// and attributes come from the first one. False where an attribute or the name refers to what is not there: that is left
// out.
bool WriteLogRecord(std::span<const ring::EventView> parts, const DictionaryConverter& converter, wire::Writer* out);

}  // namespace otlp_arrow
