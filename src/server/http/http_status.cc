#include "server/http/http_status.h"

#include <algorithm>
#include <chrono>

#include "server/common/otlp_response.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

int HttpCode(RpcCode code) {
  switch (code) {
    case RpcCode::kOk: return 200;
    case RpcCode::kInvalidArgument: return 400;
    case RpcCode::kNotFound: return 404;
    case RpcCode::kResourceExhausted: return 429;
    case RpcCode::kUnimplemented: return 405;
    case RpcCode::kUnavailable: return 503;
    case RpcCode::kInternal: break;
  }
  return 500;
}

// Whole seconds, rounded up; 0 for 0.
int RetryAfterSeconds(milliseconds delay) { return static_cast<int>((delay.count() + 999) / 1000); }

HttpResponse Error(int status, RpcCode code, Audience audience, std::string_view message, milliseconds delay = {}) {
  HttpResponse response;
  response.status = status;
  response.retry_after_secs = RetryAfterSeconds(delay);
  if (audience == Audience::kProtobuf) {
    response.content_type = kProtobufType;
    response.body = EncodeRpcStatus(code, message, delay);
  } else {
    response.body.append(message).append("\n");
  }
  return response;
}

HttpResponse Last(HttpResponse response) {
  response.close = true;
  return response;
}

// Text of the request that goes into a message: of bearable length.
std::string Quote(std::string_view text) {
  constexpr size_t kMost = 200;
  return "'" + std::string(text.substr(0, kMost)) + (text.size() > kMost ? "...'" : "'");
}

}  // namespace

HttpResponse ToHttpResponse(const AcceptResult& result) {
  if (result.status.ok()) {
    HttpResponse response;
    response.content_type = kProtobufType;
    response.body = EncodeExportResponse(result);
    return response;
  }
  const RpcCode code = CodeOf(result);
  return Error(HttpCode(code), code, Audience::kProtobuf, result.status.message(), RetryDelayOf(result));
}

HttpResponse BadRequest(Audience audience, std::string_view message) {
  return Error(400, RpcCode::kInvalidArgument, audience, message);
}

HttpResponse NotFound(Audience audience, std::string_view target) {
  return Error(404, RpcCode::kNotFound, audience,
               "there is nothing at " + Quote(target) +
                   ": POST telemetry to /v1/traces, /v1/metrics or /v1/logs; GET / says more");
}

HttpResponse MethodNotAllowed(Audience audience, std::string_view method, std::string_view target,
                              std::string_view allow) {
  HttpResponse response = Error(405, RpcCode::kUnimplemented, audience,
                                Quote(target) + " does not take " + Quote(method) + ", only " + std::string(allow));
  response.allow = allow;
  return response;
}

HttpResponse TooLarge(Audience audience, std::string_view what, uint64_t limit) {
  return Error(413, RpcCode::kResourceExhausted, audience,
               std::string(what) + " the limit of " + std::to_string(limit) +
                   " bytes: send smaller batches, or raise http.max_body_bytes");
}

HttpResponse WrongContentType(std::string_view content_type) {
  const std::string what = content_type.empty() ? "no Content-Type" : "Content-Type " + Quote(content_type);
  return Error(415, RpcCode::kInvalidArgument, Audience::kText, what + ": only application/x-protobuf is taken here");
}

HttpResponse WrongContentEncoding(Audience audience, std::string_view encoding) {
  return Error(415, RpcCode::kInvalidArgument, audience,
               "Content-Encoding " + Quote(encoding) + ": only gzip, zstd and identity are taken here");
}

HttpResponse NoMemory(Audience audience) {
  return Error(503, RpcCode::kUnavailable, audience, "no memory for this request at the moment", milliseconds{1000});
}

HttpResponse BadVersion() {
  return Last(Error(505, RpcCode::kUnimplemented, Audience::kText, "only HTTP/1.1 and HTTP/1.0 are spoken here"));
}

HttpResponse HeaderTooLarge(uint64_t limit) {
  return Last(Error(431, RpcCode::kResourceExhausted, Audience::kText,
                    "the request's header is larger than " + std::to_string(limit) + " bytes"));
}

HttpResponse TimedOut(uint32_t seconds) {
  return Last(Error(408, RpcCode::kUnavailable, Audience::kText,
                    "the request did not arrive within " + std::to_string(seconds) + " s (http.request_timeout_secs)"));
}

HttpResponse TooManyConnections(uint32_t limit) {
  return Last(Error(503, RpcCode::kUnavailable, Audience::kText,
                    "all " + std::to_string(limit) + " connections are taken (http.max_connections); try again later",
                    milliseconds{1000}));
}

}  // namespace otlp_arrow
