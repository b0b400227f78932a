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
    case RpcCode::kUnauthenticated: return 401;
    case RpcCode::kPermissionDenied: return 403;
    case RpcCode::kNotFound: return 404;
    case RpcCode::kDeadlineExceeded: return 408;
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
  switch (audience) {
    case Audience::kProtobuf:
      response.content_type = kProtobufType;
      response.body = EncodeRpcStatus(code, message, delay);
      break;
    case Audience::kJson:
      response.content_type = kJsonType;
      response.body = RpcStatusJson(code, message, delay) + "\n";
      break;
    case Audience::kText: response.body.append(message).append("\n"); break;
  }
  return response;
}

HttpResponse Last(HttpResponse response) {
  response.close = true;
  return response;
}

// Text of the request that goes into a message: of bearable length, and ASCII, since a message is UTF-8.
std::string Quote(std::string_view text) {
  constexpr size_t kMost = 200;
  std::string shown(text.substr(0, kMost));
  std::replace_if(shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return "'" + shown + (text.size() > kMost ? "...'" : "'");
}

}  // namespace

HttpResponse ToHttpResponse(Audience audience, Signal signal, const AcceptResult& result) {
  if (result.status.ok()) {
    HttpResponse response;
    const bool is_json = audience == Audience::kJson;
    response.content_type = is_json ? kJsonType : kProtobufType;
    response.body = is_json ? ExportResponseJson(signal, result) : EncodeExportResponse(result);
    return response;
  }
  const RpcCode code = CodeOf(result);
  return Error(HttpCode(code), code, audience, result.status.message(), RetryDelayOf(result));
}

HttpResponse BadRequest(Audience audience, std::string_view message) {
  return Error(400, RpcCode::kInvalidArgument, audience, message);
}

HttpResponse Unauthorized(Audience audience, std::string_view hint) {
  HttpResponse response = Error(401, RpcCode::kUnauthenticated, audience, hint);
  response.headers = "WWW-Authenticate: Bearer realm=\"otlp-arrow\"\r\n";
  return response;
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
  response.headers.append("Allow: ").append(allow).append("\r\n");
  return response;
}

HttpResponse LengthRequired(Audience audience) {
  return Error(411, RpcCode::kInvalidArgument, audience, "the request has neither a Content-Length nor a body in chunks");
}

HttpResponse TooLarge(Audience audience, std::string_view what, uint64_t limit) {
  return Error(413, RpcCode::kResourceExhausted, audience,
               std::string(what) + " the limit of " + std::to_string(limit) +
                   " bytes: send smaller batches, or raise http.max_body_bytes");
}

HttpResponse WrongContentType(Audience audience, std::string_view content_type) {
  const std::string what = content_type.empty() ? "no Content-Type" : "Content-Type " + Quote(content_type);
  return Error(415, RpcCode::kInvalidArgument, audience, what + ": only application/x-protobuf and application/json are taken here");
}

HttpResponse WrongContentEncoding(Audience audience, std::string_view encoding) {
  return Error(415, RpcCode::kInvalidArgument, audience,
               "Content-Encoding " + Quote(encoding) + ": only one of gzip, deflate, zstd and identity is taken here");
}

HttpResponse NoRoomToReceive(Audience audience, uint64_t limit) {
  return Error(503, RpcCode::kUnavailable, audience,
               "the requests coming in take " + std::to_string(limit) +
                   " bytes already, or half of that from your address (http.max_receive_bytes); try again later",
               milliseconds{1000});
}

HttpResponse PreflightAllowed(std::string_view headers, uint32_t max_age_secs) {
  HttpResponse response;
  response.status = 204;
  response.headers.append("Access-Control-Allow-Methods: POST\r\nAccess-Control-Allow-Headers: ").append(headers);
  response.headers.append("\r\nAccess-Control-Max-Age: ").append(std::to_string(max_age_secs)).append("\r\n");
  return response;
}

HttpResponse PreflightRefused(std::string_view origin) {
  return Error(403, RpcCode::kPermissionDenied, Audience::kJson,
               "pages of the origin " + Quote(origin) + " may not send telemetry here: add it to http.cors_allowed_origins");
}

HttpResponse NoMemory(Audience audience) {
  return Error(503, RpcCode::kUnavailable, audience, "no memory for this request at the moment", milliseconds{1000});
}

HttpResponse BadVersion() {
  return Last(Error(505, RpcCode::kUnimplemented, Audience::kText, "only HTTP/1.1 and HTTP/1.0 are spoken here"));
}

HttpResponse HeaderTooLarge(uint64_t limit) {
  return Last(Error(431, RpcCode::kResourceExhausted, Audience::kText,
                    "the request's header is larger than " + std::to_string(limit) + " bytes (http.max_header_bytes)"));
}

HttpResponse TimedOut(Audience audience, std::string_view what, uint32_t seconds, std::string_view key) {
  return Last(Error(408, RpcCode::kDeadlineExceeded, audience,
                    std::string(what) + " did not arrive within " + std::to_string(seconds) + " s (" + std::string(key) + ")"));
}

HttpResponse TooManyConnections(uint32_t limit) {
  return Last(Error(503, RpcCode::kUnavailable, Audience::kText,
                    "all " + std::to_string(limit) + " connections are taken (http.max_connections); try again later",
                    milliseconds{1000}));
}

HttpResponse TooManyConnectionsOfClient(uint32_t limit) {
  return Last(Error(503, RpcCode::kUnavailable, Audience::kText,
                    "your address has all " + std::to_string(limit) + " connections that one may have (http.max_connections_per_client); use those again",
                    milliseconds{1000}));
}

}  // namespace otlp_arrow
