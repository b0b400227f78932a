#include <fstream>
#include <functional>
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
      if (!service_->answer.status.ok()) return Finish(service_->answer.status);
      grpc::Slice slice(service_->answer.response);
      response_ = grpc::ByteBuffer(&slice, 1);
      StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    FakeService* service_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer response_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override {
    return new Reactor(this, context);
  }
};

class GrpcSenderTest : public ::testing::Test {
 protected:
  void Start(std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials()) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterCallbackGenericService(&service_);
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

  FakeService service_;
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

TEST_F(GrpcSenderTest, SendsBytesHeadersAndMethod) {
  Start();
  auto sender = Sender({.endpoint = {}, .gzip = true, .headers = {{"X-Api-Key", "secret"}}, .ca_file = {}});
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
  EXPECT_TRUE(Sender({.endpoint = {}, .gzip = false, .headers = {}, .ca_file = ca_file}, "https")
                  ->Send(Signal::kTraces, "x", seconds(10))
                  .taken());
  EXPECT_FALSE(Sender({}, "https")->Send(Signal::kTraces, "x", seconds(10)).taken())
      << "the certificate is not one of the system's";
}

}  // namespace
}  // namespace otlp_arrow
