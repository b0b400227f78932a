// The server's side of TLS: TLS 1.2 and later, HTTP/1.1 alone, and certificates of clients where they are wanted.
#pragma once

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include "otlp_arrow/status.h"
#include "server/common/certificate_files.h"

namespace otlp_arrow {

// Errors: kConfig, naming the key of `section` ("http.tls." or "tls.") and the reason.
Result<std::shared_ptr<boost::asio::ssl::context>> MakeTlsContext(const std::string& section, const Certificates& certificates);

}  // namespace otlp_arrow
