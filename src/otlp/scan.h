// The validating scan: walks a request once, touches every field's framing, counts items. What it accepts, the
// decoder reads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"

namespace otlp_arrow {

// Nesting of AnyValue that is taken; deeper values make their item invalid.
inline constexpr int kMaxValueDepth = 64;

// What an item may hold; by default as much as can be stored.
struct ScanLimits {
  uint32_t max_attributes = UINT32_MAX;   // of one list: of a span, an event, a resource, …
  int max_value_depth = kMaxValueDepth;   // 1 to kMaxValueDepth
};

enum class ItemFault : uint8_t { kNone, kBadTraceId, kBadSpanId, kBadUtf8, kTooDeep, kTooManyAttributes, kValueOverLimit };
// Short stable words for counters: "bad_trace_id", "bad_span_id", "bad_utf8", "too_deep", and "limit" for what could be stored but for
// the limits.
std::string_view ItemFaultName(ItemFault fault);
// A sentence for the sender.
std::string ItemFaultMessage(ItemFault fault, const ScanLimits& limits = {});

struct ScanResult {
  bool ok = false;             // the bytes are a well-formed request of the signal
  std::string error;           // where not: what is wrong, and at which byte
  int64_t items = 0;           // valid items
  int64_t rejected_items = 0;  // items with a fault; the rest of the request is kept
  ItemFault fault = ItemFault::kNone;  // of the first rejected item
  bool over_limits = false;    // items are rejected for the limits alone: who does not know these would take them
};

// Checks framing and wire types of every known field, id lengths (empty is allowed), UTF-8 of every text, nesting and limits.
ScanResult ScanOtlp(Signal signal, std::string_view request, const ScanLimits& limits = {});

// The check of one item alone, as ScanOtlp applies it: for decoders of requests with rejected items. `item` is the
// body of a Span, LogRecord or data point message (`data_field` is the number of the Metric field it came from).
ItemFault CheckSpan(std::string_view item, const ScanLimits& limits = {});
ItemFault CheckLogRecord(std::string_view item, const ScanLimits& limits = {});
ItemFault CheckDataPoint(uint32_t data_field, std::string_view item, const ScanLimits& limits = {});
// The check of what a container says of all its items: Resource… (resource, schema_url), Scope… (scope, schema_url),
// Metric (everything but the data). A fault there rejects every item inside.
enum class Container : uint8_t { kResource, kScope, kMetric };
ItemFault CheckContainer(Container container, std::string_view bytes, const ScanLimits& limits = {});

}  // namespace otlp_arrow
