// TLS as a client: the files of a destination, whom to expect, and in words why a handshake failed.
#pragma once

#include <string>

#include <boost/asio/ssl.hpp>

#include "otlp_arrow/forwarding.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// PEM; empty where the configuration names none.
struct TlsFiles {
  std::string authorities;
  std::string certificates;
  std::string key;
};

// Errors (config) name the key of the configuration and the file.
Result<TlsFiles> ReadTlsFiles(const ClientTlsConfig& config);

// Trusts what the files say, and shows their certificate. Errors (config): what OpenSSL cannot use.
Result<boost::asio::ssl::context> MakeTlsContext(const ClientTlsConfig& config, const TlsFiles& files);

// Before a handshake: the peer's certificate must bear `name`, a host name or address, which it is told it was called by.
void ExpectName(SSL* ssl, const std::string& name);

// For a verify callback that is told of a problem: what it is and the way out.
std::string CertificateProblem(X509_STORE_CTX* context, const std::string& name);

// What the peer, or OpenSSL, has against the handshake or what follows it. Empty for errors that are not TLS's.
std::string TlsProblem(const boost::system::error_code& error);

}  // namespace otlp_arrow
