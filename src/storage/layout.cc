#include "storage/layout.h"

#include <charconv>
#include <cstdio>
#include <ctime>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

constexpr std::string_view kSuffix = ".arrow";

bool ReadNumber(std::string_view text, uint64_t* number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string DataFileName::ToString() const {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  std::strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
  char sequence[64];
  std::snprintf(sequence, sizeof(sequence), "%010llu_%010llu", static_cast<unsigned long long>(range.first),
                static_cast<unsigned long long>(range.last));
  return std::string(stamp) + "-" + writer + "-" + sequence + std::string(kSuffix);
}

std::optional<DataFileName> DataFileName::Parse(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  const size_t first_dash = name.find('-');
  const size_t second_dash = name.rfind('-');
  if (first_dash != 16 || second_dash == first_dash || second_dash == std::string_view::npos) return std::nullopt;
  DataFileName parsed;
  std::tm utc{};
  const std::string stamp(name.substr(0, first_dash));
  const char* end = strptime(stamp.c_str(), "%Y%m%dT%H%M%SZ", &utc);
  if (!end || *end) return std::nullopt;
  parsed.time = std::chrono::sys_seconds(std::chrono::seconds(timegm(&utc)));
  parsed.writer = name.substr(first_dash + 1, second_dash - first_dash - 1);
  const std::string_view sequence = name.substr(second_dash + 1);
  const size_t bar = sequence.find('_');
  if (bar == std::string_view::npos || !ReadNumber(sequence.substr(0, bar), &parsed.range.first) ||
      !ReadNumber(sequence.substr(bar + 1), &parsed.range.last) || parsed.writer.empty()) {
    return std::nullopt;
  }
  return parsed;
}

std::string NewWriterId() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const char byte : platform::RandomBytes(6)) {
    id.push_back(kDigits[static_cast<uint8_t>(byte) >> 4]);
    id.push_back(kDigits[static_cast<uint8_t>(byte) & 15]);
  }
  return id;
}

}  // namespace otlp_arrow
