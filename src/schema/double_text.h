// Doubles as text, fast: the form that AppendDoubleText (any_value_text.h) appends.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>

#include <fmt/compile.h>

namespace otlp_arrow {

inline constexpr size_t kLongestDouble = 40;

// Writes the shortest decimal that reads back as the same finite double, with a '.' or an exponent; returns its size.
// 0 for NaN and infinities. `out` has room for kLongestDouble.
inline size_t WriteDoubleText(double value, char* out) {
  if (!std::isfinite(value)) return 0;
  char* end = fmt::format_to(out, FMT_COMPILE("{}"), value);
  const auto size = static_cast<size_t>(end - out);
  // Most values have a point; only then is there no more to do.
  for (size_t i = 0; i < size; ++i) {
    if (out[i] == '.' || out[i] == 'e') return size;
  }
  std::memcpy(end, ".0", 2);
  return size + 2;
}

}  // namespace otlp_arrow
