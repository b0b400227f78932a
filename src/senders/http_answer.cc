#include "senders/http_answer.h"

#include <chrono>
#include <string_view>

#include "senders/export_response.h"
#include "senders/outcome.h"

namespace otlp_arrow {
namespace {

namespace http = boost::beast::http;
using Kind = SendOutcome::Kind;

constexpr size_t kMaxQuotedBytes = 200;  // of an answer in a message

bool IsProtobuf(const HttpAnswer& answer) { return answer[http::field::content_type].starts_with("application/x-protobuf"); }

// The peer's reason: the message of google.rpc.Status, or the beginning of a text.
std::string ReasonOf(const HttpAnswer& answer) {
  if (IsProtobuf(answer)) {
    const auto status = ReadRpcStatus(answer.body());
    return status ? status->message : std::string();
  }
  return answer.body().substr(0, kMaxQuotedBytes);
}

// The table of https://opentelemetry.io/docs/specs/otlp/#failures-1; the rest of the 4xx by what they mean.
Kind KindOf(unsigned status) {
  switch (status) {
    case 429:
    case 502:
    case 503:
    case 504: return Kind::kRetryable;
    case 401:
    case 403:
    case 404:
    case 405:
    case 407:
    case 415: return Kind::kUnusable;
    default: return status < 400 ? Kind::kUnusable : Kind::kRefused;
  }
}

// Something that answers 200 to everything, such as a login page: not a receiver of OTLP, which says nothing, or says it in
// protobuf or JSON.
bool IsOfSomethingElse(const HttpAnswer& answer) {
  const auto type = answer[http::field::content_type];
  return !answer.body().empty() && (type.starts_with("text/html") || type.starts_with("application/xhtml"));
}

}  // namespace

SendOutcome OutcomeOf(const HttpAnswer& answer) {
  const unsigned status = answer.result_int();
  if (status >= 200 && status < 300 && IsOfSomethingElse(answer)) {
    return Failed(Kind::kUnusable, "HTTP " + std::to_string(status) + " with a web page: this is no receiver of OTLP");
  }
  if (status >= 200 && status < 300) return ReadExportResponse(IsProtobuf(answer) ? std::string_view(answer.body()) : std::string_view());
  const std::string reason = ReasonOf(answer);
  SendOutcome outcome = Failed(KindOf(status), "HTTP " + std::to_string(status) + (reason.empty() ? "" : ": " + reason));
  outcome.is_too_large = status == 413;
  if (const auto location = answer[http::field::location]; status >= 300 && status < 400 && !location.empty()) {
    outcome.message += ": moved to " + std::string(location.substr(0, kMaxQuotedBytes)) + "; make that the endpoint, where it can be trusted";
  }
  if (outcome.kind == Kind::kRetryable) {
    const auto header = answer[http::field::retry_after];
    outcome.retry_after = ReadRetryAfter({header.data(), header.size()}, std::chrono::system_clock::now());
  }
  return outcome;
}

std::optional<std::string> RedirectedPath(const HttpAnswer& answer, const Endpoint& endpoint, const std::string& path) {
  const unsigned status = answer.result_int();
  if (status != 307 && status != 308) return std::nullopt;
  const auto header = answer[http::field::location];
  std::string target(header.data(), header.size());
  if (target.find_first_of("\r\n ") != std::string::npos) return std::nullopt;
  if (target.starts_with("http://") || target.starts_with("https://")) {
    const size_t end = std::min(target.find_first_of("/?", target.find("://") + 3), target.size());
    const auto other = ParseEndpoint(target.substr(0, end), OtlpProtocol::kHttp);
    // Without a port ParseEndpoint means OTLP's, a URL in HTTP means 80.
    const bool has_port = other.ok() && target.substr(0, end).ends_with(":" + std::to_string(other->port));
    const uint16_t port = !other.ok() ? 0 : has_port || other->tls ? other->port : 80;
    if (!other.ok() || other->host != endpoint.host || port != endpoint.port || other->tls != endpoint.tls) return std::nullopt;
    target.erase(0, end);
    if (!target.starts_with('/')) target.insert(0, "/");
  } else if (target.starts_with("//") || target.empty()) {
    return std::nullopt;
  } else if (!target.starts_with('/')) {
    target = path.substr(0, path.rfind('/') + 1) + target;
  }
  target = target.substr(0, target.find('#'));
  return target == path ? std::nullopt : std::optional(target);
}

bool IsHttp2(std::string_view bytes) {
  constexpr size_t kFrameHeader = 9;
  constexpr char kSettings = 4;
  return bytes.size() >= kFrameHeader && bytes[0] == 0 && bytes[3] == kSettings && bytes.substr(5, 4) == std::string_view("\0\0\0\0", 4);
}

}  // namespace otlp_arrow
