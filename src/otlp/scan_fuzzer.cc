// Any bytes through the validating scan, and what it takes as plain telemetry; the first byte selects the signal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "otlp/scan.h"
#include "otlp/telemetry/decode.h"

namespace otlp_arrow {
namespace {

int64_t ItemsOf(const ScopeSpans& scope) { return static_cast<int64_t>(scope.spans.size()); }
int64_t ItemsOf(const ScopeLogs& scope) { return static_cast<int64_t>(scope.log_records.size()); }
int64_t ItemsOf(const ScopeMetrics& scope) {
  int64_t points = 0;
  for (const Metric& metric : scope.metrics) {
    std::visit(
        [&](const auto& data) {
          if constexpr (requires { data.data_points; }) points += static_cast<int64_t>(data.data_points.size());
        },
        metric.data);
  }
  return points;
}
const auto& ScopesOf(const ResourceSpans& resource) { return resource.scope_spans; }
const auto& ScopesOf(const ResourceLogs& resource) { return resource.scope_logs; }
const auto& ScopesOf(const ResourceMetrics& resource) { return resource.scope_metrics; }

// Of a metric that comes with data of several kinds plain telemetry has the last one: there may be fewer items.
template <class T>
void Check(const ScanResult& scan, const Result<std::vector<T>>& plain) {
  if (plain.ok() != scan.ok) std::abort();
  if (!plain.ok()) return;
  int64_t items = 0;
  for (const T& resource : *plain) {
    for (const auto& scope : ScopesOf(resource)) items += ItemsOf(scope);
  }
  const bool exact = !std::is_same_v<T, ResourceMetrics>;
  if (exact ? items != scan.items : items > scan.items) std::abort();
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size == 0) return 0;
  const auto signal = static_cast<Signal>(data[0] % kSignalCount);
  const std::string_view request(reinterpret_cast<const char*>(data) + 1, size - 1);
  const ScanResult scan = ScanOtlp(signal, request);
  if (scan.ok != scan.error.empty()) std::abort();
  if (scan.items < 0 || scan.rejected_items < 0) std::abort();
  if ((scan.rejected_items > 0) != (scan.fault != ItemFault::kNone)) std::abort();
  switch (signal) {
    case Signal::kTraces: Check(scan, DecodeTraces(request)); break;
    case Signal::kMetrics: Check(scan, DecodeMetrics(request)); break;
    case Signal::kLogs: Check(scan, DecodeLogs(request)); break;
  }
  return 0;
}
