#include "server/http/http_response.h"

#include <ctime>

namespace otlp_arrow {
namespace {

// IMF-fixdate of now (RFC 9110, 5.6.7); made once a second and thread.
std::string_view DateNow() {
  static thread_local std::time_t second = 0;
  static thread_local char text[32];
  static thread_local size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    std::tm utc{};
    gmtime_r(&now, &utc);
    size = std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    second = now;
  }
  return {text, size};
}

void AppendHeader(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

void AppendResponse(const HttpResponse& response, bool head, std::string* out) {
  out->append("HTTP/1.1 ").append(std::to_string(response.status));
  out->append(" ").append(ReasonPhrase(response.status)).append("\r\n");
  AppendHeader("Date", DateNow(), out);
  if (response.status != 204) {  // which has no body (RFC 9110, 8.6)
    AppendHeader("Content-Type", response.content_type, out);
    AppendHeader("Content-Length", std::to_string(response.body.size()), out);
  }
  if (response.retry_after_secs > 0) AppendHeader("Retry-After", std::to_string(response.retry_after_secs), out);
  out->append(response.headers);
  if (response.close) AppendHeader("Connection", "close", out);
  out->append("\r\n");
  if (!head) out->append(response.body);
}

}  // namespace otlp_arrow
