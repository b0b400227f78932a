#include "base/config_limits.h"

#include <algorithm>
#include <iterator>

#include "base/byte_size.h"
#include "base/host_port.h"

namespace otlp_arrow::limits {
namespace {

std::string NumberText(uint64_t value, Unit unit) {
  return unit == Unit::kBytes ? FormatByteSize(value) : std::to_string(value);
}

Status Refuse(std::string_view key, const std::string& what) { return Status::Config(std::string(key) + ": " + what); }

}  // namespace

std::string RangeText(const Range& range) {
  std::string text = NumberText(range.min, range.unit) + " to " + NumberText(range.max, range.unit);
  if (range.unit == Unit::kSeconds) text += " seconds";
  if (range.unit == Unit::kMilliseconds) text += " milliseconds";
  return text;
}

Status CheckRange(std::string_view key, uint64_t value, const Range& range) {
  if (value >= range.min && value <= range.max) return Status::Ok();
  return Refuse(key, std::to_string(value) + " is out of range; allowed are " + RangeText(range));
}

Status CheckPath(std::string_view key, const std::string& value) {
  if (value.empty()) return Refuse(key, "'' is not a path; give a directory, such as ./output_dir");
  if (value.size() > 4000) {
    return Refuse(key, "the path has " + std::to_string(value.size()) + " bytes; allowed are 1 to 4000");
  }
  if (value.find('\0') != std::string::npos) {
    return Refuse(key, "the path '" + value.substr(0, value.find('\0')) + "…' holds a NUL byte");
  }
  return Status::Ok();
}

Status CheckAddress(std::string_view key, const std::string& value) {
  auto address = ParseHostPort(value);
  return address.ok() ? Status::Ok() : Refuse(key, address.status().message());
}

Status CheckLogLevel(std::string_view key, const std::string& value) {
  if (std::find(std::begin(kLogLevels), std::end(kLogLevels), value) != std::end(kLogLevels)) return Status::Ok();
  return Refuse(key, "'" + value + "' is unknown; allowed are trace, debug, info, warn, error, off");
}

}  // namespace otlp_arrow::limits
