#include "senders/tls_probe.h"

#include <array>

#include "senders/connection.h"

namespace otlp_arrow {
namespace {

// Called where the server asks for a certificate.
int OnAsked(SSL*, void* is_asked) {
  *static_cast<bool*>(is_asked) = true;
  return 1;
}

}  // namespace

std::optional<SendOutcome> ProbeTls(const SenderOptions& options, const TlsFiles& files, std::chrono::milliseconds timeout) {
  auto tls = MakeTlsContext(options.tls, files);
  if (!tls.ok()) return Failed(SendOutcome::Kind::kUnusable, tls.status().message());
  constexpr unsigned char kAlpn[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(tls->native_handle(), kAlpn, sizeof(kAlpn));
  bool is_asked = false;
  Connection<TlsStream> connection(options.endpoint, options.tls.server_name.empty() ? options.endpoint.host : options.tls.server_name, *std::move(tls));
  connection.OnStream([&](SSL* ssl) { SSL_set_cert_cb(ssl, OnAsked, &is_asked); });
  std::optional<SendOutcome> failure = connection.Open(std::chrono::steady_clock::now() + timeout);
  if (!failure) {
    // What a server of TLS 1.3 thinks of the client's certificate comes after the handshake, before its first words.
    std::array<char, 1> byte{};
    const auto error = connection.Await([&](auto done) { connection.stream().async_read_some(boost::asio::buffer(byte), done); });
    if (error) failure = connection.Broken(error);
  }
  // Not every server says what it has against a certificate.
  if (failure && failure->kind == SendOutcome::Kind::kRetryable && is_asked) {
    return Failed(SendOutcome::Kind::kUnusable, "no TLS with " + options.endpoint.Authority() +
                                                    (files.certificates.empty() ? ": the server wants a certificate of the client; name it in tls.cert_file and tls.key_file"
                                                                                : ": the server hung up when it had seen the certificate in tls.cert_file; it may not accept it"));
  }
  return failure && failure->kind == SendOutcome::Kind::kUnusable ? failure : std::nullopt;
}

}  // namespace otlp_arrow
