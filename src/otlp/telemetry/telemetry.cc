#include "otlp_arrow/telemetry.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

int HexDigit(char c) {
  const size_t at = kHexDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

const Value* FindAttribute(const Attributes& attributes, std::string_view key) {
  for (const KeyValue& attribute : attributes) {
    if (attribute.key == key) return &attribute.value;
  }
  return nullptr;
}

template <size_t N>
std::string Id<N>::ToHex() const {
  std::string hex;
  hex.reserve(2 * N);
  for (const uint8_t byte : bytes) {
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

template <size_t N>
Result<Id<N>> Id<N>::FromHex(std::string_view hex) {
  Id id;
  bool good = hex.size() == 2 * N;
  for (size_t i = 0; good && i < N; ++i) {
    const int high = HexDigit(hex[2 * i]), low = HexDigit(hex[2 * i + 1]);
    good = high >= 0 && low >= 0;
    id.bytes[i] = static_cast<uint8_t>(high << 4 | (low & 15));
  }
  if (good) return id;
  return Status::Export("'" + std::string(hex.substr(0, 64)) + "' is no id: " + std::to_string(2 * N) + " hexadecimal digits are wanted");
}

template struct Id<16>;
template struct Id<8>;

}  // namespace otlp_arrow
