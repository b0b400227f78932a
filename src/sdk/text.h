// Text from programs that check nothing: strings in a ring are UTF-8.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace otlp_arrow::sdk {

// Well-formed, as in the Unicode standard's table 3-7: no overlong forms, no surrogates.
bool IsUtf8Slowly(std::string_view text);
inline bool IsUtf8(std::string_view text) {
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t eight;
    std::memcpy(&eight, text.data() + at, 8);
    if (eight & 0x8080808080808080u) return IsUtf8Slowly(text);
  }
  for (; at < text.size(); ++at) {
    if (text[at] & 0x80) return IsUtf8Slowly(text);
  }
  return true;
}

// The text with U+FFFD for every byte that is not part of a well-formed character.
std::string ReplaceInvalidUtf8(std::string_view text);

// For names and keys; `storage` holds the bytes where they had to be changed.
inline std::string_view ValidText(std::string_view text, std::string* storage) {
  if (IsUtf8(text)) [[likely]] return text;
  return *storage = ReplaceInvalidUtf8(text);
}

// The first so many characters of well-formed text.
std::string_view FirstCharacters(std::string_view text, size_t most);

// `*` stands for any text, `?` for one character; ASCII letters of both cases are the same.
bool MatchesWildcard(std::string_view pattern, std::string_view text);

std::string LowerCase(std::string_view text);
std::string_view Trim(std::string_view text);

}  // namespace otlp_arrow::sdk
