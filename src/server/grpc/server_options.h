// What the gRPC server sets differently from gRPC's defaults, and why.
#pragma once

#include <grpcpp/server_builder.h>

#include "otlp_arrow/config.h"

namespace otlp_arrow {

void SetServerOptions(const GrpcConfig& config, grpc::ServerBuilder* builder);

}  // namespace otlp_arrow
