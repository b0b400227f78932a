#include "base/byte_size.h"

#include <charconv>

namespace otlp_arrow {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The factor of a suffix, 0 for an unknown one.
uint64_t Factor(std::string_view suffix) {
  if (suffix.empty()) return 1;
  const size_t power = std::string_view("bkmgt").find(Lower(suffix[0]));
  if (power == std::string_view::npos) return 0;
  suffix.remove_prefix(1);
  if (power == 0) return suffix.empty() ? 1 : 0;
  uint64_t base = 1000;
  if (!suffix.empty() && Lower(suffix[0]) == 'i') {
    base = 1024;
    suffix.remove_prefix(1);
  }
  if (!suffix.empty() && Lower(suffix[0]) == 'b') suffix.remove_prefix(1);
  if (!suffix.empty()) return 0;
  uint64_t factor = 1;
  for (size_t i = 0; i < power; ++i) factor *= base;
  return factor;
}

}  // namespace

std::optional<uint64_t> ParseByteSize(std::string_view text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  std::string_view suffix(stop, static_cast<size_t>(end - stop));
  if (suffix.starts_with(' ')) suffix.remove_prefix(1);
  const uint64_t factor = Factor(suffix);
  uint64_t bytes = 0;
  if (factor == 0 || __builtin_mul_overflow(number, factor, &bytes)) return std::nullopt;
  return bytes;
}

std::string FormatByteSize(uint64_t bytes) {
  constexpr std::string_view kSuffixes[] = {"", "KiB", "MiB", "GiB", "TiB"};
  size_t power = 0;
  while (power < 4 && bytes != 0 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++power;
  }
  return std::to_string(bytes).append(kSuffixes[power]);
}

}  // namespace otlp_arrow
