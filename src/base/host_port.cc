#include "base/host_port.h"

#include <charconv>

namespace otlp_arrow {
namespace {

Status Refuse(std::string_view text, std::string_view why) {
  return Status::Config("'" + std::string(text) + "' " + std::string(why) +
                        "; an address is host:port, such as 127.0.0.1:4317 or [::1]:4317, with a port of 0 to 65535");
}

bool IsHostCharacter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}
bool IsIpv6Character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ':' || c == '.' || c == '%';
}

template <class Predicate>
bool All(std::string_view text, Predicate is_fine) {
  for (char c : text) {
    if (!is_fine(c)) return false;
  }
  return true;
}

}  // namespace

std::string HostPort::ToString() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  const size_t bracket = text.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) {
    return Refuse(text, "has no port");
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.empty()) return Refuse(text, "has no host (0.0.0.0 listens on every interface)");
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 4 || !All(host.substr(1, host.size() - 2), IsIpv6Character)) {
      return Refuse(text, "has no valid IPv6 address between the brackets");
    }
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return Refuse(text, "has more than one colon (an IPv6 address needs brackets)");
  } else if (!All(host, IsHostCharacter)) {
    return Refuse(text, "has a character that no host name has");
  }
  HostPort result{std::string(host), 0};
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (error != std::errc() || end != port.data() + port.size()) return Refuse(text, "has no valid port");
  return result;
}

}  // namespace otlp_arrow
