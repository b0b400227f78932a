#include "base/config_limits.h"

#include <algorithm>
#include <iterator>

#include "base/byte_size.h"
#include "base/endpoint.h"
#include "base/host_port.h"
#include "base/secret_text.h"

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

Status CheckLogFormat(std::string_view key, const std::string& value) {
  return value == "text" || value == "json" ? Status::Ok() : Refuse(key, "'" + value + "' is unknown; allowed are text, json");
}

Status CheckSecret(std::string_view key, const std::string& value) {
  if (value == "<hidden>") {
    return Refuse(key, "'<hidden>' is what --check-config shows in place of a secret; put the secret there, or ${env:NAME} or ${file:PATH}");
  }
  if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; })) {
    return Refuse(key, "the text has a control character, such as a line end; allowed are printable characters");
  }
  return CheckSecretReferences(key, value);
}

Status CheckOrigin(std::string_view key, const std::string& value) {
  if (value == "*") return Status::Ok();
  const size_t host = value.find("://") == std::string::npos ? 0 : value.find("://") + 3;
  const bool good = (value.starts_with("http://") || value.starts_with("https://")) && host < value.size() &&
                    value.find_first_of("/?#@* \t", host) == std::string::npos;
  return good ? Status::Ok() : Refuse(key, "'" + value + "' is no origin; allowed are '*' and scheme://host[:port], such as https://app.example");
}

// The names that both HTTP/1.1 and gRPC metadata allow.
Status CheckHeaderName(std::string_view key, const std::string& name) {
  const bool good = !name.empty() && name.size() <= 256 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
  if (!good) return Refuse(key, "'" + name + "' is no header's name; allowed are letters, digits, '-', '_' and '.'");
  if (name.starts_with("grpc-")) return Refuse(key, "'" + name + "' belongs to gRPC; choose a name that does not begin with grpc-");
  return Status::Ok();
}

Status CheckHeader(std::string_view key, const std::string& name, const std::string& value) {
  OTLP_RETURN_NOT_OK(CheckHeaderName(key, name));
  return CheckSecret(std::string(key) + "." + name, value);
}

Status CheckDestinationName(std::string_view key, const std::string& value) {
  if (value.size() > kMaxDestinationNameBytes) {
    return Refuse(key, "'" + value + "' has " + std::to_string(value.size()) + " characters; allowed are 1 to " + std::to_string(kMaxDestinationNameBytes));
  }
  if (std::all_of(value.begin(), value.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; })) return Status::Ok();
  return Refuse(key, "'" + value + "' has a blank or another character that is not allowed; allowed are letters, digits and signs of ASCII");
}

Status CheckProtocol(std::string_view key, const std::string& value) {
  if (value.empty() || ProtocolFromName(value)) return Status::Ok();
  return Refuse(key, "'" + value + "' is unknown; allowed are grpc, http, flight, or nothing for what the endpoint suggests");
}

Status CheckForwardCompression(std::string_view key, const std::string& value) {
  for (const std::string_view known : {"none", "gzip", "zstd", "lz4"}) {
    if (value == known) return Status::Ok();
  }
  return Refuse(key, "'" + value + "' is unknown; allowed are none, gzip, with http also zstd, and with flight none, lz4, zstd");
}

}  // namespace otlp_arrow::limits
