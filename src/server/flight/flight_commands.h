// Descriptors and tickets as the commands that they stand for.
#pragma once

#include <string>
#include <string_view>

#include <arrow/flight/types.h>
#include <arrow/result.h>

#include "query/put_command.h"
#include "query/read_command.h"

namespace otlp_arrow {

// A signal's name, or JSON. Errors: kConfig.
Result<ReadCommand> ReadCommandOfTicket(std::string_view ticket);

// Path [signal], or JSON as the command. Commands of other protocols, as Flight SQL, are NotImplemented, all else that is wrong Invalid.
arrow::Result<ReadCommand> ReadCommandOf(const arrow::flight::FlightDescriptor& descriptor);
arrow::Result<PutCommand> PutCommandOf(const arrow::flight::FlightDescriptor& descriptor);

}  // namespace otlp_arrow
