// Record batches over Arrow Flight: one DoPut for each request, to the path of its signal.
#pragma once

#include <memory>

#include "senders/sender_factory.h"
#include "senders/tls_client.h"

namespace otlp_arrow {

// On the same gRPC as the OTLP sender, which unlike Arrow's client lets a DoPut be cancelled and shows the status as it came.
std::unique_ptr<OtlpSender> MakeFlightSender(SenderOptions options, TlsFiles files);

}  // namespace otlp_arrow
