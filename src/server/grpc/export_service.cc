#include "server/grpc/export_service.h"

#include <grpcpp/impl/rpc_service_method.h>

#include "server/grpc/export_call.h"
#include "server/grpc/grpc_status.h"

namespace otlp_arrow {
namespace {

// Calls that a queue awaits at once, of each signal: more arrivals wait inside gRPC.
constexpr int kAwaitedCalls = 8;

constexpr const char* kServiceNames[] = {
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "opentelemetry.proto.collector.logs.v1.LogsService",
};
constexpr const char* kMethods[] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

}  // namespace

const char* ExportServiceName(Signal signal) { return kServiceNames[static_cast<size_t>(signal)]; }

// What protoc's gRPC plugin generates for an asynchronous service of raw bytes.
// On the wire a stream of one message is a unary call; gRPC reads no message of a stream by itself.
ExportService::ExportService(const GrpcConfig& config, CallGate* gate, Pipeline* pipeline)
    : max_message_bytes_(config.max_message_bytes), gate_(gate), guarded_(!gate->is_open()), pipeline_(pipeline) {
  using grpc::internal::RpcMethod;
  for (const Signal signal : kAllSignals) {
    const auto index = static_cast<int>(signal);
    AddMethod(new grpc::internal::RpcServiceMethod(kMethods[index], guarded_ ? RpcMethod::CLIENT_STREAMING : RpcMethod::NORMAL_RPC, nullptr));
    MarkMethodRaw(index);
  }
}

void ExportService::Request(Signal signal, grpc::ServerContext* context, grpc::ByteBuffer* message,
                            Responder* responder, grpc::ServerCompletionQueue* queue, void* tag) {
  RequestAsyncUnary(static_cast<int>(signal), context, message, responder, queue, queue, tag);
}

void ExportService::Request(Signal signal, grpc::ServerContext* context, Reader* reader, grpc::ServerCompletionQueue* queue, void* tag) {
  RequestAsyncClientStreaming(static_cast<int>(signal), context, reader, queue, queue, tag);
}

void ExportService::Serve(grpc::ServerCompletionQueue* queue) {
  for (const Signal signal : kAllSignals) {
    for (int i = 0; i < kAwaitedCalls; ++i) ExportCall::Await(this, signal, queue);
  }
}

void ExportService::Drain(std::chrono::steady_clock::time_point deadline) {
  for (ExportCall* call : open_calls_->Drain(deadline)) call->Refuse(ShuttingDownStatus());
}

}  // namespace otlp_arrow
