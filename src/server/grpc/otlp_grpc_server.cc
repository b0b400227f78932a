#include "server/grpc/otlp_grpc_server.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include "base/host_port.h"
#include "server/common/listen_error.h"
#include "server/grpc/export_service.h"
#include "server/grpc/grpc_log.h"
#include "server/grpc/health_service.h"
#include "server/common/probe_address.h"
#include "server/grpc/queue_thread.h"
#include "server/grpc/server_options.h"
#include "server/grpc/unknown_method.h"

namespace otlp_arrow {
namespace {

// For the last bytes of answers on their way when the server goes down; calls still open then are cancelled.
constexpr std::chrono::milliseconds kFlushTime{250};

// gRPC's pollers hand events to one another, which costs more CPU than they save up to half of the cores.
unsigned QueueCount() { return std::clamp(std::thread::hardware_concurrency() / 2, 1u, 4u); }

}  // namespace

class OtlpGrpcServer::Impl {
 public:
  Impl(const GrpcConfig& config, Pipeline* pipeline) : exports_(config, pipeline), health_(pipeline) {}
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start(const GrpcConfig& config);
  void Shutdown(std::chrono::milliseconds deadline);

  int port() const { return port_; }
  const std::string& address() const { return address_; }

 private:
  ExportService exports_;
  HealthService health_;
  grpc::AsyncGenericService unknown_methods_;
  std::vector<std::unique_ptr<QueueThread>> queues_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
  std::string address_;
  std::once_flag shutdown_;
};

Status OtlpGrpcServer::Impl::Start(const GrpcConfig& config) {
  auto wanted = ParseHostPort(config.address);
  if (!wanted.ok()) return ListenError("grpc.address", config.address, wanted.status().message());
  OTLP_RETURN_NOT_OK(ProbeAddress("grpc.address", *wanted));

  RouteGrpcLog();
  grpc::ServerBuilder builder;
  SetServerOptions(config, &builder);
  builder.AddListeningPort(wanted->ToString(), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(&exports_);
  builder.RegisterService(&health_);
  builder.RegisterAsyncGenericService(&unknown_methods_);
  for (unsigned i = 0; i < QueueCount(); ++i) {
    queues_.push_back(std::make_unique<QueueThread>(builder.AddCompletionQueue()));
  }
  server_ = builder.BuildAndStart();
  if (!server_ || port_ == 0) {
    return ListenError("grpc.address", config.address, "gRPC refused it; choose another address");
  }

  wanted->port = static_cast<uint16_t>(port_);
  address_ = wanted->ToString();
  health_.Serve(queues_.front()->queue());
  UnknownMethodCall::Await(&unknown_methods_, queues_.front()->queue());
  for (auto& queue : queues_) {
    exports_.Serve(queue->queue());
    queue->Start();
  }
  return Status::Ok();
}

void OtlpGrpcServer::Impl::Shutdown(std::chrono::milliseconds deadline) {
  std::call_once(shutdown_, [&] {
    if (server_) {
      health_.SetDraining();
      exports_.Drain(std::chrono::steady_clock::now() + deadline);
      server_->Shutdown(std::chrono::system_clock::now() + kFlushTime);
    }
    for (size_t i = 0; i < queues_.size(); ++i) {
      queues_[i]->Stop([this, i] {
        if (i == 0) health_.Stop();
      });
    }
  });
}

Result<std::unique_ptr<OtlpGrpcServer>> OtlpGrpcServer::Start(const GrpcConfig& config, Pipeline* pipeline) {
  auto impl = std::make_unique<Impl>(config, pipeline);
  OTLP_RETURN_NOT_OK(impl->Start(config));
  return std::unique_ptr<OtlpGrpcServer>(new OtlpGrpcServer(std::move(impl)));
}

OtlpGrpcServer::OtlpGrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpGrpcServer::~OtlpGrpcServer() = default;
int OtlpGrpcServer::port() const { return impl_->port(); }
const std::string& OtlpGrpcServer::address() const { return impl_->address(); }
void OtlpGrpcServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
