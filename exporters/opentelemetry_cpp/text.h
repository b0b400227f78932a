// Text from programs that check nothing: OTLP strings are UTF-8.
#pragma once

#include <string>
#include <string_view>

#include <opentelemetry/nostd/string_view.h>

namespace otlp_arrow::exporters {

inline std::string_view View(opentelemetry::nostd::string_view text) { return {text.data(), text.size()}; }

// Well-formed, as in the Unicode standard's table 3-7: no overlong forms, no surrogates.
bool IsUtf8(std::string_view text);

// The text with U+FFFD for every byte that is not part of a well-formed character.
std::string ReplaceInvalidUtf8(std::string_view text);

// For names and keys. `storage` holds the bytes where they had to be changed.
inline std::string_view ValidText(std::string_view text, std::string* storage) {
  if (IsUtf8(text)) [[likely]] return text;
  return *storage = ReplaceInvalidUtf8(text);
}

}  // namespace otlp_arrow::exporters
