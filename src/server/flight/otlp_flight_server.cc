#include "server/flight/otlp_flight_server.h"

#include <mutex>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/types.h>

#include "base/host_port.h"
#include "base/pem_file.h"
#include "server/common/listen_error.h"
#include "server/common/probe_address.h"
#include "server/flight/bearer_auth.h"
#include "server/flight/flight_service.h"

namespace otlp_arrow {
namespace {

namespace flight = arrow::flight;

constexpr std::string_view kKey = "flight.address";

Status SetTls(const std::string& section, const ServerTlsConfig& tls, flight::FlightServerOptions* options) {
  if (tls.cert_file.empty()) return Status::Ok();
  flight::CertKeyPair pair;
  OTLP_ASSIGN_OR_RETURN(pair.pem_cert, ReadPemFile(section + "cert_file", tls.cert_file, kPemCertificate));
  OTLP_ASSIGN_OR_RETURN(pair.pem_key, ReadPemFile(section + "key_file", tls.key_file, kPemKey));
  options->tls_certificates = {std::move(pair)};
  if (tls.client_ca_file.empty()) return Status::Ok();
  OTLP_ASSIGN_OR_RETURN(options->root_certificates, ReadPemFile(section + "client_ca_file", tls.client_ca_file, kPemCertificate));
  options->verify_client = true;
  return Status::Ok();
}

}  // namespace

class OtlpFlightServer::Impl {
 public:
  Impl(const Config& config, Pipeline* pipeline) : service_(config, pipeline) {}
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start(const Config& all) {
    const FlightConfig& config = all.flight;
    const ServerTlsConfig& tls = all.TlsOf(config.tls);
    const std::string section = &tls == &config.tls ? "flight.tls." : "tls.";
    auto wanted = ParseHostPort(config.address);
    if (!wanted.ok()) return ListenError(kKey, config.address, wanted.status().message());
    OTLP_RETURN_NOT_OK(ProbeAddress(kKey, *wanted));
    const bool has_tls = !tls.cert_file.empty();
    const auto location = flight::Location::Parse((has_tls ? "grpc+tls://" : "grpc+tcp://") + wanted->ToString());
    if (!location.ok()) return ListenError(kKey, config.address, location.status().message());

    flight::FlightServerOptions options(*location);
    OTLP_RETURN_NOT_OK(SetTls(section, tls, &options));
    OTLP_ASSIGN_OR_RETURN(auto authenticator, Authenticator::Make(all.auth, {{"flight.bearer_token", config.bearer_token}}));
    if (authenticator) options.middleware.emplace_back("auth", std::make_shared<BearerAuth>(std::move(authenticator)));
    const arrow::Status started = service_.Init(options);
    if (!started.ok()) {
      return ListenError(kKey, config.address,
                         "gRPC refused it (" + started.message() + "); choose another address" +
                             (has_tls ? ", or check that " + section + "key_file is the key of " + section + "cert_file" : ""));
    }
    started_ = true;
    wanted->port = static_cast<uint16_t>(service_.port());
    address_ = wanted->ToString();
    return Status::Ok();
  }

  void Shutdown(std::chrono::milliseconds deadline) {
    std::call_once(shutdown_, [&] {
      if (!started_) return;
      service_.Stop();
      const auto until = std::chrono::system_clock::now() + deadline;
      (void)service_.Shutdown(&until);
      (void)service_.Wait();
    });
  }

  std::string MetricsText() const { return service_.MetricsText(); }
  int port() const { return service_.port(); }
  const std::string& address() const { return address_; }

 private:
  FlightService service_;
  bool started_ = false;
  std::string address_;
  std::once_flag shutdown_;
};

Result<std::unique_ptr<OtlpFlightServer>> OtlpFlightServer::Start(const Config& config, Pipeline* pipeline) {
  auto impl = std::make_unique<Impl>(config, pipeline);
  OTLP_RETURN_NOT_OK(impl->Start(config));
  return std::unique_ptr<OtlpFlightServer>(new OtlpFlightServer(std::move(impl)));
}

OtlpFlightServer::OtlpFlightServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpFlightServer::~OtlpFlightServer() = default;
std::string OtlpFlightServer::MetricsText() const { return impl_->MetricsText(); }
int OtlpFlightServer::port() const { return impl_->port(); }
const std::string& OtlpFlightServer::address() const { return impl_->address(); }
void OtlpFlightServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
