// What a client wants to read, as it says it: {"signal":"traces","start":…,"end":…,"services":[…],"trace_ids":[…],"columns":[…],
// "include_journal":true,"compression":"stored"}. docs/flight.md
#pragma once

#include <string>
#include <string_view>

#include "otlp_arrow/reader.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct ReadCommand {
  Signal signal = Signal::kTraces;
  ReadOptions options{.start = {}, .end = {}, .services = {}, .trace_ids = {}, .columns = {}, .include_journal = true};
  bool decompress = false;  // "compression":"none"
};

// Errors: kConfig, saying what is wrong and what is allowed.
Result<ReadCommand> ParseReadCommand(std::string_view json);

// The same command as JSON again.
std::string ReadCommandText(const ReadCommand& command);

}  // namespace otlp_arrow
