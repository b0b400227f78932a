#include "base/base64.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace otlp_arrow {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kInvalid = 0xff;

constexpr std::array<uint8_t, 256> MakeDigits() {
  std::array<uint8_t, 256> digits{};
  for (auto& d : digits) d = kInvalid;
  for (size_t i = 0; i < kAlphabet.size(); ++i) digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return digits;
}
constexpr std::array<uint8_t, 256> kDigits = MakeDigits();

uint32_t Byte(std::string_view bytes, size_t i) { return static_cast<uint8_t>(bytes[i]); }

// Decodes `digits` (2 to 4) characters into digits - 1 bytes.
bool DecodeGroup(std::string_view text, size_t at, size_t digits, char** out) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; ++i) {
    const uint8_t digit = i < digits ? kDigits[static_cast<uint8_t>(text[at + i])] : uint8_t{0};
    if (digit == kInvalid) return false;
    bits = bits << 6 | digit;
  }
  for (size_t i = 0; i + 1 < digits; ++i) *(*out)++ = static_cast<char>(bits >> (16 - 8 * i));
  return digits == 4 || (bits & (digits == 3 ? 0xffu : 0xffffu)) == 0;
}

}  // namespace

void AppendBase64(std::string_view bytes, std::string* text) {
  const size_t start = text->size();
  text->resize(start + (bytes.size() + 2) / 3 * 4, '=');
  char* out = text->data() + start;
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const uint32_t bits = Byte(bytes, i) << 16 | Byte(bytes, i + 1) << 8 | Byte(bytes, i + 2);
    *out++ = kAlphabet[bits >> 18];
    *out++ = kAlphabet[bits >> 12 & 63];
    *out++ = kAlphabet[bits >> 6 & 63];
    *out++ = kAlphabet[bits & 63];
  }
  if (i == bytes.size()) return;
  const bool two = i + 2 == bytes.size();
  const uint32_t bits = Byte(bytes, i) << 16 | (two ? Byte(bytes, i + 1) << 8 : 0);
  *out++ = kAlphabet[bits >> 18];
  *out++ = kAlphabet[bits >> 12 & 63];
  if (two) *out = kAlphabet[bits >> 6 & 63];
}

bool AppendFromBase64(std::string_view text, std::string* bytes) {
  if (text.size() % 4 != 0) return false;
  if (text.empty()) return true;
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  const size_t start = bytes->size();
  bytes->resize(start + text.size() / 4 * 3 - padding);
  char* out = bytes->data() + start;
  bool ok = true;
  size_t at = 0;
  for (; ok && at + 4 < text.size(); at += 4) ok = DecodeGroup(text, at, 4, &out);
  ok = ok && DecodeGroup(text, at, 4 - padding, &out);
  if (!ok) bytes->resize(start);
  return ok;
}

}  // namespace otlp_arrow
