// grpc.reflection.v1 and v1alpha, for grpcurl and the like. gRPC's own plugin would bring libprotobuf's messages and a synchronous
// server's threads along.
#pragma once

#include <grpcpp/completion_queue.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/byte_buffer.h>

#include "server/grpc/call_gate.h"

namespace otlp_arrow {

class ReflectionService final : public grpc::Service {
 public:
  using Stream = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;

  explicit ReflectionService(CallGate* gate);

  // Begins to take calls on `queue`; all its calls stay there.
  void Serve(grpc::ServerCompletionQueue* queue);
  // No call begins anything from now on. Only on the queue's thread.
  void Stop() { stopped_ = true; }

  // For the calls; only on the queue's thread.
  void Request(int version, grpc::ServerContext* context, Stream* stream, void* tag);
  CallGate* gate() const { return gate_; }
  bool stopped() const { return stopped_; }

 private:
  CallGate* const gate_;
  grpc::ServerCompletionQueue* queue_ = nullptr;
  bool stopped_ = false;
};

}  // namespace otlp_arrow
