// A response, and its form on the wire.
#pragma once

#include <string>
#include <string_view>

namespace otlp_arrow {

inline constexpr std::string_view kProtobufType = "application/x-protobuf";
inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";

struct HttpResponse {
  int status = 200;
  std::string_view content_type = kTextType;
  std::string body;
  int retry_after_secs = 0;    // 0: no Retry-After
  std::string headers;         // more of them, each "Name: value\r\n"
  bool close = false;          // the connection ends with this response
};

// Appends the response to `out`, with Date, Content-Length and Connection. `head`: without the body, as for HEAD.
void AppendResponse(const HttpResponse& response, bool head, std::string* out);

// "Not Found" for 404, and so on for the codes that the server uses.
std::string_view ReasonPhrase(int status);

}  // namespace otlp_arrow
