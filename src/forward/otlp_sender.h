// The client side of OTLP: sends requests, already encoded, to another backend.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forward/endpoint.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct SenderOptions {
  Endpoint endpoint;
  bool gzip = false;                                         // compress the requests
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each request
  std::string ca_file;  // PEM; with TLS, trusted instead of the system's authorities
};

// What became of one request (https://opentelemetry.io/docs/specs/otlp).
struct SendOutcome {
  enum class Kind {
    kTaken,      // by the peer, but for `rejected_items` of it
    kRetryable,  // the same request may be taken later
    kRefused,    // this request will never be taken; another may
    kUnusable,   // no request will: wrong address, no such service, not allowed
  };
  Kind kind = Kind::kTaken;
  int64_t rejected_items = 0;                            // with kTaken: what the peer left out
  std::string message;                                   // the reason, in the peer's words where it gave any
  std::optional<std::chrono::milliseconds> retry_after;  // with kRetryable: the peer's wish

  bool taken() const { return kind == Kind::kTaken; }
};

// One connection, kept open between requests. For one thread at a time.
class OtlpSender {
 public:
  // Does not connect yet. Errors (config): an unreadable `ca_file`, a header that cannot be one.
  static Result<std::unique_ptr<OtlpSender>> Make(SenderOptions options);
  virtual ~OtlpSender() = default;

  // Sends the bytes of one Export…ServiceRequest and waits for the answer, at most `timeout`.
  virtual SendOutcome Send(Signal signal, std::string_view request, std::chrono::milliseconds timeout) = 0;
};

// The two protocols, for OtlpSender::Make.
std::unique_ptr<OtlpSender> MakeGrpcSender(SenderOptions options, std::string ca_certificates);
Result<std::unique_ptr<OtlpSender>> MakeHttpSender(SenderOptions options, const std::string& ca_certificates);

}  // namespace otlp_arrow
