// Requests as an instrumented web shop sends them: 2 resources, 2 scopes each, 8 attributes a span, an event on every
// fifth span, a link on every twentieth. Everything follows from the seed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "otlp_arrow/signal.h"

namespace otlp_arrow::bench {

// `count` serialized Export…ServiceRequests of `items` items each.
std::vector<std::string> SampleRequests(Signal signal, int count, int items, uint64_t seed = 1);

}  // namespace otlp_arrow::bench
