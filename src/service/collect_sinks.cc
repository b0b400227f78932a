#include "service/collect_sinks.h"

#include <spdlog/spdlog.h>

namespace otlp_arrow {

Status RemoteSink::Take(Signal signal, const SharedBytes& request) {
  const SendOutcome outcome = sender_->Send(signal, request.data, timeout_);
  switch (outcome.kind) {
    case SendOutcome::Kind::kTaken:
      if (outcome.rejected_items > 0) spdlog::warn("the backend left out {} {}: {}", outcome.rejected_items, SignalName(signal), outcome.message);
      return Status::Ok();
    case SendOutcome::Kind::kRefused: return Status::Server(outcome.message);
    // A wrong address can be put right, and until then nothing is lost.
    default: return Status::Server(outcome.message, true);
  }
}

}  // namespace otlp_arrow
