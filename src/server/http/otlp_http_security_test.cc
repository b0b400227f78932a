// Who may call, over what, and from which web pages.
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_server_fixture.h"
#include "tls_test_client.h"

namespace otlp_arrow {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::CertificateFilesOnDisk;
using testing::MakeTestCertificate;
using testing::TestCertificate;
using testing::TlsTestClient;

class OtlpHttpSecurityTest : public HttpServerFixture {
 protected:
  void UseTls(const CertificateFilesOnDisk& files) {
    config_.tls.cert_file = files.certificate_path();
    config_.tls.key_file = files.key_path();
  }
  int StatusOf(TlsTestClient* client, const std::string& request) {
    client->Send(request);
    return client->Read().value_or(RawHttpResponse{}).status;
  }
};

// --- Credentials ---

TEST_F(OtlpHttpSecurityTest, TokensOpenExportsAndMetrics) {
  config_.auth.bearer_tokens = {"first-token", "second-token"};
  Start();
  const auto refusal = Exchange(Post("/v1/traces", "x"));
  EXPECT_EQ(refusal.status, 401);
  EXPECT_THAT(refusal.Header("WWW-Authenticate"), HasSubstr("Bearer"));
  EXPECT_EQ(refusal.Header("Content-Type"), "application/x-protobuf");
  EXPECT_THAT(refusal.body, Not(HasSubstr("token-")));
  EXPECT_EQ(Exchange(Post("/v1/traces", "x", "Authorization: Bearer wrong\r\n")).status, 401);
  EXPECT_EQ(Exchange(Post("/v1/traces", "x", "Authorization: Basic first-token\r\n")).status, 401);
  EXPECT_EQ(Exchange(Post("/v1/traces", "x", "Authorization: Bearer first-token\r\n")).status, 200);
  EXPECT_EQ(Exchange(Post("/v1/traces", "x", "authorization: bearer second-token\r\n")).status, 200);
  EXPECT_EQ(pipeline_->requests().size(), 2u);
  EXPECT_EQ(pipeline_->refusals().size(), 3u);
  for (const auto& counted : pipeline_->refusals()) EXPECT_EQ(counted.reason, "unauthorized");

  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_EQ(Get("/metrics").status, 401);
  EXPECT_EQ(Exchange("GET /metrics HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer first-token\r\n\r\n").status, 200);
}

TEST_F(OtlpHttpSecurityTest, RefusesBeforeTheBodyArrives) {
  config_.auth.headers = {{"X-Api-Key", "sesame"}};
  config_.http.metrics_without_auth = true;
  Start();
  auto client = Connect();
  client->Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n");
  const auto refusal = client->Read();
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 401);
  EXPECT_EQ(refusal->Header("Content-Type"), "application/json");
  EXPECT_THAT(refusal->body, HasSubstr("\"code\":16"));
  EXPECT_EQ(refusal->Header("Connection"), "close");
  EXPECT_EQ(pipeline_->largest_allocation(), 0u);
  EXPECT_EQ(Exchange(Post("/v1/logs", "x", "x-api-key: sesame\r\n")).status, 200);
  EXPECT_EQ(Get("/metrics").status, 200);
}

TEST_F(OtlpHttpSecurityTest, ReloadTakesOtherTokensOrLeavesAllAsItWas) {
  config_.auth.bearer_tokens = {"old"};
  Start();
  auto client = Connect();
  client->Send(Post("/v1/logs", "x", "Authorization: Bearer old\r\n"));
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  Config other = config_;
  other.auth.bearer_tokens = {"${env:OTLP_ARROW_NOT_SET_ANYWHERE}"};
  EXPECT_FALSE(server_->Reload(other).ok());
  EXPECT_EQ(Exchange(Post("/v1/logs", "x", "Authorization: Bearer old\r\n")).status, 200);
  other.auth.bearer_tokens = {"new"};
  other.http.max_body_bytes = 1024;
  ASSERT_TRUE(server_->Reload(other).ok());
  EXPECT_EQ(Exchange(Post("/v1/logs", "x", "Authorization: Bearer old\r\n")).status, 401);
  EXPECT_EQ(Exchange(Post("/v1/logs", "x", "Authorization: Bearer new\r\n")).status, 200);
  EXPECT_EQ(Exchange(Post("/v1/logs", std::string(2000, 'x'), "Authorization: Bearer new\r\n")).status, 413);
  client->Send(Post("/v1/logs", "x", "Authorization: Bearer old\r\n"));  // a connection is no credential
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 401);
}

// --- TLS ---

TEST_F(OtlpHttpSecurityTest, SpeaksTls) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  Start();
  TlsTestClient client(server_->port(), {.protocols = {"h2", "http/1.1"}});
  ASSERT_TRUE(client.connected()) << client.error();
  EXPECT_EQ(SSL_version(client.ssl()), TLS1_3_VERSION);
  const unsigned char* chosen = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(client.ssl(), &chosen, &size);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(chosen), size), "http/1.1");
  const std::string large(config_.http.max_body_bytes, 'x');
  EXPECT_EQ(StatusOf(&client, Post("/v1/traces", "one")), 200);
  EXPECT_EQ(StatusOf(&client, Post("/v1/traces", large)), 200);
  EXPECT_EQ(StatusOf(&client, Chunked("/v1/traces", {"three", large.substr(100)})), 200);
  EXPECT_EQ(StatusOf(&client, Post("/v1/traces", "x", "Connection: close\r\n")), 200);
  EXPECT_TRUE(client.EndsCleanly());
  EXPECT_EQ(pipeline_->requests().at(1).bytes, large);
}

TEST_F(OtlpHttpSecurityTest, RefusesOldAndOtherProtocols) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  Start();
  EXPECT_TRUE(TlsTestClient(server_->port(), {.max_version = TLS1_2_VERSION}).connected());
  EXPECT_FALSE(TlsTestClient(server_->port(), {.max_version = TLS1_1_VERSION}).connected());
  EXPECT_FALSE(TlsTestClient(server_->port(), {.protocols = {"h2"}}).connected());
  EXPECT_TRUE(WaitForRefusal("tls_handshake"));
}

TEST_F(OtlpHttpSecurityTest, PlainTextOnTheTlsPortIsToldSo) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  Start();
  const auto response = Get("/healthz");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("https://"));
  EXPECT_TRUE(WaitForRefusal("no_tls"));
}

TEST_F(OtlpHttpSecurityTest, TlsOnThePlainPortIsToldSo) {
  Start();
  auto client = Connect();
  client->Send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
  const auto response = client->Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 400);
  EXPECT_THAT(response->body, HasSubstr("no TLS is spoken here"));
}

TEST_F(OtlpHttpSecurityTest, TlsGarbageHarmsNobody) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  Start();
  for (const std::string& garbage : {std::string("\x16"), std::string("\x16\x03\x01\xff\xff", 5) + std::string(70'000, 'x'),
                                     std::string("\x16\x03\x01\x00\x05hello", 10), std::string("\x80\x2e\x01\x03\x01", 5)}) {
    auto client = Connect();
    client->Send(garbage);
    client->ShutdownSend();
    (void)client->Read();
  }
  TlsTestClient good(server_->port());
  EXPECT_EQ(StatusOf(&good, Post("/v1/traces", "x")), 200);
  EXPECT_TRUE(WaitForRefusal("tls_handshake"));
}

TEST_F(OtlpHttpSecurityTest, SlowHandshakesAndRequestsAreCutOff) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  Start();
  auto silent = Connect();
  auto stalled = Connect();
  stalled->Send("\x16\x03\x01");
  TlsTestClient half(server_->port());
  ASSERT_TRUE(half.Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"));
  const FastTime time(clock_.get(), std::chrono::seconds(1));
  EXPECT_TRUE(silent->AtEnd());
  EXPECT_TRUE(stalled->AtEnd());
  const auto response = half.Read();
  ASSERT_TRUE(response) << half.error();
  EXPECT_EQ(response->status, 408);
  EXPECT_TRUE(half.EndsCleanly());
}

TEST_F(OtlpHttpSecurityTest, MutualTlsWantsACertificateOfTheAuthority) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  const TestCertificate good = MakeTestCertificate();  // self-signed: its own authority
  const TestCertificate stranger = MakeTestCertificate();
  const TestCertificate expired = MakeTestCertificate({.from_secs = -7200, .until_secs = -3600});
  const CertificateFilesOnDisk authority(good);
  authority.WriteFile(authority.certificate_path(), good.certificate + expired.certificate);
  UseTls(files);
  config_.tls.client_ca_file = authority.certificate_path();
  Start();
  TlsTestClient welcome(server_->port(), {.identity = &good});
  EXPECT_EQ(StatusOf(&welcome, Post("/v1/traces", "x")), 200) << welcome.error();
  for (const TestCertificate* identity : {&stranger, &expired, static_cast<const TestCertificate*>(nullptr)}) {
    // With TLS 1.3 the client learns of it when it reads.
    TlsTestClient unwelcome(server_->port(), {.identity = identity});
    EXPECT_EQ(StatusOf(&unwelcome, Post("/v1/traces", "y")), 0);
    EXPECT_THAT(unwelcome.error(), Not(HasSubstr("Success")));
  }
  EXPECT_EQ(pipeline_->requests().size(), 1u);
}

TEST_F(OtlpHttpSecurityTest, RenewedCertificatesAreNoticed) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  Start();
  TlsTestClient before(server_->port());
  const std::string first = before.ServerCertificate();
  ASSERT_FALSE(first.empty());
  const TestCertificate next = MakeTestCertificate();
  // A certificate without its key is no pair: the old one stays.
  files.WriteFile(files.certificate_path(), next.certificate);
  Config again = config_;
  EXPECT_FALSE(server_->Reload(again).ok());
  EXPECT_EQ(TlsTestClient(server_->port()).ServerCertificate(), first);
  files.WriteFile(files.key_path(), next.key);
  std::string now = first;
  for (int i = 0; i < 400 && now == first; ++i) {
    now = TlsTestClient(server_->port()).ServerCertificate();
    std::this_thread::sleep_for(std::chrono::milliseconds{25});
  }
  EXPECT_NE(now, first);
  EXPECT_EQ(StatusOf(&before, Post("/v1/traces", "x")), 200);  // connections go on
}

TEST_F(OtlpHttpSecurityTest, ReloadTurnsTlsOnForNewConnections) {
  Start();
  const CertificateFilesOnDisk files(MakeTestCertificate());
  UseTls(files);
  ASSERT_TRUE(server_->Reload(config_).ok());
  TlsTestClient client(server_->port());
  EXPECT_EQ(StatusOf(&client, Post("/v1/traces", "x")), 200) << client.error();
}

TEST_F(OtlpHttpSecurityTest, CertificatesThatCannotBeHadAreNamed) {
  const CertificateFilesOnDisk files(MakeTestCertificate());
  config_.http.tls.cert_file = files.certificate_path();
  config_.http.tls.key_file = "/nowhere/key.pem";
  const auto server = OtlpHttpServer::Start(config_, pipeline_.get());
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.status().code(), StatusCode::kConfig);
  EXPECT_THAT(server.status().message(), HasSubstr("http.tls.key_file"));
  EXPECT_THAT(server.status().message(), HasSubstr("/nowhere/key.pem"));
}

// --- Web pages ---

std::string Preflight(const std::string& origin, const std::string& method = "POST") {
  return "OPTIONS /v1/traces HTTP/1.1\r\nHost: t\r\nOrigin: " + origin + "\r\nAccess-Control-Request-Method: " + method +
         "\r\nAccess-Control-Request-Headers: content-type,x-team\r\n\r\n";
}

TEST_F(OtlpHttpSecurityTest, PagesOfConfiguredOriginsMaySend) {
  config_.auth.bearer_tokens = {"t"};  // a preflight request has no credentials
  config_.http.cors_allowed_origins = {"https://app.example", "http://localhost:3000"};
  config_.http.cors_allowed_headers = {"X-Team"};
  config_.http.cors_max_age_secs = 77;
  Start();
  auto response = Exchange(Preflight("https://app.example"));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(response.Header("Access-Control-Allow-Methods"), "POST");
  EXPECT_EQ(response.Header("Access-Control-Allow-Headers"), "Content-Type, Content-Encoding, Authorization, X-Team");
  EXPECT_EQ(response.Header("Access-Control-Max-Age"), "77");
  EXPECT_EQ(response.Header("Vary"), "Origin");
  EXPECT_EQ(response.Header("Content-Length"), "");
  response = Exchange(Post("/v1/traces", "x", "Authorization: Bearer t\r\nOrigin: http://localhost:3000\r\n"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "http://localhost:3000");
  EXPECT_EQ(response.Header("Vary"), "Origin");
  response = Exchange(Post("/v1/traces", "x", "Origin: http://localhost:3000\r\n"));  // pages can read errors too
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "http://localhost:3000");
}

TEST_F(OtlpHttpSecurityTest, PagesOfOtherOriginsMayNot) {
  config_.http.cors_allowed_origins = {"https://app.example"};
  Start();
  for (const char* origin : {"https://app.example.evil", "http://app.example", "https://app.example:444", "null", "https://evil"}) {
    const auto response = Exchange(Preflight(origin));
    EXPECT_EQ(response.status, 403) << origin;
    EXPECT_THAT(response.body, HasSubstr("http.cors_allowed_origins"));
    EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(response.Header("Vary"), "Origin");
  }
  const auto response = Exchange(Post("/v1/traces", "x", "Origin: https://evil\r\n"));
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(Exchange("OPTIONS /v1/traces HTTP/1.1\r\nHost: t\r\n\r\n").status, 405);
}

TEST_F(OtlpHttpSecurityTest, AnyOriginWhereConfigured) {
  config_.http.cors_allowed_origins = {"*"};
  Start();
  EXPECT_EQ(Exchange(Preflight("null")).Header("Access-Control-Allow-Origin"), "*");
  const auto response = Exchange(Post("/v1/traces", "x", "Origin: https://a\r\n"));
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(response.Header("Vary"), "");
}

TEST_F(OtlpHttpSecurityTest, WithoutConfigurationThereIsNoCors) {
  Start();
  const auto response = Exchange(Preflight("https://app.example"));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Header("Allow"), "POST");
  EXPECT_EQ(response.Header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(Exchange(Post("/v1/traces", "x", "Origin: https://a\r\n")).Header("Vary"), "");
}

}  // namespace
}  // namespace otlp_arrow
