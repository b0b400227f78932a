// Certificates made on the spot, for tests of TLS.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace otlp_arrow::testing {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

struct TestCertificateOptions {
  std::string names = "IP:127.0.0.1,DNS:localhost";
  long from_secs = -3600;  // seconds from now
  long until_secs = 3600;
};

inline std::string TakePem(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

// Self-signed, and an authority.
inline TestCertificate MakeTestCertificate(const TestCertificateOptions& options = {}) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* x509 = X509_new();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), options.from_secs);
  X509_gmtime_adj(X509_getm_notAfter(x509), options.until_secs);
  X509_set_pubkey(x509, key);
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  const std::pair<int, const char*> extensions[] = {{NID_subject_alt_name, options.names.c_str()},
                                                    {NID_basic_constraints, "critical,CA:TRUE"}};
  for (const auto& [nid, value] : extensions) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(x509, key, EVP_sha256());

  TestCertificate result;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, x509);
  result.certificate = TakePem(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  result.key = TakePem(bio);
  X509_free(x509);
  EVP_PKEY_free(key);
  return result;
}

}  // namespace otlp_arrow::testing
