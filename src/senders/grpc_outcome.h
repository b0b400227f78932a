// What the status of a gRPC call means for an OTLP request.
#pragma once

#include <grpcpp/grpcpp.h>

#include "forward/otlp_sender.h"

namespace otlp_arrow {

// Not for OK.
SendOutcome OutcomeOf(const grpc::Status& status);

}  // namespace otlp_arrow
