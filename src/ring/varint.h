// Varints where they come from others.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace otlp_arrow::ring {

// Reads a varint of at most ten bytes in [p, end); null where there is none.
inline const uint8_t* ReadVarint(const uint8_t* p, const uint8_t* end, uint64_t* value) {
  uint64_t read = 0;
  for (int shift = 0; p < end && shift < 70; shift += 7) {
    const uint8_t byte = *p++;
    read |= static_cast<uint64_t>(byte & 0x7f) << (shift < 64 ? shift : 63);
    if (byte < 0x80) {
      *value = read;
      return p;
    }
  }
  return nullptr;
}

// What stands behind a length at the beginning of `bytes`; nullopt where it does not fit.
inline std::optional<std::string_view> ReadDelimited(std::string_view bytes) {
  const auto* begin = reinterpret_cast<const uint8_t*>(bytes.data());
  uint64_t size = 0;
  const uint8_t* body = ReadVarint(begin, begin + bytes.size(), &size);
  if (!body || size > static_cast<uint64_t>(begin + bytes.size() - body)) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(body), size);
}

}  // namespace otlp_arrow::ring
