#include <atomic>
#include <deque>
#include <fstream>
#include <functional>
#include <future>
#include <mutex>

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "senders/sender_factory.h"
#include "senders/test_certificate.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

struct Call {
  std::string method;
  std::string request;
  std::string api_key;
};

struct Answer {
  grpc::Status status;
  std::string response;
};

std::string Flat(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const auto& s : slices) bytes.append(reinterpret_cast<const char*>(s.begin()), s.size());
  return bytes;
}

// Any method; answers as told.
class FakeService : public grpc::CallbackGenericService {
 public:
  Answer answer;
  Call last;
  std::atomic<bool> is_silent{false};  // gives no answer; the first such call is `arrived`
  std::promise<void> arrived;

  class Reactor : public grpc::ServerGenericBidiReactor {
   public:
    Reactor(FakeService* service, grpc::GenericCallbackServerContext* context) : service_(service) {
      service_->last.method = context->method();
      auto it = context->client_metadata().find("x-api-key");
      service_->last.api_key =
          it == context->client_metadata().end() ? "" : std::string(it->second.data(), it->second.size());
      StartRead(&request_);
    }
    void OnReadDone(bool ok) override {
      service_->last.request = ok ? Flat(request_) : "";
      is_silent_ = service_->is_silent.load();
      if (is_silent_) return service_->arrived.set_value();
      if (!service_->answer.status.ok()) return Finish(service_->answer.status);
      grpc::Slice slice(service_->answer.response);
      response_ = grpc::ByteBuffer(&slice, 1);
      StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnCancel() override {
      if (is_silent_) Finish(grpc::Status::CANCELLED);
    }
    void OnDone() override { delete this; }

   private:
    std::atomic<bool> is_silent_{false};
    FakeService* service_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Reactor(this, context);
  }
};

std::string FileWith(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + "grpc_sender_test_" + name;
  std::ofstream(path) << text;
  return path;
}

class GrpcSenderTest : public ::testing::Test {
 protected:
  void Start(std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_), credentials, &port_);
    if (server_) services_.emplace_back();
    builder.RegisterCallbackGenericService(&services_.back());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  std::unique_ptr<OtlpSender> Sender(SenderOptions options = {}, const std::string& scheme = "http") {
    options.endpoint = *ParseEndpoint(scheme + "://127.0.0.1:" + std::to_string(port_), OtlpProtocol::kGrpc);
    auto sender = MakeSender(options);
    EXPECT_TRUE(sender.ok()) << sender.status().ToString();
    return *std::move(sender);
  }
  void TearDown() override {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
  }

  std::deque<FakeService> services_;  // each is for one server; later ones take everything
  FakeService& service_ = services_.emplace_back();
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

TEST_F(GrpcSenderTest, SendsBytesHeadersAndMethod) {
  Start();
  SenderOptions options;
  options.compression = RequestCompression::kGzip;
  options.headers = {{"X-Api-Key", "secret"}};
  auto sender = Sender(options);
  const std::string request(100000, 'r');
  EXPECT_TRUE(sender->Send(Signal::kMetrics, request, seconds(10)).taken());
  EXPECT_EQ(service_.last.method, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
  EXPECT_EQ(service_.last.request, request);
  EXPECT_EQ(service_.last.api_key, "secret");
  EXPECT_TRUE(sender->Send(Signal::kLogs, "", seconds(10)).taken());
  EXPECT_EQ(service_.last.method, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
  EXPECT_EQ(service_.last.request, "");
}

TEST_F(GrpcSenderTest, ReportsPartialSuccess) {
  Start();
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
  response.mutable_partial_success()->set_rejected_spans(3);
  response.mutable_partial_success()->set_error_message("three were bad");
  service_.answer.response = response.SerializeAsString();
  const SendOutcome outcome = Sender()->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_TRUE(outcome.taken());
  EXPECT_EQ(outcome.rejected_items, 3);
  EXPECT_EQ(outcome.message, "three were bad");
}

TEST_F(GrpcSenderTest, RetryableAsTheSpecificationSays) {
  Start();
  auto sender = Sender();
  const auto kind = [&](grpc::StatusCode code) {
    service_.answer.status = grpc::Status(code, "no");
    return sender->Send(Signal::kTraces, "x", seconds(10)).kind;
  };
  for (auto code : {grpc::CANCELLED, grpc::DEADLINE_EXCEEDED, grpc::ABORTED, grpc::OUT_OF_RANGE, grpc::UNAVAILABLE,
                    grpc::DATA_LOSS}) {
    EXPECT_EQ(kind(code), SendOutcome::Kind::kRetryable) << code;
  }
  for (auto code :
       {grpc::INVALID_ARGUMENT, grpc::INTERNAL, grpc::UNKNOWN, grpc::FAILED_PRECONDITION, grpc::RESOURCE_EXHAUSTED}) {
    EXPECT_EQ(kind(code), SendOutcome::Kind::kRefused) << code;
  }
  for (auto code : {grpc::UNIMPLEMENTED, grpc::UNAUTHENTICATED, grpc::PERMISSION_DENIED}) {
    EXPECT_EQ(kind(code), SendOutcome::Kind::kUnusable) << code;
  }
}

TEST_F(GrpcSenderTest, HonoursRetryInfo) {
  Start();
  std::string duration, retry_info, any, status;
  protozero::pbf_writer(duration).add_int64(1, 4);
  protozero::pbf_writer(retry_info).add_message(1, duration);
  protozero::pbf_writer any_writer(any);
  any_writer.add_string(1, "type.googleapis.com/google.rpc.RetryInfo");
  any_writer.add_bytes(2, retry_info);
  protozero::pbf_writer(status).add_message(3, any);
  service_.answer.status = grpc::Status(grpc::RESOURCE_EXHAUSTED, "full", status);
  const SendOutcome outcome = Sender()->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_EQ(outcome.retry_after, milliseconds(4000));
  EXPECT_EQ(outcome.message, "RESOURCE_EXHAUSTED: full");
}

TEST_F(GrpcSenderTest, NobodyListeningIsRetryable) {
  port_ = 1;
  const SendOutcome outcome = Sender()->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_THAT(outcome.message, HasSubstr("UNAVAILABLE"));
}

TEST_F(GrpcSenderTest, SpeaksTls) {
  const auto certificate = testing::MakeTestCertificate();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back({certificate.key, certificate.certificate});
  Start(grpc::SslServerCredentials(tls));
  const std::string ca_file = ::testing::TempDir() + "grpc_sender_test.pem";
  std::ofstream(ca_file) << certificate.certificate;
  SenderOptions options;
  options.tls.ca_file = ca_file;
  EXPECT_TRUE(Sender(options, "https")->Send(Signal::kTraces, "x", seconds(10)).taken());
  const SendOutcome unknown = Sender({}, "https")->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(unknown.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(unknown.message, HasSubstr("comes from an unknown authority"));
}

TEST_F(GrpcSenderTest, TellsWhatIsWrongWithACertificate) {
  const auto message_for = [this](const testing::TestCertificateOptions& certificate_options, const std::string& server_name = "") {
    const auto certificate = testing::MakeTestCertificate(certificate_options);
    grpc::SslServerCredentialsOptions tls;
    tls.pem_key_cert_pairs.push_back({certificate.key, certificate.certificate});
    Start(grpc::SslServerCredentials(tls));
    SenderOptions options;
    options.tls.ca_file = FileWith("authority.pem", certificate.certificate);
    options.tls.server_name = server_name;
    const SendOutcome outcome = Sender(options, "https")->Send(Signal::kTraces, "x", seconds(10));
    EXPECT_EQ(outcome.kind, outcome.message.empty() ? SendOutcome::Kind::kTaken : SendOutcome::Kind::kUnusable) << outcome.message;
    TearDown();
    return outcome.message;
  };
  EXPECT_THAT(message_for({.from_secs = -7200, .until_secs = -3600}), HasSubstr("the server's certificate has expired on "));
  EXPECT_THAT(message_for({.names = "DNS:other.example"}), HasSubstr("it is for other.example, not for 127.0.0.1"));
  EXPECT_EQ(message_for({.names = "DNS:other.example"}, "other.example"), "");
}

TEST_F(GrpcSenderTest, ShowsACertificateWhereTheServerAsks) {
  const auto server_certificate = testing::MakeTestCertificate(), client_certificate = testing::MakeTestCertificate();
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_key_cert_pairs.push_back({server_certificate.key, server_certificate.certificate});
  tls.pem_root_certs = client_certificate.certificate;
  Start(grpc::SslServerCredentials(tls));
  SenderOptions options;
  options.tls.ca_file = FileWith("server.pem", server_certificate.certificate);
  const SendOutcome without = Sender(options, "https")->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(without.kind, SendOutcome::Kind::kUnusable);
  EXPECT_THAT(without.message, HasSubstr("the server wants a certificate of the client"));
  options.tls.cert_file = FileWith("client.pem", server_certificate.certificate);
  options.tls.key_file = FileWith("client_key.pem", server_certificate.key);
  const SendOutcome wrong = Sender(options, "https")->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(wrong.kind, SendOutcome::Kind::kUnusable) << wrong.message;
  EXPECT_THAT(wrong.message, HasSubstr("tls.cert_file"));
  options.tls.cert_file = FileWith("client.pem", client_certificate.certificate);
  options.tls.key_file = FileWith("client_key.pem", client_certificate.key);
  const SendOutcome with = Sender(options, "https")->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_TRUE(with.taken()) << with.message;
}

TEST_F(GrpcSenderTest, CancelEndsARequestUnderWay) {
  Start();
  service_.is_silent = true;
  auto sender = Sender();
  auto outcome = std::async(std::launch::async, [&] { return sender->Send(Signal::kTraces, "x", seconds(3600)); });
  service_.arrived.get_future().wait();
  sender->Cancel();
  EXPECT_EQ(outcome.get().kind, SendOutcome::Kind::kRetryable);
  EXPECT_THAT(sender->Send(Signal::kTraces, "x", seconds(3600)).message, HasSubstr("cancelled"));
}

TEST_F(GrpcSenderTest, NoAnswerInTimeIsRetryableAndTheNextOneIsSentAnew) {
  Start();
  service_.is_silent = true;
  auto sender = Sender();
  const SendOutcome outcome = sender->Send(Signal::kTraces, "x", milliseconds(200));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRetryable);
  EXPECT_THAT(outcome.message, HasSubstr("no answer within 200 ms"));
  service_.is_silent = false;
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
}

TEST_F(GrpcSenderTest, FindsAServerThatComesBack) {
  Start();
  auto sender = Sender();
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
  TearDown();
  EXPECT_EQ(sender->Send(Signal::kTraces, "x", seconds(10)).kind, SendOutcome::Kind::kRetryable);
  Start();  // at the same port
  EXPECT_TRUE(sender->Send(Signal::kTraces, "x", seconds(10)).taken());
}

TEST_F(GrpcSenderTest, TooLargeIsToldAndNoSecretIsQuoted) {
  Start();
  service_.answer.status = grpc::Status(grpc::RESOURCE_EXHAUSTED, "too large, abcdef");
  SenderOptions options;
  options.headers = {{"x-api-key", "abcdef"}};
  const SendOutcome outcome = Sender(options)->Send(Signal::kTraces, "x", seconds(10));
  EXPECT_EQ(outcome.kind, SendOutcome::Kind::kRefused);
  EXPECT_TRUE(outcome.is_too_large);
  EXPECT_EQ(outcome.message, "RESOURCE_EXHAUSTED: too large, <hidden>");
}

TEST_F(GrpcSenderTest, UnknownHostIsRetryable) {
  SenderOptions options;
  options.endpoint = *ParseEndpoint("http://no-such-host.invalid:4317");
  EXPECT_EQ((*MakeSender(options))->Send(Signal::kTraces, "x", seconds(10)).kind, SendOutcome::Kind::kRetryable);
}

}  // namespace
}  // namespace otlp_arrow
