// OTLP/JSON of requests, by libprotobuf: what a web page or a script sends.
#pragma once

#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"

namespace otlp_arrow::bench {

// The same request as JSON by OTLP's rules: ids in hex, enums as numbers, 64-bit integers as strings. `request` is a serialized
// Export…ServiceRequest of SampleRequests; what does not parse ends the program.
std::string JsonOf(Signal signal, std::string_view request);

}  // namespace otlp_arrow::bench
