#include "server/flight/otlp_flight_server.h"

#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>

#include <arrow/flight/server.h>
#include <arrow/flight/types.h>

#include "base/host_port.h"
#include "server/common/listen_error.h"
#include "server/common/probe_address.h"
#include "server/flight/bearer_auth.h"
#include "server/flight/flight_service.h"

namespace otlp_arrow {
namespace {

namespace flight = arrow::flight;

constexpr std::string_view kKey = "flight.address";

Result<std::string> ReadPem(const std::string& key, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return Status::Config(key + ": cannot read '" + path + "'; name a readable PEM file");
  std::string pem = std::move(text).str();
  if (pem.find("-----BEGIN ") == pem.npos) return Status::Config(key + ": '" + path + "' is no PEM file (it has no -----BEGIN line)");
  return pem;
}

Status SetTls(const ServerTlsConfig& tls, flight::FlightServerOptions* options) {
  if (tls.cert_file.empty()) return Status::Ok();
  flight::CertKeyPair pair;
  OTLP_ASSIGN_OR_RETURN(pair.pem_cert, ReadPem("flight.tls.cert_file", tls.cert_file));
  OTLP_ASSIGN_OR_RETURN(pair.pem_key, ReadPem("flight.tls.key_file", tls.key_file));
  options->tls_certificates = {std::move(pair)};
  if (tls.client_ca_file.empty()) return Status::Ok();
  OTLP_ASSIGN_OR_RETURN(options->root_certificates, ReadPem("flight.tls.client_ca_file", tls.client_ca_file));
  options->verify_client = true;
  return Status::Ok();
}

}  // namespace

class OtlpFlightServer::Impl {
 public:
  Impl(const Config& config, Pipeline* pipeline) : service_(config, pipeline) {}
  ~Impl() { Shutdown(std::chrono::milliseconds{0}); }

  Status Start(const FlightConfig& config) {
    auto wanted = ParseHostPort(config.address);
    if (!wanted.ok()) return ListenError(kKey, config.address, wanted.status().message());
    OTLP_RETURN_NOT_OK(ProbeAddress(kKey, *wanted));
    const bool has_tls = !config.tls.cert_file.empty();
    const auto location = flight::Location::Parse((has_tls ? "grpc+tls://" : "grpc+tcp://") + wanted->ToString());
    if (!location.ok()) return ListenError(kKey, config.address, location.status().message());

    flight::FlightServerOptions options(*location);
    OTLP_RETURN_NOT_OK(SetTls(config.tls, &options));
    if (!config.bearer_token.empty()) {
      OTLP_ASSIGN_OR_RETURN(auto auth, BearerAuth::Make(config.bearer_token));
      options.middleware.emplace_back("bearer", std::move(auth));
    }
    const arrow::Status started = service_.Init(options);
    if (!started.ok()) {
      return ListenError(kKey, config.address,
                         "gRPC refused it (" + started.message() + "); choose another address" +
                             (has_tls ? ", or check that flight.tls.key_file is the key of flight.tls.cert_file" : ""));
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
  OTLP_RETURN_NOT_OK(impl->Start(config.flight));
  return std::unique_ptr<OtlpFlightServer>(new OtlpFlightServer(std::move(impl)));
}

OtlpFlightServer::OtlpFlightServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
OtlpFlightServer::~OtlpFlightServer() = default;
std::string OtlpFlightServer::MetricsText() const { return impl_->MetricsText(); }
int OtlpFlightServer::port() const { return impl_->port(); }
const std::string& OtlpFlightServer::address() const { return impl_->address(); }
void OtlpFlightServer::Shutdown(std::chrono::milliseconds deadline) { impl_->Shutdown(deadline); }

}  // namespace otlp_arrow
