#include "senders/grpc_sender.h"

#include <cstring>
#include <future>
#include <optional>

#include <grpc/byte_buffer.h>
#include <grpcpp/support/byte_buffer.h>

#include "senders/export_response.h"
#include "senders/grpc_connection.h"
#include "senders/outcome.h"

namespace otlp_arrow {
namespace {

const char* MethodOf(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::kMetrics: return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    case Signal::kLogs: return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
  }
  return "";
}

// A message that is compressed already, which only gRPC's C interface can express; ByteBuffer is no more than a pointer to the C
// object. gRPC's own compression takes twice the time (its level is not to be chosen).
grpc::ByteBuffer CompressedBuffer(std::string_view bytes) {
  static_assert(sizeof(grpc::ByteBuffer) == sizeof(grpc_byte_buffer*));
  grpc_slice slice = grpc_slice_from_copied_buffer(bytes.data(), bytes.size());
  grpc_byte_buffer* raw = grpc_raw_compressed_byte_buffer_create(&slice, 1, GRPC_COMPRESS_GZIP);
  grpc_slice_unref(slice);
  grpc::ByteBuffer buffer;
  std::memcpy(static_cast<void*>(&buffer), &raw, sizeof(raw));
  return buffer;
}

class GrpcSender : public OtlpSender {
 public:
  GrpcSender(SenderOptions options, TlsFiles files) : compressor_(MakeCompressor(options.compression)), connection_(std::move(options), std::move(files)) {}

  SendOutcome Send(Signal signal, std::string_view request, std::chrono::milliseconds timeout) override {
    grpc::ClientContext context;
    if (auto failure = connection_.Begin(&context, timeout)) return *std::move(failure);
    const auto buffer = BufferOf(request, &context);
    if (!buffer) return connection_.End(grpc::Status(grpc::StatusCode::ABORTED, "no memory to compress the request"));
    grpc::ByteBuffer response;
    std::promise<grpc::Status> done;
    connection_.stub().UnaryCall(&context, MethodOf(signal), grpc::StubOptions(), &*buffer, &response,
                                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    SendOutcome outcome = connection_.End(status);
    return status.ok() ? connection_.Tidied(ReadExportResponse(Flat(response))) : outcome;
  }

  void Cancel() override { connection_.Cancel(); }

 private:
  // Copied: gRPC may still be writing when a call is over that was cancelled.
  std::optional<grpc::ByteBuffer> BufferOf(std::string_view request, grpc::ClientContext* context) {
    if (!compressor_) {
      grpc::Slice slice(request.data(), request.size());
      return grpc::ByteBuffer(&slice, 1);
    }
    if (!compressor_->Compress(request, &compressed_)) return std::nullopt;
    context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    return CompressedBuffer(compressed_);
  }

  const std::unique_ptr<Compressor> compressor_;
  std::string compressed_;
  GrpcConnection connection_;
};

}  // namespace

std::unique_ptr<OtlpSender> MakeGrpcSender(SenderOptions options, TlsFiles files) {
  return std::make_unique<GrpcSender>(std::move(options), std::move(files));
}

}  // namespace otlp_arrow
