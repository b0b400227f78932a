#include "server/common/certificate_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class CertificateFilesTest : public ::testing::Test {
 protected:
  // A self-signed pair: name.pem and name.key.
  ServerTlsConfig Make(const std::string& name, int days = 2) {
    const ServerTlsConfig files{Path(name + ".pem"), Path(name + ".key"), ""};
    const std::string command = "(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=" + name + " -keyout " + files.key_file +
                                " | openssl x509 -req -signkey " + files.key_file + " -days " + std::to_string(days) + " -out " + files.cert_file + ") 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return files;
  }
  std::string Path(const std::string& name) const { return directory_ / name; }
  static void Write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  static void Copy(const std::string& from, const std::string& to) { std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing); }
  static std::string ErrorOf(const ServerTlsConfig& files) { return ReadCertificates("grpc.tls.", files).status().message(); }

  testing::TempDir directory_;
};

TEST_F(CertificateFilesTest, ReadsPairs) {
  const auto files = Make("one");
  const auto read = ReadCertificates("tls.", files);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_THAT(read->chain, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(read->key, HasSubstr("PRIVATE KEY"));
  EXPECT_EQ(read->client_ca, "");
  EXPECT_EQ(read->warning, "");
}

TEST_F(CertificateFilesTest, NamesTheKeyAndTheFileOfWhatIsWrong) {
  const auto one = Make("one"), two = Make("two");
  EXPECT_THAT(ErrorOf({one.cert_file, two.key_file, ""}), AllOf(HasSubstr("grpc.tls.key_file"), HasSubstr(two.key_file), HasSubstr("is not the key of")));
  EXPECT_THAT(ErrorOf({Path("absent.pem"), one.key_file, ""}), AllOf(HasSubstr("grpc.tls.cert_file"), HasSubstr("absent.pem")));
  EXPECT_THAT(ErrorOf({one.cert_file, one.key_file, Path("absent.pem")}), HasSubstr("grpc.tls.client_ca_file"));
  EXPECT_THAT(ErrorOf({one.key_file, one.key_file, ""}), HasSubstr("holds no certificate"));
  EXPECT_THAT(ErrorOf({one.cert_file, one.key_file, one.key_file}), HasSubstr("grpc.tls.client_ca_file"));
  Write(Path("garbage.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(ErrorOf({Path("garbage.pem"), one.key_file, ""}), HasSubstr("garbage.pem"));
  EXPECT_THAT(ErrorOf({one.cert_file, one.key_file, Path("garbage.pem")}), HasSubstr("garbage.pem"));
  Write(Path("garbage.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  EXPECT_THAT(ErrorOf({one.cert_file, Path("garbage.key"), ""}), AllOf(HasSubstr("garbage.key"), Not(HasSubstr("c2VjcmV0"))));
}

TEST_F(CertificateFilesTest, EncryptedKeysAreToldOf) {
  const auto one = Make("one");
  const std::string command = "openssl ec -in " + one.key_file + " -aes128 -passout pass:hidden -out " + Path("locked.key") + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_THAT(ErrorOf({one.cert_file, Path("locked.key"), ""}), AllOf(HasSubstr("grpc.tls.key_file"), HasSubstr("encrypted")));
}

TEST_F(CertificateFilesTest, WarnsOfDates) {
  const auto old = Make("old", -1);
  const auto read = ReadCertificates("tls.", old);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_THAT(read->warning, AllOf(HasSubstr("tls.cert_file"), HasSubstr("expired")));
}

TEST_F(CertificateFilesTest, RefreshTakesGoodPairsAlone) {
  const auto served = Make("served"), next = Make("next");
  const auto opened = CertificateFiles::Open("tls.", served);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  CertificateFiles& files = **opened;
  const std::string first = files.current()->chain;
  EXPECT_FALSE(files.Refresh());
  Copy(next.cert_file, served.cert_file);  // its key is still the old one
  EXPECT_FALSE(files.Refresh());
  EXPECT_EQ(files.current()->chain, first);
  Copy(next.key_file, served.key_file);
  EXPECT_TRUE(files.Refresh());
  EXPECT_NE(files.current()->chain, first);
  EXPECT_FALSE(files.Refresh());
  std::filesystem::remove(served.key_file);
  EXPECT_FALSE(files.Refresh());
  EXPECT_NE(files.current()->key, "");
}

TEST_F(CertificateFilesTest, OtherFilesAreTakenWhenTheyAreGood) {
  const auto one = Make("one"), two = Make("two");
  const auto files = *CertificateFiles::Open("tls.", one);
  const std::string first = files->current()->chain;
  EXPECT_FALSE(files->Use("tls.", {two.cert_file, one.key_file, ""}).ok());
  EXPECT_EQ(files->current()->chain, first);
  EXPECT_FALSE(files->Refresh());  // it still looks at those that it had
  ASSERT_TRUE(files->Use("grpc.tls.", two).ok());
  EXPECT_NE(files->current()->chain, first);
}

TEST(TlsSection, IsTheOneThatNamesACertificate) {
  Config config;
  EXPECT_EQ(TlsSection(config, config.grpc.tls, "grpc"), "tls.");
  config.grpc.tls.cert_file = "x";
  EXPECT_EQ(TlsSection(config, config.grpc.tls, "grpc"), "grpc.tls.");
  EXPECT_EQ(TlsSection(config, config.http.tls, "http"), "tls.");
}

}  // namespace
}  // namespace otlp_arrow
