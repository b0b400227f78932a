// From gRPC's slices to one run of bytes in the pipeline's memory.
#pragma once

#include <cstdint>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

struct RequestBytes {
  Pipeline::WritableBytes bytes;
  grpc::Status status;             // not OK: there are no bytes, and this is the answer
  const char* refused = nullptr;   // then: the ledger's word for the reason
};

// Copies the message once, or inflates it where it is gzip. Neither form may be larger than `limit`.
RequestBytes TakeRequestBytes(const grpc::ByteBuffer& message, uint64_t limit, Pipeline* pipeline);

}  // namespace otlp_arrow
