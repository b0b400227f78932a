// Requests that the scan takes, cut in halves and freed of their rejected items; the first byte selects the signal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "otlp/scan.h"
#include "otlp/split.h"

namespace otlp_arrow {
namespace {

// Both halves are requests, and hold the items between them.
void CheckHalves(Signal signal, std::string_view request, const ScanResult& scan) {
  const auto halves = SplitOtlp(signal, request);
  if (!halves) return;
  const ScanResult first = ScanOtlp(signal, halves->first), second = ScanOtlp(signal, halves->second);
  if (!first.ok || !second.ok) std::abort();
  if (first.items + second.items != scan.items || first.rejected_items + second.rejected_items != scan.rejected_items) std::abort();
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size == 0) return 0;
  const auto signal = static_cast<Signal>(data[0] % kSignalCount);
  const std::string_view request(reinterpret_cast<const char*>(data) + 1, size - 1);
  (void)SplitOtlp(signal, request);  // whatever it is
  const ScanResult scan = ScanOtlp(signal, request);
  if (!scan.ok) return 0;
  CheckHalves(signal, request, scan);
  const ScanResult clean = ScanOtlp(signal, WithoutRejectedItems(signal, request));
  if (!clean.ok || clean.rejected_items != 0 || clean.items != scan.items) std::abort();
  return 0;
}
