// A server's certificate, its key and the authorities of its clients: files that may be renewed while it runs.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Texts in PEM form, checked: the key is the certificate's.
struct Certificates {
  std::string chain;
  std::string key;
  std::string client_ca;  // empty: clients need no certificate
  std::string warning;    // about dates; empty: none

  bool SameFiles(const Certificates& other) const { return chain == other.chain && key == other.key && client_ca == other.client_ca; }
};

// "grpc.tls." where the server has a section of its own that names a certificate, else "tls.".
std::string TlsSection(const Config& config, const ServerTlsConfig& own, const std::string& server);

// Errors: kConfig, naming the key of the section, the file and what is wrong; nothing of the key's text.
Result<Certificates> ReadCertificates(const std::string& section, const ServerTlsConfig& files);

// Thread-safe.
class CertificateFiles {
 public:
  static Result<std::shared_ptr<CertificateFiles>> Open(std::string section, ServerTlsConfig files);

  std::shared_ptr<const Certificates> current() const;
  // Reads the files again. True: they are others now, and good. Broken ones leave the last ones in place and are logged once; a pair
  // that does not match only when it is found so twice, as the two files are seldom renamed at once.
  bool Refresh();
  // Takes other files, for example those of a new configuration. Errors: as ReadCertificates; then nothing changes.
  Status Use(std::string section, ServerTlsConfig files);

 private:
  CertificateFiles() = default;

  mutable std::mutex mutex_;
  std::string section_;
  ServerTlsConfig files_;
  std::shared_ptr<const Certificates> current_;
  std::string last_error_;
  int times_seen_ = 0;
};

}  // namespace otlp_arrow
