// Reading what OTLP peers answer: Export…ServiceResponse, google.rpc.Status, Retry-After.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "forward/otlp_sender.h"

namespace otlp_arrow {

// The outcome that an Export…ServiceResponse tells: taken, with what partial_success says. Bytes that cannot be read
// count as a full success, as the peer's status said so.
SendOutcome ReadExportResponse(std::string_view response);

// The parts of google.rpc.Status that matter here.
struct RpcStatus {
  int64_t code = 0;
  std::string message;
  std::optional<std::chrono::milliseconds> retry_delay;  // from a google.rpc.RetryInfo among the details
};
// Nullopt for bytes that are no such message.
std::optional<RpcStatus> ReadRpcStatus(std::string_view bytes);

// The value of a Retry-After header: whole seconds, or an HTTP date, counted from `now`. Nullopt for anything else.
std::optional<std::chrono::milliseconds> ReadRetryAfter(std::string_view value,
                                                        std::chrono::system_clock::time_point now);

}  // namespace otlp_arrow
