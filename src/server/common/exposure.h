// Who can reach a server, and what then protects it. docs/security-model.md
#pragma once

#include <string>
#include <vector>

#include "otlp_arrow/config.h"

namespace otlp_arrow {

// Is the host of "host:port" one that only this machine's programs can reach? Names are looked up.
bool IsLoopback(const std::string& address);

// What is to be said of servers that listen elsewhere than on the loopback interface without authentication, or without TLS: a sentence
// each, naming the server's key.
std::vector<std::string> ExposureWarnings(const Config& config);

}  // namespace otlp_arrow
