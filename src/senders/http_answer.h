// What an HTTP answer to an OTLP request means.
#pragma once

#include <optional>
#include <string>

#include <boost/beast/http.hpp>

#include "base/endpoint.h"
#include "forward/otlp_sender.h"

namespace otlp_arrow {

using HttpAnswer = boost::beast::http::response<boost::beast::http::string_body>;

SendOutcome OutcomeOf(const HttpAnswer& answer);

// The path to which a 307 or 308 sends the request on, where it is one of the same server; else nullopt.
std::optional<std::string> RedirectedPath(const HttpAnswer& answer, const Endpoint& endpoint, const std::string& path);

// Do these bytes begin a frame of HTTP/2 that a server sends first?
bool IsHttp2(std::string_view bytes);

}  // namespace otlp_arrow
