// What stands in JSON for protobuf's scalars: numbers, ids, bytes and texts with escapes.
// https://protobuf.dev/programming-guides/json and the OTLP specification, which writes ids as hex digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace otlp_arrow {

// Copies `n` bytes to `to` and says if none of them is a backslash.
inline bool CopyPlain(const char* from, size_t n, char* to) {
  constexpr uint64_t kOnes = 0x0101010101010101ull;
  constexpr uint64_t kHighs = kOnes << 7;
  constexpr uint64_t kBackslashes = kOnes * '\\';
  uint64_t found = 0;
  const auto copy8 = [&](size_t at) {
    uint64_t v;
    std::memcpy(&v, from + at, 8);
    std::memcpy(to + at, &v, 8);
    v ^= kBackslashes;
    found |= (v - kOnes) & ~v;
  };
  if (n >= 8) {
    for (size_t at = 0; at + 8 < n; at += 8) copy8(at);
    copy8(n - 8);
    return (found & kHighs) == 0;
  }
  bool plain = true;
  for (size_t i = 0; i < n; ++i) {
    to[i] = from[i];
    plain &= from[i] != '\\';
  }
  return plain;
}

// Puts what a string's content stands for into `text`. Halves of surrogate pairs, which JavaScript writes where it cuts texts, become
// U+FFFD. False for an escape that JSON has not.
bool UnescapeJson(std::string_view content, std::string* text);

// A number without fraction, as JSON writes them.
struct JsonInteger {
  bool negative = false;
  uint64_t magnitude = 0;
};
// Also 1.0 and 25e2. False for what is no JSON number, has a fraction or does not fit 64 bits.
bool ReadJsonInteger(std::string_view token, JsonInteger* integer);

// False for what is no JSON number or too large; what is too small is zero.
bool ReadJsonDouble(std::string_view token, double* value);
// What strings may hold besides: "NaN", "Infinity", "-Infinity".
bool ReadDoubleWord(std::string_view word, double* value);

// A number by JSON's grammar?
bool IsJsonNumber(std::string_view token);

// Writes digits.size() / 2 bytes. False for an odd number of digits and for what is none; upper and lower case.
bool ReadHex(std::string_view digits, char* bytes);

// Replaces `bytes`. Standard and URL-safe alphabet, with or without padding.
bool ReadLenientBase64(std::string_view text, std::string* bytes);

}  // namespace otlp_arrow
