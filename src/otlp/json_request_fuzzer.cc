// Any bytes as OTLP/JSON; the first byte selects the signal. What is taken is a request that the scan can walk, the same whatever the
// windows, and JSON for simdjson too.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "otlp/json_request.h"
#include "otlp/scan.h"

namespace otlp_arrow {
namespace {

constexpr size_t kLongestMessage = 1500;

// What simdjson is stricter in than we are, on purpose: halves of surrogate pairs, numbers beyond 64 bits.
bool IsJson(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  simdjson::dom::parser parser;
  const auto error = parser.parse(text.data(), text.size()).error();
  return error == simdjson::SUCCESS || error == simdjson::STRING_ERROR || error == simdjson::NUMBER_ERROR || error == simdjson::DEPTH_ERROR;
}

// The reader's memory is used again, as a server does; the bytes are in memory of their own length.
void Check(Signal signal, std::string_view input) {
  static JsonRequestReader reader, small_windows(7);
  const auto exact = std::make_unique<char[]>(input.size());
  input.copy(exact.get(), input.size());
  const std::string_view json(exact.get(), input.size());
  std::string wire, other_wire;
  const Status status = reader.ToWire(signal, json, &wire);
  const Status other = small_windows.ToWire(signal, json, &other_wire);
  if (status.ok() != other.ok() || wire != other_wire) std::abort();
  if (!status.ok()) {
    if (!wire.empty() || status.message().size() > kLongestMessage || !simdjson::validate_utf8(status.message())) std::abort();
    return;
  }
  if (!ScanOtlp(signal, wire).ok || !IsJson(json)) std::abort();
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  if (size == 0) return 0;
  Check(static_cast<Signal>(data[0] % kSignalCount), {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
