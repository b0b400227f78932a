#include "otlp_arrow/forwarding.h"

#include <algorithm>

#include "base/endpoint.h"

namespace otlp_arrow {
namespace {

std::optional<OtlpProtocol> ProtocolOf(const ForwardingConfig& config) {
  return config.protocol.empty() ? std::nullopt : ProtocolFromName(config.protocol);
}

}  // namespace

std::string_view GiveUpReasonName(GiveUpReason reason) {
  switch (reason) {
    case GiveUpReason::kBacklogFull: return "backlog_full";
    case GiveUpReason::kRefused: return "refused";
    case GiveUpReason::kTooLarge: return "too_large";
    case GiveUpReason::kTimeout: return "timeout";
    case GiveUpReason::kDamaged: return "damaged";
  }
  return "";
}

std::string ForwardingConfig::DisplayName() const {
  if (!name.empty()) return name;
  const auto parsed = ParseEndpoint(endpoint, ProtocolOf(*this));
  return parsed.ok() ? std::string(ProtocolName(parsed->protocol)) + "-" + parsed->Authority() + parsed->path : "";
}

bool ForwardingConfig::Takes(Signal signal) const { return std::find(signals.begin(), signals.end(), signal) != signals.end(); }

Status ForwardingConfig::Validate() const {
  if (!protocol.empty() && !ProtocolFromName(protocol)) {
    return Status::Config("forwarding.protocol: '" + protocol + "' is unknown; allowed are grpc, http, flight, or nothing for what the endpoint suggests");
  }
  if (auto parsed = ParseEndpoint(endpoint, ProtocolOf(*this)); !parsed.ok()) {
    return Status::Config("forwarding.endpoint: " + parsed.status().message());
  }
  return Status::Ok();
}

}  // namespace otlp_arrow
