// What carries requests to another backend. The protocols are in src/senders, which the core does not link.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "otlp_arrow/forwarding.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// What became of one request (https://opentelemetry.io/docs/specs/otlp).
struct SendOutcome {
  enum class Kind {
    kTaken,      // by the peer, but for `rejected_items` of it
    kRetryable,  // the same request may be taken later
    kRefused,    // this request will never be taken; another may
    kUnusable,   // no request will: wrong address, no such service, not allowed
  };
  Kind kind = Kind::kTaken;
  bool is_too_large = false;               // with kRefused: a smaller one may be taken
  int64_t rejected_items = 0;              // with kTaken: what the peer left out
  std::string message;                     // the reason, in the peer's words where it gave any
  std::optional<std::chrono::milliseconds> retry_after;  // with kRetryable: the peer's wish

  bool taken() const { return kind == Kind::kTaken; }
};

// One connection, kept open between requests. Send is for one thread at a time.
class OtlpSender {
 public:
  virtual ~OtlpSender() = default;

  // Sends the bytes of one Export…ServiceRequest and waits for the answer, at most `timeout`.
  virtual SendOutcome Send(Signal signal, std::string_view request, std::chrono::milliseconds timeout) = 0;

  // From any thread: a Send under way returns soon, as retryable, and so do all later ones.
  virtual void Cancel() = 0;
};

class SenderFactory {
 public:
  virtual ~SenderFactory() = default;
  // Does not connect yet; looks up secrets and certificates anew each time. Errors: kConfig.
  virtual Result<std::unique_ptr<OtlpSender>> Make(const ForwardingConfig& config) = 0;
};

// The process's senders: what links them registers them (senders/sender_factory.h), so that the core links no gRPC.
void RegisterSenderFactory(std::shared_ptr<SenderFactory> factory);
// Null where none are registered.
std::shared_ptr<SenderFactory> RegisteredSenderFactory();

}  // namespace otlp_arrow
