// A client of TLS that blocks, and its test certificates in files.
#pragma once

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <openssl/ssl.h>

#include "raw_http_client.h"
#include "senders/test_certificate.h"
#include "temp_dir.h"

namespace otlp_arrow::testing {

// A certificate and its key in a folder of their own, which can be replaced.
class CertificateFilesOnDisk {
 public:
  explicit CertificateFilesOnDisk(const TestCertificate& certificate) { Write(certificate); }
  void Write(const TestCertificate& certificate) const {
    WriteFile(certificate_path(), certificate.certificate);
    WriteFile(key_path(), certificate.key);
  }
  void WriteFile(const std::string& path, const std::string& text) const { std::ofstream(path, std::ios::trunc) << text; }
  std::string certificate_path() const { return directory_.path() + "/cert.pem"; }
  std::string key_path() const { return directory_.path() + "/key.pem"; }

 private:
  TempDir directory_;
};

class TlsTestClient {
 public:
  struct Options {
    const TestCertificate* identity = nullptr;  // null: it shows none
    std::vector<std::string> protocols{};       // ALPN
    int max_version = 0;
  };
  explicit TlsTestClient(int port) : TlsTestClient(port, Options{}) {}
  TlsTestClient(int port, const Options& options) : context_(boost::asio::ssl::context::tls_client), stream_(io_, context_) {
    namespace asio = boost::asio;
    SSL* ssl = stream_.native_handle();
    if (options.identity) {
      context_.use_certificate_chain(asio::buffer(options.identity->certificate));
      context_.use_private_key(asio::buffer(options.identity->key), asio::ssl::context::pem);
      SSL_use_certificate(ssl, SSL_CTX_get0_certificate(context_.native_handle()));
      SSL_use_PrivateKey(ssl, SSL_CTX_get0_privatekey(context_.native_handle()));
    }
    std::string wanted;
    for (const auto& protocol : options.protocols) wanted += static_cast<char>(protocol.size()) + protocol;
    SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(wanted.data()), static_cast<unsigned>(wanted.size()));
    if (options.max_version != 0) SSL_set_max_proto_version(ssl, options.max_version);
    stream_.lowest_layer().connect({asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)}, error_);
    if (!error_) stream_.handshake(asio::ssl::stream_base::client, error_);
  }

  bool connected() const { return !error_; }
  std::string error() const { return error_.message(); }
  SSL* ssl() { return stream_.native_handle(); }
  bool Send(std::string_view bytes) {
    if (!error_) boost::asio::write(stream_, boost::asio::buffer(bytes.data(), bytes.size()), error_);
    return !error_;
  }
  std::optional<RawHttpResponse> Read() {
    namespace http = boost::beast::http;
    http::response<http::string_body> response;
    if (!error_) http::read(stream_, buffer_, response, error_);
    if (error_) return std::nullopt;
    return RawHttpResponse{static_cast<int>(response.result_int()), std::move(response.body()), std::move(response.base())};
  }
  // Reads to the end; true where the server said that it is one.
  bool EndsCleanly() {
    char byte = 0;
    boost::asio::read(stream_, boost::asio::buffer(&byte, 1), error_);
    return error_ == boost::asio::error::eof;
  }
  // The serial of what the server shows: its certificate in DER.
  std::string ServerCertificate() {
    X509* certificate = SSL_get1_peer_certificate(ssl());
    unsigned char* der = nullptr;
    const int size = certificate ? i2d_X509(certificate, &der) : 0;
    std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(std::max(size, 0)));
    OPENSSL_free(der);
    X509_free(certificate);
    return text;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ssl::context context_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_;
  boost::system::error_code error_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace otlp_arrow::testing
