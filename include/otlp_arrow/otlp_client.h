// Sends OTLP to a collector or another backend, over gRPC or HTTP, and tries again where that may help.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

struct OtlpClientOptions {
  std::string endpoint;  // "http://127.0.0.1:4318", "https://collector.example/prefix", "host:4317"; https means TLS
  std::string protocol;  // "grpc" or "http"; empty: port 4318 or a path mean HTTP, all else gRPC
  bool endpoint_is_complete = false;  // HTTP: requests go to the URL's path as it is, without /v1/<signal>
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each request, never shown
  bool gzip = false;
  std::string ca_file;      // PEM; with TLS, trusted instead of the system's authorities
  std::string cert_file;    // PEM; with key_file: what the client shows where the server asks (mutual TLS)
  std::string key_file;     // PEM
  std::string server_name;  // the name that the server's certificate must bear, where it is not the endpoint's host
  std::chrono::milliseconds first_retry{500};  // doubled for each next attempt, shortened at random by up to half
};

// What a peer took.
struct OtlpSendReport {
  int64_t rejected_items = 0;  // what it left out (partial_success)
  std::string message;         // why, or a warning, in the peer's words
};

// Thread-safe; requests go one after the other over one connection. A forked child needs a client of its own, and over gRPC only
// if its parent had sent nothing over gRPC yet.
class OTLP_ARROW_EXPORT OtlpClient {
 public:
  // Does not connect yet. Errors: kConfig.
  static Result<std::shared_ptr<OtlpClient>> Make(OtlpClientOptions options);
  virtual ~OtlpClient() = default;

  // Sends the bytes of one Export…ServiceRequest, again and again where the peer is away or overloaded (waiting as long as it
  // asks for), for `timeout` in all. Errors: kServer, retryable where the time was up; kShutdown.
  virtual Result<OtlpSendReport> Send(Signal signal, std::string_view request, std::chrono::milliseconds timeout) = 0;

  // Nothing is sent any more; a Send that waits for its next attempt returns, one under way comes to its end.
  virtual void Shutdown() = 0;

  virtual std::string peer() const = 0;      // "http://host:port", without what may be secret
  virtual std::string protocol() const = 0;  // "grpc" or "http"
};

}  // namespace otlp_arrow
