// Certificates for tests, made with the openssl program.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "otlp_arrow/config.h"
#include "temp_dir.h"

namespace otlp_arrow::testing {

// Signs certificates for localhost, in a directory of its own.
class CertificateAuthority {
 public:
  CertificateAuthority() { Run("openssl req -x509" + NewKey(directory_ / "ca.key") + "-days 2 -subj /CN=authority -out " + ca_file()); }

  std::string ca_file() const { return directory_ / "ca.pem"; }

  // name.pem and name.key; negative days: it has expired.
  ServerTlsConfig Issue(const std::string& name, int days = 2, const std::string& alternative_name = "DNS:localhost,IP:127.0.0.1") {
    const ServerTlsConfig files{directory_ / (name + ".pem"), directory_ / (name + ".key"), ""};
    const std::string extensions = directory_ / (name + ".ext");
    std::ofstream(extensions) << "subjectAltName=" << alternative_name << "\n";
    Run("openssl req -new" + NewKey(files.key_file) + "-subj /CN=" + name + " | openssl x509 -req -CA " + ca_file() + " -CAkey " + (directory_ / "ca.key") +
        " -CAcreateserial -days " + std::to_string(days) + " -extfile " + extensions + " -out " + files.cert_file);
    return files;
  }

 private:
  static std::string NewKey(const std::string& file) { return " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout " + file + " "; }
  static void Run(const std::string& command) { EXPECT_EQ(std::system(("(" + command + ") 2>/dev/null").c_str()), 0) << command; }

  TempDir directory_;
};

inline std::string TextOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void CopyFile(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
}

}  // namespace otlp_arrow::testing
