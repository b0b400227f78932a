#include "server/flight/otlp_flight_server.h"

#include <mutex>
#include <utility>

#include <spdlog/spdlog.h>

#include "base/host_port.h"
#include "server/common/authenticator.h"
#include "server/common/certificate_files.h"
#include "server/common/listen_error.h"
#include "server/common/periodic_check.h"
#include "server/flight/call_guard.h"
#include "server/flight/flight_port.h"
#include "server/flight/flight_service.h"

namespace otlp_arrow {
namespace {

Result<std::shared_ptr<Authenticator>> MakeAuthenticator(const Config& config) {
  return Authenticator::Make(config.auth, {{"flight.bearer_token", config.flight.bearer_token}});
}

}  // namespace

class OtlpFlightServer::Impl {
 public:
  Impl(const Config& config, std::shared_ptr<Authenticator> authenticator, Pipeline* pipeline)
      : service_(config, pipeline),
        guard_(std::make_shared<CallGuard>(std::move(authenticator), 2 * config.flight.max_streams, service_.counters())),
        port_(&service_, guard_) {}
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start(const Config& config) {
    const auto wanted = ParseHostPort(config.flight.address);
    if (!wanted.ok()) return ListenError("flight.address", config.flight.address, wanted.status().message());
    OTLP_RETURN_NOT_OK(UseFiles(config));
    OTLP_RETURN_NOT_OK(port_.Open(*wanted, shown_.get()));
    address_ = port_.address().ToString();
    if (files_) check_ = std::make_unique<PeriodicCheck>(kCertificatesReadEvery, [this] { LookAtCertificates(); });
    return Status::Ok();
  }

  Status Reload(const Config& config) {
    OTLP_ASSIGN_OR_RETURN(auto authenticator, MakeAuthenticator(config));
    std::lock_guard lock(mutex_);
    if (config.TlsOf(config.flight.tls).cert_file.empty() == (files_ != nullptr)) {
      return Status::Config("flight.tls.cert_file: TLS cannot be switched on or off while the server runs; restart it");
    }
    OTLP_RETURN_NOT_OK(UseFiles(config));
    guard_->Use(std::move(authenticator));
    return ReopenIfOthers();
  }

  void Shutdown(std::chrono::milliseconds deadline) {
    std::call_once(shutdown_, [&] {
      check_.reset();
      service_.Stop();
      port_.Close(deadline);
    });
  }

  std::string MetricsText() const { return service_.MetricsText(); }
  int port() const { return port_.address().port; }
  const std::string& address() const { return address_; }

 private:
  // Leaves in shown_ what is to be shown first.
  Status UseFiles(const Config& config) {
    const ServerTlsConfig& tls = config.TlsOf(config.flight.tls);
    if (tls.cert_file.empty()) return Status::Ok();
    if (files_) return files_->Use(TlsSection(config, config.flight.tls, "flight"), tls);
    OTLP_ASSIGN_OR_RETURN(files_, CertificateFiles::Open(TlsSection(config, config.flight.tls, "flight"), tls));
    shown_ = files_->current();
    return Status::Ok();
  }

  Status ReopenIfOthers() {
    if (!files_) return Status::Ok();
    const auto now = files_->current();
    if (port_.is_open() && now->SameFiles(*shown_)) return Status::Ok();
    shown_ = now;
    return port_.Reopen(shown_.get());
  }

  void LookAtCertificates() {
    std::lock_guard lock(mutex_);
    files_->Refresh();
    const Status open = ReopenIfOthers();
    if (!open.ok()) spdlog::error("{}; it is tried again in {} s", open.message(), kCertificatesReadEvery.count());
  }

  FlightService service_;
  const std::shared_ptr<CallGuard> guard_;
  std::mutex mutex_;                           // of what follows, once it has started
  FlightPort port_;
  std::shared_ptr<CertificateFiles> files_;    // null: no TLS
  std::shared_ptr<const Certificates> shown_;  // to clients
  std::string address_;
  std::unique_ptr<PeriodicCheck> check_;
  std::once_flag shutdown_;
};

Result<std::unique_ptr<OtlpFlightServer>> OtlpFlightServer::Start(const Config& config, Pipeline* pipeline) {
  OTLP_ASSIGN_OR_RETURN(auto authenticator, MakeAuthenticator(config));
  auto impl = std::make_unique<Impl>(config, std::move(authenticator), pipeline);
  OTLP_RETURN_NOT_OK(impl->Start(config));
  return std::unique_ptr<OtlpFlightServer>(new OtlpFlightServer(std::move(impl)));
}

OtlpFlightServer::OtlpFlightServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpFlightServer::~OtlpFlightServer() = default;
std::string OtlpFlightServer::MetricsText() const { return impl_->MetricsText(); }
int OtlpFlightServer::port() const { return impl_->port(); }
const std::string& OtlpFlightServer::address() const { return impl_->address(); }
Status OtlpFlightServer::Reload(const Config& config) { return impl_->Reload(config); }
void OtlpFlightServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
