#include "senders/tls_client.h"

#include <memory>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/pem_file.h"

namespace otlp_arrow {
namespace {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// An empty path is no file and no error.
Result<std::string> ReadPem(std::string_view key, const std::string& path, std::string_view label) {
  if (path.empty()) return std::string();
  return ReadPemFile(key, path, label);
}

Status Unusable(const std::string& key, const std::string& path, const error_code& error) {
  return Status::Config(key + ": cannot use '" + path + "': " + error.message());
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string TimeText(const ASN1_TIME* time) {
  BIO* bio = BIO_new(BIO_s_mem());
  ASN1_TIME_print(bio, time);
  return TextOf(bio);
}

std::string NameText(const X509_NAME* name) {
  BIO* bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  return TextOf(bio);
}

std::string AddressText(const ASN1_OCTET_STRING* bytes) {
  char text[INET6_ADDRSTRLEN] = "";
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return "an address";
  return ::inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof(text)) != nullptr ? text : "an address";
}

// "a.example, 10.0.0.1": whom a certificate is for.
std::string NamesOf(const X509* certificate) {
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  std::string text;
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    std::string one;
    if (name->type == GEN_DNS) {
      one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)), static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      one = AddressText(name->d.iPAddress);
    }
    if (!one.empty()) text += (text.empty() ? "" : ", ") + one;
  }
  GENERAL_NAMES_free(names);
  return text.empty() ? NameText(X509_get_subject_name(certificate)) : text;
}

}  // namespace

Result<TlsFiles> ReadTlsFiles(const ClientTlsConfig& config) {
  if (config.cert_file.empty() != config.key_file.empty()) {
    return Status::Config(config.cert_file.empty() ? "tls.key_file is set without tls.cert_file; a client's certificate needs both"
                                                   : "tls.cert_file is set without tls.key_file; a client's certificate needs both");
  }
  TlsFiles files;
  OTLP_ASSIGN_OR_RETURN(files.authorities, ReadPem("tls.ca_file", config.ca_file, kPemCertificate));
  OTLP_ASSIGN_OR_RETURN(files.certificates, ReadPem("tls.cert_file", config.cert_file, kPemCertificate));
  OTLP_ASSIGN_OR_RETURN(files.key, ReadPem("tls.key_file", config.key_file, kPemKey));
  return files;
}

Result<ssl::context> MakeTlsContext(const ClientTlsConfig& config, const TlsFiles& files) {
  ssl::context context(ssl::context::tls_client);
  error_code error;
  context.set_verify_mode(ssl::verify_peer, error);
  if (files.authorities.empty()) {
    context.set_default_verify_paths(error);
    if (error) return Status::Config("cannot use the system's certificates: " + error.message() + "; name a file in tls.ca_file");
  } else if (context.add_certificate_authority(boost::asio::buffer(files.authorities), error); error) {
    return Unusable("tls.ca_file", config.ca_file, error);
  }
  if (files.certificates.empty()) return context;
  if (context.use_certificate_chain(boost::asio::buffer(files.certificates), error); error) return Unusable("tls.cert_file", config.cert_file, error);
  // Asked for a pass phrase OpenSSL would read the terminal.
  context.set_password_callback([](size_t, ssl::context::password_purpose) { return std::string(); }, error);
  if (context.use_private_key(boost::asio::buffer(files.key), ssl::context::pem, error); error) {
    if (ERR_GET_REASON(static_cast<unsigned long>(error.value())) == X509_R_KEY_VALUES_MISMATCH) {
      return Status::Config("tls.key_file: the key in '" + config.key_file + "' is not that of the certificate in '" + config.cert_file + "'");
    }
    return Unusable("tls.key_file", config.key_file, error);
  }
  return context;
}

void ExpectName(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str()) == 1) return;
  ERR_clear_error();
  X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size());
  SSL_set_tlsext_host_name(ssl, name.c_str());
}

std::string CertificateProblem(X509_STORE_CTX* context, const std::string& name) {
  const int error = X509_STORE_CTX_get_error(context);
  const X509* certificate = X509_STORE_CTX_get_current_cert(context);
  if (certificate == nullptr) return X509_verify_cert_error_string(error);
  const std::string whose = X509_STORE_CTX_get_error_depth(context) == 0 ? "the server's certificate"
                                                                         : "the certificate of the authority '" + NameText(X509_get_subject_name(certificate)) + "'";
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return whose + " has expired on " + TimeText(X509_get0_notAfter(certificate));
    case X509_V_ERR_CERT_NOT_YET_VALID: return whose + " is not valid before " + TimeText(X509_get0_notBefore(certificate));
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return whose + " has the wrong name: it is for " + NamesOf(certificate) + ", not for " + name + "; where that is right, name it in tls.server_name";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return whose + " comes from an unknown authority, '" + NameText(X509_get_issuer_name(certificate)) + "'; where it can be trusted, name its PEM file in tls.ca_file";
    default: return whose + ": " + X509_verify_cert_error_string(error);
  }
}

std::string TlsProblem(const error_code& error) {
  if (error.category() != boost::asio::error::get_ssl_category()) return {};
  switch (ERR_GET_REASON(static_cast<unsigned long>(error.value()))) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "the server wants a certificate of the client; name it in tls.cert_file and tls.key_file";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "the server does not know the authority of the certificate in tls.cert_file";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "for the server the certificate in tls.cert_file has expired";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      return "the server does not accept the certificate in tls.cert_file (" + error.message() + ")";
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "the server refused the handshake; it may want a certificate of the client (tls.cert_file, tls.key_file)";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return "what answers there speaks no TLS; is http instead of https meant?";
    default: return error.message();
  }
}

}  // namespace otlp_arrow
