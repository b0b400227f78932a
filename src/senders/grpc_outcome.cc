#include "senders/grpc_outcome.h"

#include <charconv>
#include <iterator>
#include <string>
#include <string_view>

#include "senders/export_response.h"

namespace otlp_arrow {
namespace {

using Kind = SendOutcome::Kind;

std::string CodeName(grpc::StatusCode code) {
  constexpr const char* kNames[] = {
      "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED"};
  const auto index = static_cast<size_t>(code);
  return index < std::size(kNames) ? kNames[index] : "status " + std::to_string(index);
}

// The table of https://opentelemetry.io/docs/specs/otlp/#failures; RESOURCE_EXHAUSTED only with RetryInfo.
Kind KindOf(grpc::StatusCode code, bool has_retry_info) {
  switch (code) {
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::ABORTED:
    case grpc::StatusCode::OUT_OF_RANGE:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS: return Kind::kRetryable;
    case grpc::StatusCode::RESOURCE_EXHAUSTED: return has_retry_info ? Kind::kRetryable : Kind::kRefused;
    case grpc::StatusCode::UNIMPLEMENTED:
    case grpc::StatusCode::UNAUTHENTICATED:
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::NOT_FOUND: return Kind::kUnusable;
    default: return Kind::kRefused;
  }
}

bool Holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The status of a plain HTTP answer, which a proxy gave instead of the server; 0 where there was none.
int HttpStatusIn(std::string_view message) {
  constexpr std::string_view kBefore = "http2 header with status: ";
  const size_t at = message.find(kBefore);
  if (at == std::string_view::npos) return 0;
  int status = 0;
  std::from_chars(message.data() + at + kBefore.size(), message.data() + message.size(), status);
  return status;
}

// gRPC's own words, under codes that a server uses for requests that it will never take, where the connection was at fault.
bool IsOfTransport(std::string_view message) {
  for (std::string_view part : {"Stream removed", "RST_STREAM", "Connection reset", "Socket closed", "Broken pipe", "GOAWAY", "parsing HTTP/2",
                                "Missing :authority", "Failed parsing", "Error in HTTP transport"}) {
    if (Holds(message, part)) return true;
  }
  return false;
}

// The words of the gRPC libraries in C++, Go, Java and .NET, and of this service.
bool IsOfSize(const std::string& message) {
  for (const char* words : {"larger than", "exceeds", "too large", "too big"}) {
    if (Holds(message, words)) return true;
  }
  return false;
}

}  // namespace

SendOutcome OutcomeOf(const grpc::Status& status) {
  const auto details = ReadRpcStatus(status.error_details());
  const std::string& message = status.error_message();
  SendOutcome outcome;
  if (details) outcome.retry_after = details->retry_delay;
  outcome.kind = KindOf(status.error_code(), outcome.retry_after.has_value());
  outcome.message = CodeName(status.error_code()) + (message.empty() ? "" : ": " + message);
  // Without RetryInfo this code is mostly about sizes; quotas are the other use.
  outcome.is_too_large = status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED && outcome.kind == Kind::kRefused && IsOfSize(message);

  if (Holds(message, "http1.x server")) {  // gRPC counts this as a server that is not up yet; it will never be
    outcome.kind = Kind::kUnusable;
    outcome.message += " (is this the HTTP port?)";
  } else if (const int http = HttpStatusIn(message); http == 413) {
    outcome.kind = Kind::kRefused;
    outcome.is_too_large = true;
  } else if (http >= 300 && http < 400) {
    outcome.kind = Kind::kUnusable;
  } else if (http == 429 || http >= 500 || (outcome.kind == Kind::kRefused && IsOfTransport(message))) {
    outcome.kind = Kind::kRetryable;
    outcome.is_too_large = false;
  }
  return outcome;
}

}  // namespace otlp_arrow
