// Where `otlp-arrow collect` hands requests to that go to an OTLP backend.
#pragma once

#include <chrono>
#include <memory>

#include "collector/sink.h"
#include "forward/backoff.h"
#include "forward/otlp_sender.h"

namespace otlp_arrow {

// Sends each request until it is taken. A backend cannot be asked what it has: after a crash the request that was under way
// is sent again.
class RemoteSink final : public CollectorSink {
 public:
  RemoteSink(std::unique_ptr<OtlpSender> sender, std::chrono::milliseconds timeout) : sender_(std::move(sender)), timeout_(timeout) {}

  Status Take(Signal signal, const SharedBytes& request) override;
  bool Holds(Signal, const SharedBytes&) override { return false; }

 private:
  std::unique_ptr<OtlpSender> sender_;
  std::chrono::milliseconds timeout_;
};

}  // namespace otlp_arrow
