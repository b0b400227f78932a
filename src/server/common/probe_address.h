// gRPC keeps to itself why it could not listen: this finds out beforehand.
#pragma once

#include <string_view>

#include "base/host_port.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Binds a socket to the address and closes it again. The error names `key`, the address, the reason and the way out.
Status ProbeAddress(std::string_view key, const HostPort& address);

}  // namespace otlp_arrow
