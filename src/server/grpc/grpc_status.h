// Everything that the gRPC server answers other than a response message: the one place that knows gRPC's codes.
#pragma once

#include <cstdint>
#include <string>

#include <grpcpp/support/status.h>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

// OK where the pipeline accepted. Retryable refusals carry google.rpc.RetryInfo (in grpc-status-details-bin).
grpc::Status ToGrpcStatus(const AcceptResult& result);

// UNAUTHENTICATED, which senders do not retry. `hint` says what to send.
grpc::Status UnauthenticatedStatus(const std::string& hint);

// INVALID_ARGUMENT: the request cannot be read.
grpc::Status MalformedStatus(const std::string& message);

// RESOURCE_EXHAUSTED without RetryInfo, which OTLP's senders take as "do not retry". `what` begins the sentence.
grpc::Status TooLargeStatus(const std::string& what, uint64_t limit);

// RESOURCE_EXHAUSTED with RetryInfo: the process has no memory for the request.
grpc::Status NoMemoryStatus();

// UNAVAILABLE with RetryInfo.
grpc::Status ShuttingDownStatus();

// UNIMPLEMENTED, naming the method.
grpc::Status UnknownMethodStatus(const std::string& method);

}  // namespace otlp_arrow
