#include "server/http/http_settings.h"

#include <utility>

#include "server/http/http_text.h"

namespace otlp_arrow {

std::optional<std::string_view> HttpSettings::AllowedOrigin(std::string_view origin) const {
  if (origin.empty()) return std::nullopt;
  for (const std::string& allowed : http.cors_allowed_origins) {
    if (allowed == "*") return "*";
    if (EqualsIgnoringCase(allowed, origin)) return origin;
  }
  return std::nullopt;
}

Result<std::shared_ptr<HttpSettings>> MakeHttpSettings(const Config& config) {
  auto settings = std::make_shared<HttpSettings>();
  settings->http = config.http;
  OTLP_ASSIGN_OR_RETURN(settings->auth, Authenticator::Make(config.auth));
  settings->cors_headers = "Content-Type, Content-Encoding, Authorization";
  for (const std::string& name : config.http.cors_allowed_headers) settings->cors_headers += ", " + name;
  return settings;
}

}  // namespace otlp_arrow
