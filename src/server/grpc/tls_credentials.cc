#include "server/grpc/tls_credentials.h"

#include <utility>

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

namespace otlp_arrow {
namespace {

// gRPC's C++ credentials for TLS either never change or watch files by themselves, without a word on what is wrong with them. Its C
// core asks for certificates at each handshake; this hands them over.
class TlsCredentials final : public grpc::ServerCredentials {
 public:
  explicit TlsCredentials(std::shared_ptr<CertificateFiles> files) : files_(std::move(files)) {
    const bool asks = !files_->current()->client_ca.empty();
    auto* options = grpc_ssl_server_credentials_create_options_using_config_fetcher(
        asks ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, &Fetch, this);
    credentials_ = grpc_ssl_server_credentials_create_with_options(options);
  }
  ~TlsCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}  // CallGate judges, with or without TLS

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // gRPC calls it one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    auto* credentials = static_cast<TlsCredentials*>(self);
    auto now = credentials->files_->current();
    if (now == credentials->handed_over_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{now->key.c_str(), now->chain.c_str()};
    // gRPC insists on authorities even where it asks no client for a certificate and so has no use for them.
    *config = grpc_ssl_server_certificate_config_create((now->client_ca.empty() ? now->chain : now->client_ca).c_str(), &pair, 1);
    credentials->handed_over_ = std::move(now);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const std::shared_ptr<CertificateFiles> files_;
  std::shared_ptr<const Certificates> handed_over_;
  grpc_server_credentials* credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeTlsCredentials(std::shared_ptr<CertificateFiles> files) {
  return std::make_shared<TlsCredentials>(std::move(files));
}

}  // namespace otlp_arrow
