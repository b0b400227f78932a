#include "base/pem_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(PemFileTest, HoldsWhatItIsReadFor) {
  const std::string path = ::testing::TempDir() + "/some.pem";
  std::ofstream(path) << "-----BEGIN EC PRIVATE KEY-----\n";
  EXPECT_EQ(*ReadPemFile("tls.key_file", path, kPemKey), "-----BEGIN EC PRIVATE KEY-----\n");
  EXPECT_THAT(ReadPemFile("tls.ca_file", path, kPemCertificate).status().message(),
              AllOf(HasSubstr("tls.ca_file"), HasSubstr(path), HasSubstr("holds no certificate in PEM form")));
  std::ofstream(path) << "-----BEGIN CERTIFICATE-----\n";
  EXPECT_THAT(ReadPemFile("tls.key_file", path, kPemKey).status().message(), HasSubstr("holds no private key in PEM form"));
}

TEST(PemFileTest, OneThatCannotBeReadIsNamed) {
  for (const char* path : {"/no/such.pem", "/"}) {
    EXPECT_THAT(ReadPemFile("tls.ca_file", path, kPemCertificate).status().message(), AllOf(HasSubstr("tls.ca_file"), HasSubstr(path)));
  }
}

}  // namespace
}  // namespace otlp_arrow
