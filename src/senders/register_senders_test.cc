#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "senders/sender_factory.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

ForwardingConfig To(const std::string& endpoint) {
  ForwardingConfig config;
  config.endpoint = endpoint;
  return config;
}

TEST(SenderOptionsTest, EveryKeyArrives) {
  ForwardingConfig config = To("https://backend.example:4317");
  config.compression = "gzip";
  config.headers = {{"x-tenant", "shop"}};
  config.bearer_token = "token";
  config.api_key = "key";
  config.api_key_header = "x-key";
  config.tls = {.ca_file = "a", .cert_file = "b", .key_file = "c", .server_name = "d"};
  auto options = SenderOptionsOf(config);
  ASSERT_TRUE(options.ok()) << options.status().ToString();
  EXPECT_EQ(options->endpoint.ToString(), "https://backend.example:4317 (grpc)");
  EXPECT_EQ(options->compression, RequestCompression::kGzip);
  EXPECT_THAT(options->headers, ElementsAre(Pair("x-tenant", "shop"), Pair("authorization", "Bearer token"), Pair("x-key", "key")));
  EXPECT_EQ(options->tls.ca_file + options->tls.cert_file + options->tls.key_file + options->tls.server_name, "abcd");
}

TEST(SenderOptionsTest, BasicCredentials) {
  ForwardingConfig config = To("http://h:4318");
  config.username = "Aladdin";
  config.password = "open sesame";  // RFC 7617, section 2
  EXPECT_THAT(SenderOptionsOf(config)->headers, ElementsAre(Pair("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
}

TEST(SenderOptionsTest, SecretsAreLookedUpEachTime) {
  const std::string path = ::testing::TempDir() + "register_senders_test_token";
  ForwardingConfig config = To("http://h:4318");
  config.bearer_token = "${file:" + path + "}";
  config.headers = {{"x-key", "${env:OTLP_ARROW_TEST_KEY}"}};
  ::setenv("OTLP_ARROW_TEST_KEY", "k", 1);
  for (const char* token : {"old", "new"}) {
    std::ofstream(path) << token << "\n";
    EXPECT_THAT(SenderOptionsOf(config)->headers, ElementsAre(Pair("x-key", "k"), Pair("authorization", std::string("Bearer ") + token)));
  }
  ::unsetenv("OTLP_ARROW_TEST_KEY");
  const Status status = SenderOptionsOf(config).status();
  EXPECT_EQ(status.code(), StatusCode::kConfig);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("forwarding.headers.x-key"), HasSubstr("OTLP_ARROW_TEST_KEY")));
}

TEST(SenderFactoryTest, MakesASenderOfEachProtocol) {
  RegisterSenders();
  RegisterSenders();
  const auto factory = RegisteredSenderFactory();
  ASSERT_NE(factory, nullptr);
  for (const char* protocol : {"grpc", "http", "flight"}) {
    ForwardingConfig config = To("http://h:1");
    config.protocol = protocol;
    EXPECT_TRUE(factory->Make(config).ok()) << protocol;
  }
  ForwardingConfig wrong = To("http://h:4318");
  wrong.headers = {{"x-key", "secret\n"}};
  EXPECT_THAT(factory->Make(wrong).status().message(), AllOf(HasSubstr("x-key"), Not(HasSubstr("secret"))));
  wrong = To("http://h:4318");
  wrong.compression = "lzma";
  EXPECT_THAT(factory->Make(wrong).status().message(), HasSubstr("'lzma' is unknown"));
}

}  // namespace
}  // namespace otlp_arrow
