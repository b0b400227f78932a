// The three Export methods, served from raw bytes on completion queues.
#pragma once

#include <chrono>
#include <memory>

#include <grpcpp/completion_queue.h>
#include <grpcpp/impl/service_type.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include "otlp_arrow/config.h"
#include "pipeline/pipeline.h"
#include "server/grpc/call_gate.h"
#include "server/grpc/open_calls.h"

namespace otlp_arrow {

// "opentelemetry.proto.collector.trace.v1.TraceService" and so on.
const char* ExportServiceName(Signal signal);

// Why not gRPC's callback API: its threads, two at least, hand each event over to one another, which costs twice the CPU.
// Why not a generic service: here the message comes along with the call, without an operation of its own.
class ExportService final : public grpc::Service {
 public:
  using Responder = grpc::ServerAsyncResponseWriter<grpc::ByteBuffer>;

  using Reader = grpc::ServerAsyncReader<grpc::ByteBuffer, grpc::ByteBuffer>;

  // A gate that asks for credentials makes the service guarded: it then reads no message of a call that has none.
  ExportService(const GrpcConfig& config, CallGate* gate, Pipeline* pipeline);

  // Begins to take calls on `queue`. Call once per queue, when the server has started.
  void Serve(grpc::ServerCompletionQueue* queue);

  // Refuses new calls; answers those under way by `deadline` at the latest.
  void Drain(std::chrono::steady_clock::time_point deadline);

  // For the calls.
  void Request(Signal signal, grpc::ServerContext* context, grpc::ByteBuffer* message, Responder* responder,
               grpc::ServerCompletionQueue* queue, void* tag);
  void Request(Signal signal, grpc::ServerContext* context, Reader* reader, grpc::ServerCompletionQueue* queue, void* tag);
  bool is_guarded() const { return guarded_; }
  CallGate* gate() const { return gate_; }
  Pipeline* pipeline() const { return pipeline_; }
  uint64_t max_message_bytes() const { return max_message_bytes_; }
  const std::shared_ptr<OpenCalls>& open_calls() const { return open_calls_; }

 private:
  const uint64_t max_message_bytes_;
  CallGate* const gate_;
  const bool guarded_;
  Pipeline* const pipeline_;
  const std::shared_ptr<OpenCalls> open_calls_ = std::make_shared<OpenCalls>();
};

}  // namespace otlp_arrow
