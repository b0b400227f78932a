#include "server/grpc/health_service.h"

#include <grpcpp/impl/rpc_service_method.h>

#include "server/grpc/export_service.h"
#include "server/grpc/health_call.h"

namespace otlp_arrow {
namespace {

constexpr int kCheck = 0;
constexpr int kWatch = 1;
constexpr std::chrono::seconds kTickInterval{1};

bool IsServiceHere(std::string_view name) {
  if (name.empty()) return true;  // the server as a whole
  for (const Signal signal : kAllSignals) {
    if (name == ExportServiceName(signal)) return true;
  }
  return false;
}

}  // namespace

HealthService::HealthService(Pipeline* pipeline) : pipeline_(pipeline) {
  using grpc::internal::RpcMethod;
  using grpc::internal::RpcServiceMethod;
  AddMethod(new RpcServiceMethod("/grpc.health.v1.Health/Check", RpcMethod::NORMAL_RPC, nullptr));
  MarkMethodRaw(kCheck);
  AddMethod(new RpcServiceMethod("/grpc.health.v1.Health/Watch", RpcMethod::SERVER_STREAMING, nullptr));
  MarkMethodRaw(kWatch);
}

void HealthService::Serve(grpc::ServerCompletionQueue* queue) {
  queue_ = queue;
  HealthCheck::Await(this);
  HealthWatch::Await(this);
}

void HealthService::Stop() {
  stopped_ = true;
  alarm_.Cancel();
}

ServingStatus HealthService::StatusOf(std::string_view service_name) const {
  if (!IsServiceHere(service_name)) return ServingStatus::kServiceUnknown;
  return !draining_ && pipeline_->Ready(nullptr) ? ServingStatus::kServing : ServingStatus::kNotServing;
}

void HealthService::RequestCheck(grpc::ServerContext* context, grpc::ByteBuffer* message, CheckResponder* responder,
                                 void* tag) {
  RequestAsyncUnary(kCheck, context, message, responder, queue_, queue_, tag);
}

void HealthService::RequestWatch(grpc::ServerContext* context, grpc::ByteBuffer* message, WatchWriter* writer,
                                 void* tag) {
  RequestAsyncServerStreaming(kWatch, context, message, writer, queue_, queue_, tag);
}

void HealthService::AddWatch(HealthWatch* watch) {
  watches_.insert(watch);
  ArmTick();
}

void HealthService::RemoveWatch(HealthWatch* watch) { watches_.erase(watch); }

void HealthService::ArmTick() {
  if (tick_armed_ || stopped_ || watches_.empty()) return;
  tick_armed_ = true;
  alarm_.Set(queue_, std::chrono::system_clock::now() + kTickInterval, &tick_);
}

void HealthService::OnTick(bool ok) {
  tick_armed_ = false;
  if (!ok) return;
  for (HealthWatch* watch : watches_) watch->Update();
  ArmTick();
}

}  // namespace otlp_arrow
