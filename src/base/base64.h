// Base64 with the standard alphabet and padding (RFC 4648, section 4).
#pragma once

#include <string>
#include <string_view>

namespace otlp_arrow {

void AppendBase64(std::string_view bytes, std::string* text);

// Appends the bytes that `text` stands for. False, and nothing appended, for characters outside the alphabet, a wrong
// length or bits behind the end: only what AppendBase64 writes is taken.
bool AppendFromBase64(std::string_view text, std::string* bytes);

}  // namespace otlp_arrow
