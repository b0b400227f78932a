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
#include "server/common/authenticator.h"
#include "server/common/certificate_files.h"
#include "server/common/listen_error.h"
#include "server/common/periodic_check.h"
#include "server/grpc/call_gate.h"
#include "server/grpc/export_service.h"
#include "server/grpc/grpc_log.h"
#include "server/grpc/health_service.h"
#include "server/common/probe_address.h"
#include "server/grpc/queue_thread.h"
#include "server/grpc/reflection_service.h"
#include "server/grpc/server_options.h"
#include "server/grpc/tls_credentials.h"
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
  Impl(const GrpcConfig& config, std::shared_ptr<Authenticator> authenticator, Pipeline* pipeline)
      : gate_(std::move(authenticator)), exports_(config, &gate_, pipeline), health_(pipeline), reflection_(&gate_) {}
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start(const Config& config);
  Status Reload(const Config& config);
  void Shutdown(std::chrono::milliseconds deadline);

  int port() const { return port_; }
  const std::string& address() const { return address_; }

 private:
  Result<std::shared_ptr<grpc::ServerCredentials>> MakeCredentials(const Config& config);
  void Register(const GrpcConfig& config, grpc::ServerBuilder* builder);
  void Serve(bool reflects);

  CallGate gate_;
  std::shared_ptr<CertificateFiles> certificates_;        // null: no TLS
  bool asks_for_certificates_ = false;                    // of clients
  std::shared_ptr<grpc::ServerCredentials> credentials_;  // asked at each handshake
  ExportService exports_;
  HealthService health_;
  ReflectionService reflection_;
  grpc::AsyncGenericService unknown_methods_;
  std::vector<std::unique_ptr<QueueThread>> queues_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<PeriodicCheck> certificates_check_;
  int port_ = 0;
  std::string address_;
  std::once_flag shutdown_;
};

Result<std::shared_ptr<grpc::ServerCredentials>> OtlpGrpcServer::Impl::MakeCredentials(const Config& config) {
  const ServerTlsConfig& tls = config.TlsOf(config.grpc.tls);
  if (tls.cert_file.empty()) return grpc::InsecureServerCredentials();
  OTLP_ASSIGN_OR_RETURN(certificates_, CertificateFiles::Open(TlsSection(config, config.grpc.tls, "grpc"), tls));
  asks_for_certificates_ = !tls.client_ca_file.empty();
  certificates_check_ = std::make_unique<PeriodicCheck>(kCertificatesReadEvery, [files = certificates_] { files->Refresh(); });
  return MakeTlsCredentials(certificates_);
}

void OtlpGrpcServer::Impl::Register(const GrpcConfig& config, grpc::ServerBuilder* builder) {
  SetServerOptions(config, builder);
  builder->RegisterService(&exports_);
  builder->RegisterService(&health_);
  if (config.reflection) builder->RegisterService(&reflection_);
  builder->RegisterAsyncGenericService(&unknown_methods_);
  for (unsigned i = 0; i < QueueCount(); ++i) {
    queues_.push_back(std::make_unique<QueueThread>(builder->AddCompletionQueue()));
  }
}

// Calls that are rare stay on the first queue.
void OtlpGrpcServer::Impl::Serve(bool reflects) {
  grpc::ServerCompletionQueue* first = queues_.front()->queue();
  health_.Serve(first);
  if (reflects) reflection_.Serve(first);
  UnknownMethodCall::Await(&unknown_methods_, first);
  for (auto& queue : queues_) {
    exports_.Serve(queue->queue());
    queue->Start();
  }
}

Status OtlpGrpcServer::Impl::Start(const Config& all) {
  const GrpcConfig& config = all.grpc;
  auto wanted = ParseHostPort(config.address);
  if (!wanted.ok()) return ListenError("grpc.address", config.address, wanted.status().message());
  OTLP_ASSIGN_OR_RETURN(credentials_, MakeCredentials(all));
  OTLP_RETURN_NOT_OK(ProbeAddress("grpc.address", *wanted));

  RouteGrpcLog();
  grpc::ServerBuilder builder;
  Register(config, &builder);
  builder.AddListeningPort(wanted->ToString(), credentials_, &port_);
  server_ = builder.BuildAndStart();
  if (!server_ || port_ == 0) {
    return ListenError("grpc.address", config.address, "gRPC refused it; choose another address");
  }
  wanted->port = static_cast<uint16_t>(port_);
  address_ = wanted->ToString();
  Serve(config.reflection);
  return Status::Ok();
}

Status OtlpGrpcServer::Impl::Reload(const Config& config) {
  const ServerTlsConfig& tls = config.TlsOf(config.grpc.tls);
  if (tls.cert_file.empty() == (certificates_ != nullptr)) {
    return Status::Config("grpc.tls.cert_file: TLS cannot be switched on or off while the server runs; restart it");
  }
  if (certificates_ && tls.client_ca_file.empty() == asks_for_certificates_) {
    return Status::Config("grpc.tls.client_ca_file: asking clients for certificates cannot be switched on or off while the server runs; restart it");
  }
  OTLP_ASSIGN_OR_RETURN(auto authenticator, Authenticator::Make(config.auth));
  if (certificates_) OTLP_RETURN_NOT_OK(certificates_->Use(TlsSection(config, config.grpc.tls, "grpc"), tls));
  gate_.Use(std::move(authenticator));
  return Status::Ok();
}

void OtlpGrpcServer::Impl::Shutdown(std::chrono::milliseconds deadline) {
  std::call_once(shutdown_, [&] {
    certificates_check_.reset();
    if (server_) {
      health_.SetDraining();
      exports_.Drain(std::chrono::steady_clock::now() + deadline);
      server_->Shutdown(std::chrono::system_clock::now() + kFlushTime);
    }
    for (size_t i = 0; i < queues_.size(); ++i) {
      queues_[i]->Stop([this, i] {
        if (i > 0) return;
        health_.Stop();
        reflection_.Stop();
      });
    }
  });
}

Result<std::unique_ptr<OtlpGrpcServer>> OtlpGrpcServer::Start(const Config& config, Pipeline* pipeline) {
  OTLP_ASSIGN_OR_RETURN(auto authenticator, Authenticator::Make(config.auth));
  auto impl = std::make_unique<Impl>(config.grpc, std::move(authenticator), pipeline);
  OTLP_RETURN_NOT_OK(impl->Start(config));
  return std::unique_ptr<OtlpGrpcServer>(new OtlpGrpcServer(std::move(impl)));
}

OtlpGrpcServer::OtlpGrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpGrpcServer::~OtlpGrpcServer() = default;
int OtlpGrpcServer::port() const { return impl_->port(); }
const std::string& OtlpGrpcServer::address() const { return impl_->address(); }
Status OtlpGrpcServer::Reload(const Config& config) { return impl_->Reload(config); }
void OtlpGrpcServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
