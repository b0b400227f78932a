#include "server/common/certificate_files.h"

#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include "base/pem_file.h"

namespace otlp_arrow {
namespace {

constexpr int kTimesUntilLogged = 2;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

// Reading from text leaves errors behind that other users of the thread must not find.
struct ErrorQueueCleared {
  ~ErrorQueueCleared() { ERR_clear_error(); }
};

BioPtr Open(const std::string& text) { return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free}; }

CertificatePtr NextCertificate(BIO* bio) { return {PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), &X509_free}; }

std::string Reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason ? std::string(" (") + reason + ")" : std::string();
}

// Nobody is there to be asked.
int NoPassword(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Status CheckKey(const std::string& section, const ServerTlsConfig& files, const Certificates& read, X509* certificate) {
  bool asked = false;
  const KeyPtr key(PEM_read_bio_PrivateKey(Open(read.key).get(), nullptr, &NoPassword, &asked), &EVP_PKEY_free);
  const std::string name = section + "key_file: '" + files.key_file + "'";
  if (asked) return Status::Config(name + " is encrypted; name a key without a passphrase, in a file that only the service may read");
  if (!key) return Status::Config(name + " holds no readable private key" + Reason() + "; name a PEM file with a key");
  if (X509_check_private_key(certificate, key.get()) == 1) return Status::Ok();
  return Status::Config(name + " is not the key of " + section + "cert_file '" + files.cert_file + "'; name the two that belong together");
}

// What OpenSSL would refuse to serve, such as keys that are too short for its security level.
Status CheckStrength(const std::string& section, const ServerTlsConfig& files, X509* certificate) {
  const ContextPtr context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (context && SSL_CTX_use_certificate(context.get(), certificate) == 1) return Status::Ok();
  return Status::Config(section + "cert_file: '" + files.cert_file + "' is not accepted" + Reason() +
                        "; have one issued with a stronger key or digest");
}

std::string WarningOfDates(const std::string& section, const ServerTlsConfig& files, X509* certificate) {
  const std::string name = section + "cert_file: '" + files.cert_file + "'";
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    return name + " has expired, so clients will refuse it; renew it: the file is read again when it changes";
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) return name + " is not valid yet, so clients will refuse it";
  return {};
}

Status CheckAuthorities(const std::string& section, const ServerTlsConfig& files, const std::string& text) {
  const BioPtr bio = Open(text);
  if (NextCertificate(bio.get())) return Status::Ok();
  return Status::Config(section + "client_ca_file: '" + files.client_ca_file + "' holds no readable certificate" + Reason() +
                        "; name a PEM file with the authorities that sign clients");
}

}  // namespace

std::string TlsSection(const Config& config, const ServerTlsConfig& own, const std::string& server) {
  return &config.TlsOf(own) == &own ? server + ".tls." : "tls.";
}

Result<Certificates> ReadCertificates(const std::string& section, const ServerTlsConfig& files) {
  const ErrorQueueCleared cleared;
  ERR_clear_error();
  Certificates read;
  OTLP_ASSIGN_OR_RETURN(read.chain, ReadPemFile(section + "cert_file", files.cert_file, kPemCertificate));
  OTLP_ASSIGN_OR_RETURN(read.key, ReadPemFile(section + "key_file", files.key_file, kPemKey));
  const BioPtr bio = Open(read.chain);
  const CertificatePtr certificate = NextCertificate(bio.get());
  if (!certificate) {
    return Status::Config(section + "cert_file: '" + files.cert_file + "' holds no readable certificate" + Reason() +
                          "; name a PEM file, the server's own certificate first");
  }
  OTLP_RETURN_NOT_OK(CheckKey(section, files, read, certificate.get()));
  OTLP_RETURN_NOT_OK(CheckStrength(section, files, certificate.get()));
  if (!files.client_ca_file.empty()) {
    OTLP_ASSIGN_OR_RETURN(read.client_ca, ReadPemFile(section + "client_ca_file", files.client_ca_file, kPemCertificate));
    OTLP_RETURN_NOT_OK(CheckAuthorities(section, files, read.client_ca));
  }
  read.warning = WarningOfDates(section, files, certificate.get());
  return read;
}

Result<std::shared_ptr<CertificateFiles>> CertificateFiles::Open(std::string section, ServerTlsConfig files) {
  std::shared_ptr<CertificateFiles> made(new CertificateFiles());
  OTLP_RETURN_NOT_OK(made->Use(std::move(section), std::move(files)));
  return made;
}

std::shared_ptr<const Certificates> CertificateFiles::current() const {
  std::lock_guard lock(mutex_);
  return current_;
}

Status CertificateFiles::Use(std::string section, ServerTlsConfig files) {
  OTLP_ASSIGN_OR_RETURN(Certificates read, ReadCertificates(section, files));
  std::lock_guard lock(mutex_);
  section_ = std::move(section);
  files_ = std::move(files);
  if (!read.warning.empty()) spdlog::warn("{}", read.warning);
  current_ = std::make_shared<const Certificates>(std::move(read));
  last_error_.clear();
  return Status::Ok();
}

bool CertificateFiles::Refresh() {
  std::lock_guard lock(mutex_);
  auto read = ReadCertificates(section_, files_);
  if (!read.ok()) {
    times_seen_ = read.status().message() == last_error_ ? times_seen_ + 1 : 1;
    last_error_ = read.status().message();
    if (times_seen_ == kTimesUntilLogged) spdlog::error("{}; the certificate read before stays in use", last_error_);
    return false;
  }
  last_error_.clear();
  if (read->SameFiles(*current_)) return false;
  if (!read->warning.empty()) spdlog::warn("{}", read->warning);
  current_ = std::make_shared<const Certificates>(*std::move(read));
  spdlog::info("{}cert_file: '{}' has changed and is in use for new connections", section_, files_.cert_file);
  return true;
}

}  // namespace otlp_arrow
