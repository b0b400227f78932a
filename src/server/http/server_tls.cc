#include "server/http/server_tls.h"

#include <string>
#include <string_view>

#include <boost/asio/buffer.hpp>
#include <openssl/ssl.h>

namespace otlp_arrow {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using boost::system::error_code;

// Of TLS 1.2; those of 1.3 are all good.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kHttp11 = "http/1.1";
constexpr unsigned char kSessionContext[] = "otlp-arrow";

// Picks HTTP/1.1 of what the client speaks. One that speaks others alone is told so by an alert (RFC 7301, 3.2).
int ChooseProtocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered, unsigned int offered_size, void*) {
  for (unsigned int at = 0; at < offered_size; at += 1u + offered[at]) {
    const std::string_view protocol(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
    if (at + 1 + protocol.size() > offered_size) break;
    if (protocol != kHttp11) continue;
    *chosen = offered + at + 1;
    *size = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

void Harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_alpn_select_cb(context, &ChooseProtocol, nullptr);
}

// Clients must show a certificate that one of the authorities signed.
error_code DemandClientCertificates(const std::string& authorities, ssl::context* context) {
  error_code error;
  context->add_certificate_authority(asio::buffer(authorities), error);
  if (error) return error;
  SSL_CTX* native = context->native_handle();
  X509_STORE* store = SSL_CTX_get_cert_store(native);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);  // an intermediate authority may be one of them
  const STACK_OF(X509_OBJECT)* trusted = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(trusted); ++i) {
    X509* authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
    if (authority) SSL_CTX_add_client_CA(native, authority);
  }
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);  // a resumed session would show no certificate
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, error);
  return error;
}

}  // namespace

Result<std::shared_ptr<ssl::context>> MakeTlsContext(const std::string& section, const Certificates& certificates) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  Harden(context->native_handle());
  error_code error;
  context->set_password_callback([](size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context->use_certificate_chain(asio::buffer(certificates.chain), error);
  if (error) return Status::Config(section + "cert_file: cannot be used: " + error.message());
  context->use_private_key(asio::buffer(certificates.key), ssl::context::pem, error);
  if (error) return Status::Config(section + "key_file: cannot be used: " + error.message());
  if (certificates.client_ca.empty()) return context;
  error = DemandClientCertificates(certificates.client_ca, context.get());
  if (error) return Status::Config(section + "client_ca_file: cannot be used: " + error.message());
  return context;
}

}  // namespace otlp_arrow
