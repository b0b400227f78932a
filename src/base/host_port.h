// Addresses of the form host:port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct HostPort {
  std::string host;  // a name, an IPv4 address, or an IPv6 address without brackets
  uint16_t port = 0;

  // "host:port", with brackets around an IPv6 address.
  std::string ToString() const;
};

// Reads "localhost:4317", "0.0.0.0:4317", "[::1]:4317". The error (config) says what is missing.
Result<HostPort> ParseHostPort(std::string_view text);

}  // namespace otlp_arrow
