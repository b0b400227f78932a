// Sizes as people write them: "64MiB", "1GB", "512k", "4096".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otlp_arrow {

// A whole number of bytes, with an optional suffix in either case: Ki, Mi, Gi, Ti (KiB, …) are powers of 1024, and
// k, M, G, T (kB, …) powers of 1000. Nullopt for anything else and for what does not fit.
std::optional<uint64_t> ParseByteSize(std::string_view text);
inline constexpr std::string_view kByteSizeForm =
    "a whole number of bytes, with a suffix if you like: 65536, 512k, 64MiB, 1GB";

// The shortest exact form that ParseByteSize reads back: "64MiB", "1000".
std::string FormatByteSize(uint64_t bytes);

}  // namespace otlp_arrow
