// The senders of all protocols.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "forward/otlp_sender.h"
#include "senders/compressor.h"

namespace otlp_arrow {

struct SenderOptions {
  Endpoint endpoint;
  RequestCompression compression = RequestCompression::kNone;  // of the requests; gRPC knows gzip, HTTP gzip and zstd, Flight LZ4 and zstd
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each request
  ClientTlsConfig tls;
  std::vector<std::string> secrets;  // besides the headers' values: never in a message, even where a peer quotes them
};

// Does not connect yet. Errors (config): a file of `tls` that cannot be used, a header that cannot be one, a compression that the
// protocol has not.
Result<std::unique_ptr<OtlpSender>> MakeSender(SenderOptions options);

// What a destination's configuration means; secrets are looked up. Errors (config) begin with "forwarding.<key>" and hold no secret.
Result<SenderOptions> SenderOptionsOf(const ForwardingConfig& config);

// Makes the senders of this library known to RegisteredSenderFactory; later calls change nothing.
void RegisterSenders();

}  // namespace otlp_arrow
