#include "library/setting_key.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>

#include "base/byte_size.h"

namespace otlp_arrow {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

namespace key_texts {

Status Refuse(const std::string& key, const std::string& value, const std::string& what, const std::string& allowed) {
  return Status::Config(key + ": '" + value + "' " + what + "; allowed are " + allowed);
}

Result<uint64_t> ReadNumber(const std::string& key, const std::string& text, const limits::Range& range) {
  const std::string allowed = limits::RangeText(range);
  uint64_t value = 0;
  if (range.unit == limits::Unit::kBytes) {
    auto bytes = ParseByteSize(text);
    if (!bytes) return Refuse(key, text, "is not " + std::string(kByteSizeForm), allowed);
    value = *bytes;
  } else {
    const bool negative = text.starts_with('-');
    if (!AllDigits(std::string_view(text).substr(negative ? 1 : 0))) return Refuse(key, text, "is not a whole number", allowed);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (negative || error != std::errc()) return Refuse(key, text, "is out of range", allowed);
  }
  OTLP_RETURN_NOT_OK(limits::CheckRange(key, value, range));
  return value;
}

std::string ShowNumber(uint64_t value, const limits::Range& range) {
  return range.unit == limits::Unit::kBytes ? FormatByteSize(value) : std::to_string(value);
}

Result<bool> ReadSwitch(const std::string& key, const std::string& value) {
  const std::string text = Lower(value);
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return Refuse(key, value, "is neither true nor false", "true, false");
}

}  // namespace key_texts

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = name.size() / 3 + 2;  // further away is another word
  for (const std::string& c : candidates) {
    const size_t distance = EditDistance(name, c);
    if (distance < best_distance) {
      best_distance = distance;
      best = c;
    }
  }
  return best;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  if (text.find_first_not_of(" \t") == std::string_view::npos) return parts;
  for (;;) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    const size_t begin = part.find_first_not_of(" \t");
    if (begin == std::string_view::npos) {
      part = {};
    } else {
      part = part.substr(begin, part.find_last_not_of(" \t") - begin + 1);
    }
    parts.emplace_back(part);
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

Result<std::pair<std::string, std::string>> SplitPair(const std::string& key, std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return Status::Config(key + ": an entry is not of the form name=value");
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

}  // namespace otlp_arrow
