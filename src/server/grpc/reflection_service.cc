#include "server/grpc/reflection_service.h"

#include <grpcpp/impl/rpc_service_method.h>

#include "server/grpc/reflection_call.h"

namespace otlp_arrow {
namespace {

constexpr const char* kMethods[] = {
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
};
constexpr int kVersions = 2;

}  // namespace

ReflectionService::ReflectionService(CallGate* gate) : gate_(gate) {
  using grpc::internal::RpcMethod;
  for (int version = 0; version < kVersions; ++version) {
    AddMethod(new grpc::internal::RpcServiceMethod(kMethods[version], RpcMethod::BIDI_STREAMING, nullptr));
    MarkMethodRaw(version);
  }
}

void ReflectionService::Serve(grpc::ServerCompletionQueue* queue) {
  queue_ = queue;
  for (int version = 0; version < kVersions; ++version) ReflectionCall::Await(this, version);
}

void ReflectionService::Request(int version, grpc::ServerContext* context, Stream* stream, void* tag) {
  RequestAsyncBidiStreaming(version, context, stream, queue_, queue_, tag);
}

}  // namespace otlp_arrow
