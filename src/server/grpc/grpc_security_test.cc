// Who may call the gRPC server, and over what.
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/host_port.h"
#include "certificates.h"
#include "fake_pipeline.h"
#include "raw_http_client.h"
#include "server/grpc/grpc_client_testing.h"
#include "server/grpc/otlp_grpc_server.h"

namespace otlp_arrow {
namespace {

using namespace grpc_testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kReflection[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const std::string kListServices("\x3a\x00", 2);

class GrpcSecurityTest : public ::testing::Test {
 protected:
  GrpcSecurityTest() { config_.grpc.address = "127.0.0.1:0"; }

  void Start() {
    auto server = OtlpGrpcServer::Start(config_, &pipeline_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
  }
  grpc::Status Call(const std::shared_ptr<grpc::ChannelCredentials>& credentials, const Metadata& metadata = {}, const char* method = kTraces) {
    return PendingCall(Connect(server_->address(), credentials), method, "", GRPC_COMPRESS_NONE, metadata).Wait().status;
  }
  grpc::Status Call(const Metadata& metadata, const char* method = kTraces) { return Call(grpc::InsecureChannelCredentials(), metadata, method); }
  // What a client trusts and shows.
  static std::shared_ptr<grpc::ChannelCredentials> Tls(const std::string& ca_file, const ServerTlsConfig& identity = {}) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = testing::TextOf(ca_file);
    if (!identity.cert_file.empty()) {
      options.pem_cert_chain = testing::TextOf(identity.cert_file);
      options.pem_private_key = testing::TextOf(identity.key_file);
    }
    return grpc::SslCredentials(options);
  }

  Config config_;
  FakePipeline pipeline_;
  std::unique_ptr<OtlpGrpcServer> server_;
};

TEST_F(GrpcSecurityTest, TokensAreAskedFor) {
  config_.auth.bearer_tokens = {"first-s3cret", "second-s3cret"};
  Start();
  EXPECT_TRUE(Call({{"authorization", "Bearer first-s3cret"}}).ok());
  EXPECT_TRUE(Call({{"authorization", "bearer second-s3cret"}}, kLogs).ok());
  ASSERT_EQ(pipeline_.requests().size(), 2u);
  for (const Metadata& metadata :
       {Metadata{}, {{"authorization", "Bearer wrong"}}, {{"authorization", "first-s3cret"}}, {{"authorization", "Basic Zmlyc3Q="}}, {{"authorization", "Bearer "}}}) {
    const auto status = Call(metadata);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(status.error_message(), AllOf(HasSubstr("authorization: Bearer TOKEN"), Not(HasSubstr("s3cret"))));
  }
  EXPECT_EQ(pipeline_.requests().size(), 2u);
  ASSERT_EQ(pipeline_.refusals().size(), 5u);
  EXPECT_EQ(pipeline_.refusals()[0].reason, "unauthorized");
}

TEST_F(GrpcSecurityTest, HeadersAreAskedFor) {
  config_.auth.headers = {{"X-Api-Key", "k3y"}, {"X-Tenant", "shop"}};
  Start();
  EXPECT_TRUE(Call({{"x-api-key", "k3y"}, {"x-tenant", "shop"}}).ok());
  EXPECT_EQ(Call({{"x-api-key", "k3y"}}).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const auto status = Call({{"x-api-key", "k3y"}, {"x-tenant", "other"}});
  EXPECT_THAT(status.error_message(), AllOf(HasSubstr("x-api-key, x-tenant"), Not(HasSubstr("k3y"))));
}

TEST_F(GrpcSecurityTest, NoMessageIsReadOfCallsWithoutCredentials) {
  config_.auth.bearer_tokens = {"s3cret"};
  Start();
  // The message never comes; the answer does.
  auto channel = Connect(server_->address(), grpc::InsecureChannelCredentials());
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  grpc::CompletionQueue queue;
  void* tag = nullptr;
  bool ok = false;
  auto stream = stub.PrepareCall(&context, kTraces, &queue);
  stream->StartCall(nullptr);
  queue.Next(&tag, &ok);
  grpc::Status status;
  stream->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GrpcSecurityTest, LargeAndCompressedRequestsArriveWithCredentials) {
  config_.auth.bearer_tokens = {"s3cret"};
  Start();
  const auto channel = Connect(server_->address(), grpc::InsecureChannelCredentials());
  const std::string request(3 << 20, 'x');
  const Metadata metadata{{"authorization", "Bearer s3cret"}};
  EXPECT_TRUE(PendingCall(channel, kTraces, request, GRPC_COMPRESS_NONE, metadata).Wait().status.ok());
  EXPECT_TRUE(PendingCall(channel, kTraces, request, GRPC_COMPRESS_GZIP, metadata).Wait().status.ok());
  ASSERT_EQ(pipeline_.requests().size(), 2u);
  EXPECT_EQ(pipeline_.requests()[0].bytes, request);
  EXPECT_EQ(pipeline_.requests()[1].bytes, request);
}

TEST_F(GrpcSecurityTest, HealthIsOpenAndReflectionIsNot) {
  config_.auth.bearer_tokens = {"s3cret"};
  Start();
  EXPECT_TRUE(Call(Metadata{}, kCheck).ok());
  const auto channel = Connect(server_->address(), grpc::InsecureChannelCredentials());
  Stream refused(channel, kReflection, kListServices);
  EXPECT_EQ(refused.Read(), "");
  EXPECT_EQ(refused.Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  Stream admitted(channel, kReflection, kListServices, {{"authorization", "Bearer s3cret"}});
  EXPECT_THAT(admitted.Read(), HasSubstr("TraceService"));
  EXPECT_EQ(admitted.Read(), "");
  EXPECT_TRUE(admitted.Finish().ok());
}

TEST_F(GrpcSecurityTest, CredentialsChangeWhileItRuns) {
  Start();
  EXPECT_TRUE(Call(Metadata{}).ok());
  Config guarded = config_;
  guarded.auth.bearer_tokens = {"s3cret"};
  ASSERT_TRUE(server_->Reload(guarded).ok());
  EXPECT_EQ(Call(Metadata{}).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(Call({{"authorization", "Bearer s3cret"}}).ok());
  guarded.auth.bearer_tokens = {"${file:/nonexistent/token}"};
  EXPECT_THAT(server_->Reload(guarded).message(), HasSubstr("auth.bearer_tokens"));
  EXPECT_TRUE(Call({{"authorization", "Bearer s3cret"}}).ok());
  ASSERT_TRUE(server_->Reload(config_).ok());
  EXPECT_TRUE(Call(Metadata{}).ok());
}

TEST_F(GrpcSecurityTest, SaysWhichCertificateOrSecretCannotBeHad) {
  config_.tls = {"/nonexistent/cert.pem", "/nonexistent/key.pem", ""};
  EXPECT_THAT(OtlpGrpcServer::Start(config_, &pipeline_).status().message(), ::testing::StartsWith("tls.cert_file"));
  config_.grpc.tls = {"/nonexistent/own.pem", "/nonexistent/key.pem", ""};
  EXPECT_THAT(OtlpGrpcServer::Start(config_, &pipeline_).status().message(), ::testing::StartsWith("grpc.tls.cert_file"));
  config_.auth.bearer_tokens = {"${env:OTLP_ARROW_NO_SUCH_VARIABLE}"};
  EXPECT_THAT(OtlpGrpcServer::Start(config_, &pipeline_).status().message(), HasSubstr("OTLP_ARROW_NO_SUCH_VARIABLE"));
}

class GrpcTlsTest : public GrpcSecurityTest {
 protected:
  GrpcTlsTest() { config_.tls = served_ = authority_.Issue("server"); }

  testing::CertificateAuthority authority_;
  ServerTlsConfig served_;
};

TEST_F(GrpcTlsTest, SpeaksTlsAlone) {
  Start();
  EXPECT_TRUE(Call(Tls(authority_.ca_file())).ok());
  EXPECT_EQ(Call(grpc::InsecureChannelCredentials()).error_code(), grpc::StatusCode::UNAVAILABLE);
  testing::CertificateAuthority other;
  EXPECT_EQ(Call(Tls(other.ca_file())).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Call(Tls(authority_.ca_file())).ok());
}

TEST_F(GrpcTlsTest, ClientsMayHaveToShowCertificates) {
  config_.tls.client_ca_file = authority_.ca_file();
  Start();
  const std::string ca = authority_.ca_file();
  testing::CertificateAuthority other;
  EXPECT_TRUE(Call(Tls(ca, authority_.Issue("client"))).ok());
  EXPECT_EQ(Call(Tls(ca)).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(Tls(ca, authority_.Issue("old", -1))).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(Tls(ca, other.Issue("stranger"))).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(pipeline_.requests().size(), 1u);
}

TEST_F(GrpcTlsTest, TokensGoWithTls) {
  config_.auth.bearer_tokens = {"s3cret"};
  Start();
  EXPECT_TRUE(Call(Tls(authority_.ca_file()), {{"authorization", "Bearer s3cret"}}).ok());
  EXPECT_EQ(Call(Tls(authority_.ca_file())).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(GrpcTlsTest, OtherCertificatesAreTakenWhileItRuns) {
  Start();
  const auto connected = Connect(server_->address(), Tls(authority_.ca_file()));
  ASSERT_TRUE(PendingCall(connected, kTraces, "").Wait().status.ok());
  testing::CertificateAuthority next;
  Config changed = config_;
  changed.tls = next.Issue("server");
  ASSERT_TRUE(server_->Reload(changed).ok());
  EXPECT_TRUE(Call(Tls(next.ca_file())).ok());
  EXPECT_EQ(Call(Tls(authority_.ca_file())).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(PendingCall(connected, kTraces, "").Wait().status.ok());  // what is connected stays so

  Config broken = changed;
  broken.tls.key_file = served_.key_file;
  EXPECT_THAT(server_->Reload(broken).message(), HasSubstr("is not the key of"));
  EXPECT_TRUE(Call(Tls(next.ca_file())).ok());
  broken.tls = {};
  EXPECT_THAT(server_->Reload(broken).message(), HasSubstr("restart"));
  broken = changed;
  broken.tls.client_ca_file = next.ca_file();
  EXPECT_THAT(server_->Reload(broken).message(), HasSubstr("restart"));
}

TEST_F(GrpcTlsTest, FilesThatChangeAreReadAgain) {
  Start();
  testing::CertificateAuthority next;
  const auto renewed = next.Issue("server");
  testing::CopyFile(renewed.key_file, served_.key_file);
  testing::CopyFile(renewed.cert_file, served_.cert_file);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  bool taken = false;
  while (!taken && std::chrono::steady_clock::now() < deadline) taken = Call(Tls(next.ca_file())).ok();
  EXPECT_TRUE(taken);
}

TEST_F(GrpcTlsTest, SurvivesWhatIsNoTls) {
  Start();
  const std::string garbage[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", std::string(100'000, '\x16'),
                                 std::string("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11), std::string(1000, '\0')};
  for (const std::string& bytes : garbage) {
    for (const size_t sent : {size_t{1}, bytes.size() / 2, bytes.size()}) {
      RawHttpClient client(server_->port());
      ASSERT_TRUE(client.connected());
      client.Send(bytes.substr(0, sent));
    }
  }
  EXPECT_TRUE(Call(Tls(authority_.ca_file())).ok());
}

}  // namespace
}  // namespace otlp_arrow
