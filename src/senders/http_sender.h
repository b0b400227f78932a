// OTLP over HTTP/1.1, as binary protobuf.
#pragma once

#include <memory>

#include "senders/sender_factory.h"
#include "senders/tls_client.h"

namespace otlp_arrow {

Result<std::unique_ptr<OtlpSender>> MakeHttpSender(SenderOptions options, const TlsFiles& files);

}  // namespace otlp_arrow
