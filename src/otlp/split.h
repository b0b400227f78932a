// Cutting requests: for a receiver that takes less at once, or that refuses a whole request for one item in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "otlp/scan.h"
#include "otlp_arrow/signal.h"

namespace otlp_arrow {

struct RequestHalves {
  std::string first, second;
};

// Two requests that hold the items of `request` between them, in order, each with its resource and scope (and metric). They
// are about equally large where items are. Nullopt: there is one item or none, or the framing is broken. Several requests one
// behind the other are a request too (protobuf's repeated fields add up).
std::optional<RequestHalves> SplitOtlp(Signal signal, std::string_view request);

// The request without the items that ScanOtlp rejects with these limits. `request` is one that ScanOtlp accepts as a whole.
std::string WithoutRejectedItems(Signal signal, std::string_view request, const ScanLimits& limits = {});

}  // namespace otlp_arrow
