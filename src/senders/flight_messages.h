// Requests as the messages of an Arrow Flight DoPut (https://arrow.apache.org/docs/format/Flight.html).
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include <grpcpp/support/byte_buffer.h>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "schema/decode.h"
#include "senders/compressor.h"

namespace otlp_arrow {

// Keeps the decoders, and their memory, between requests. Not thread-safe.
class FlightMessages {
 public:
  // kNone, kLz4 or kZstd, of the batches' buffers.
  explicit FlightMessages(RequestCompression compression) : compression_(compression) {}

  // Schema, dictionaries and one batch with all rows of the request; nothing where it has none. The messages own their memory.
  Result<std::vector<grpc::ByteBuffer>> Encode(Signal signal, std::string_view request);

 private:
  TableDecoder& DecoderOf(Signal signal);

  const RequestCompression compression_;
  std::array<std::unique_ptr<TableDecoder>, kSignalCount> decoders_;
  std::vector<grpc::ByteBuffer> messages_;
};

}  // namespace otlp_arrow
