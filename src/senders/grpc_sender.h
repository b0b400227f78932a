// OTLP over gRPC.
#pragma once

#include <memory>

#include "senders/sender_factory.h"
#include "senders/tls_client.h"

namespace otlp_arrow {

std::unique_ptr<OtlpSender> MakeGrpcSender(SenderOptions options, TlsFiles files);

}  // namespace otlp_arrow
