// Why TLS with a destination fails, for libraries that do not say.
#pragma once

#include <chrono>
#include <optional>

#include "senders/sender_factory.h"
#include "senders/tls_client.h"

namespace otlp_arrow {

// Connects as a client of HTTP/2 and says what TLS has against it, within `timeout`. Nullopt where that works, or where something
// else is in the way.
std::optional<SendOutcome> ProbeTls(const SenderOptions& options, const TlsFiles& files, std::chrono::milliseconds timeout);

}  // namespace otlp_arrow
