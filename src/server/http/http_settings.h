// What the configuration says, ready for use by sessions. It never changes; a reload makes another one.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ssl/context.hpp>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "server/common/authenticator.h"

namespace otlp_arrow {

struct HttpSettings {
  HttpConfig http;
  std::shared_ptr<Authenticator> auth;             // null: anyone may call
  std::shared_ptr<boost::asio::ssl::context> tls;  // null: none
  std::string cors_headers;                        // that pages may send, as in Access-Control-Allow-Headers

  bool has_cors() const { return !http.cors_allowed_origins.empty(); }
  // What Access-Control-Allow-Origin says to a page of this origin; nullopt where it may not send.
  std::optional<std::string_view> AllowedOrigin(std::string_view origin) const;
};

// Without TLS. Errors: kConfig for secrets that cannot be had.
Result<std::shared_ptr<HttpSettings>> MakeHttpSettings(const Config& config);

}  // namespace otlp_arrow
