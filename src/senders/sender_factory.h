// The senders of all protocols.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "forward/otlp_sender.h"

namespace otlp_arrow {

struct SenderOptions {
  Endpoint endpoint;
  bool gzip = false;                                         // compress the requests
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each request
  std::string ca_file;  // PEM; with TLS, trusted instead of the system's authorities
};

// What the destination is told with each request; secrets are looked up. Errors (config) name the key, never a secret.
Result<SenderOptions> SenderOptionsOf(const ForwardingConfig& config);

// Does not connect yet. Errors (config): an unreadable `ca_file`, a header that cannot be one.
Result<std::unique_ptr<OtlpSender>> MakeSender(SenderOptions options);

// The two protocols, for MakeSender.
std::unique_ptr<OtlpSender> MakeGrpcSender(SenderOptions options, std::string ca_certificates);
Result<std::unique_ptr<OtlpSender>> MakeHttpSender(SenderOptions options, const std::string& ca_certificates);

// Makes the senders of this library known to RegisteredSenderFactory; later calls change nothing.
void RegisterSenders();

}  // namespace otlp_arrow
