// Any bytes through the validating scan; the first byte selects the signal.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "otlp/scan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size == 0) return 0;
  const auto signal = static_cast<Signal>(data[0] % kSignalCount);
  const ScanResult scan = ScanOtlp(signal, {reinterpret_cast<const char*>(data) + 1, size - 1});
  if (scan.ok != scan.error.empty()) std::abort();
  if (scan.items < 0 || scan.rejected_items < 0) std::abort();
  if ((scan.rejected_items > 0) != (scan.fault != ItemFault::kNone)) std::abort();
  return 0;
}
