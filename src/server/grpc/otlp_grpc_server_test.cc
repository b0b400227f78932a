#include "server/grpc/otlp_grpc_server.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "fake_pipeline.h"
#include "gzip_reference.h"
#include "rpc_status_reference.h"
#include "server/grpc/grpc_client_testing.h"

namespace otlp_arrow {
namespace {

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using namespace grpc_testing;


// HealthCheckResponse{status}.
const std::string kServing("\x08\x01", 2);
const std::string kNotServing("\x08\x02", 2);
const std::string kServiceUnknown("\x08\x03", 2);

class OtlpGrpcServerTest : public ::testing::Test {
 protected:
  void Start(uint64_t max_message_bytes = 1 << 20) {
    Config config;
    config.grpc.address = "127.0.0.1:0";
    config.grpc.max_message_bytes = max_message_bytes;
    auto server = OtlpGrpcServer::Start(config, pipeline_.get());
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own for each test
    channel_ = grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
  }
  Reply Call(const std::string& method, const std::string& request, grpc_compression_algorithm compression = GRPC_COMPRESS_NONE) {
    return PendingCall(channel_, method, request, compression).Wait();
  }
  static std::string TraceRequest(int spans = 3) {
    ExportTraceServiceRequest request;
    auto* scope = request.add_resource_spans()->add_scope_spans();
    for (int i = 0; i < spans; ++i) scope->add_spans()->set_name("span " + std::to_string(i));
    return request.SerializeAsString();
  }
  static std::string HealthRequest(const std::string& service) {
    return service.empty() ? "" : "\x0a" + std::string(1, static_cast<char>(service.size())) + service;
  }
  static AcceptResult Refusal(Status status, milliseconds retry_after = milliseconds{0}) {
    AcceptResult result;
    result.status = std::move(status);
    result.retry_after = retry_after;
    return result;
  }

  std::shared_ptr<FakePipeline> pipeline_ = std::make_shared<FakePipeline>();
  std::unique_ptr<OtlpGrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(OtlpGrpcServerTest, HandsOverEachSignalAsSent) {
  Start();
  for (const char* method : {kTraces, kMetrics, kLogs}) {
    const Reply reply = Call(method, TraceRequest());
    EXPECT_TRUE(reply.status.ok()) << reply.status.error_message();
    EXPECT_EQ(reply.bytes, "");
  }
  const auto requests = pipeline_->requests();
  ASSERT_EQ(requests.size(), 3u);
  for (const Signal signal : kAllSignals) {
    EXPECT_EQ(requests[static_cast<size_t>(signal)].signal, signal);
    EXPECT_EQ(requests[static_cast<size_t>(signal)].bytes, TraceRequest());
  }
}

TEST_F(OtlpGrpcServerTest, TakesEmptyAndLargeRequests) {
  Start();
  EXPECT_TRUE(Call(kTraces, "").status.ok());
  const std::string large = TraceRequest(50'000);
  ASSERT_GT(large.size(), 500'000u);
  EXPECT_TRUE(Call(kTraces, large).status.ok());
  const auto requests = pipeline_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].bytes, "");
  EXPECT_EQ(requests[1].bytes, large);
}

TEST_F(OtlpGrpcServerTest, TellsOfPartialSuccess) {
  Start();
  AcceptResult result;
  result.accepted_items = 2;
  result.rejected_items = 1;
  result.rejected_reason = "trace_id must be 16 bytes";
  pipeline_->AnswerWith(result);
  const Reply reply = Call(kTraces, TraceRequest());
  EXPECT_TRUE(reply.status.ok());
  ExportTraceServiceResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.bytes));
  EXPECT_EQ(response.partial_success().rejected_spans(), 1);
  EXPECT_EQ(response.partial_success().error_message(), "trace_id must be 16 bytes");
}

TEST_F(OtlpGrpcServerTest, TellsOfMalformedRequests) {
  Start();
  pipeline_->AnswerWith(Refusal(Status::Export("bad tag at byte 3")));
  const Reply reply = Call(kTraces, "???");
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(reply.status.error_message(), "bad tag at byte 3");
}

TEST_F(OtlpGrpcServerTest, RefusalsArriveWithRetryInfo) {
  Start();
  pipeline_->AnswerWith(Refusal(Status::BufferFull("memory_budget is used up"), milliseconds{750}));
  const Reply reply = Call(kLogs, "");
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto details = RpcStatusReader().Read(reply.status.error_details());
  ASSERT_TRUE(details);
  EXPECT_EQ(details->retry_delay, milliseconds{750});
}

TEST_F(OtlpGrpcServerTest, InflatesGzip) {
  Start();
  const std::string request = TraceRequest(1000);
  EXPECT_TRUE(Call(kTraces, request, GRPC_COMPRESS_GZIP).status.ok());
  const auto requests = pipeline_->requests();
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_EQ(requests[0].bytes, request);
}

TEST_F(OtlpGrpcServerTest, RefusesDeflateNamingIt) {
  Start();
  const Reply reply = Call(kTraces, TraceRequest(1000), GRPC_COMPRESS_DEFLATE);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(reply.status.error_message(), HasSubstr("deflate"));
}

TEST_F(OtlpGrpcServerTest, RefusesDamagedGzip) {
  Start();
  const std::string zipped = Gzip(TraceRequest(1000));
  const Reply reply = Call(kTraces, zipped.substr(0, zipped.size() / 2));
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(reply.status.error_message(), HasSubstr("gzip"));
}

TEST_F(OtlpGrpcServerTest, GzipBombIsRefusedWithinTheLimit) {
  constexpr uint64_t kLimit = 1 << 20;
  Start(kLimit);
  const Reply reply = Call(kTraces, std::string(16 * kLimit, '\0'), GRPC_COMPRESS_GZIP);
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(reply.status.error_message(), HasSubstr("grpc.max_message_bytes"));
  EXPECT_LE(pipeline_->largest_allocation(), kLimit);
  const auto refusals = pipeline_->refusals();
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_EQ(refusals[0].reason, "too_large");
}

TEST_F(OtlpGrpcServerTest, LargerMessagesAreRefusedWithTheWayOutAndCounted) {
  constexpr uint64_t kLimit = 1 << 16;
  Start(kLimit);
  EXPECT_TRUE(Call(kMetrics, std::string(kLimit, 'x')).status.ok());
  const Reply reply = Call(kMetrics, std::string(kLimit + 1, 'x'));
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(reply.status.error_details(), "");  // no RetryInfo: it would be as large the next time
  EXPECT_THAT(reply.status.error_message(), HasSubstr("65537 bytes"));
  EXPECT_THAT(reply.status.error_message(), HasSubstr("limit of 65536 bytes"));
  EXPECT_THAT(reply.status.error_message(), HasSubstr("grpc.max_message_bytes"));
  const auto refusals = pipeline_->refusals();
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_EQ(refusals[0].signal, Signal::kMetrics);
  EXPECT_EQ(refusals[0].reason, "too_large");
  EXPECT_EQ(pipeline_->requests().size(), 1u);
}

TEST_F(OtlpGrpcServerTest, MuchLargerMessagesAreRefusedToo) {
  Start(1 << 16);
  const Reply reply = Call(kTraces, std::string(1 << 20, 'x'));
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_TRUE(pipeline_->requests().empty());
  EXPECT_TRUE(Call(kTraces, "").status.ok());  // the connection lives
}

TEST_F(OtlpGrpcServerTest, UnknownMethodsAreNamed) {
  Start();
  const Reply reply = Call("/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", "");
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(reply.status.error_message(), HasSubstr("ProfilesService/Export"));
  EXPECT_EQ(Call("/x", "").status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(OtlpGrpcServerTest, HealthFollowsThePipeline) {
  Start();
  for (const std::string service : {"", "opentelemetry.proto.collector.trace.v1.TraceService",
                                    "opentelemetry.proto.collector.metrics.v1.MetricsService",
                                    "opentelemetry.proto.collector.logs.v1.LogsService"}) {
    EXPECT_EQ(Call(kCheck, HealthRequest(service)).bytes, kServing) << service;
  }
  pipeline_->SetNotReady("the disk is full");
  EXPECT_EQ(Call(kCheck, "").bytes, kNotServing);
  EXPECT_EQ(Call(kCheck, HealthRequest("no.such.Service")).status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Call(kCheck, "\xff\xff").status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(OtlpGrpcServerTest, HealthWatchTellsOfChanges) {
  Start();
  Stream watch(channel_, kWatch, "");
  EXPECT_EQ(watch.Read(), kServing);
  pipeline_->SetNotReady("the disk is full");
  EXPECT_EQ(watch.Read(), kNotServing);
  pipeline_->SetNotReady("");
  EXPECT_EQ(watch.Read(), kServing);
  watch.Cancel();
  EXPECT_EQ(watch.Read(), "");
  EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::CANCELLED);

  Stream unknown(channel_, kWatch, HealthRequest("no.such.Service"));
  EXPECT_EQ(unknown.Read(), kServiceUnknown);
  Stream malformed(channel_, kWatch, "\xff\xff");
  EXPECT_EQ(malformed.Read(), "");
  EXPECT_EQ(malformed.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  server_->Shutdown(kPatience);  // ends the watch that is left
  EXPECT_EQ(unknown.Read(), "");
  EXPECT_FALSE(unknown.Finish().ok());
}

TEST_F(OtlpGrpcServerTest, AnswersWhenThePipelineDecidesLater) {
  Start();
  pipeline_->Defer();
  PendingCall call(channel_, kTraces, TraceRequest());
  pipeline_->WaitForRequests(1);
  EXPECT_EQ(Call(kCheck, "").bytes, kServing);  // the server goes on meanwhile
  pipeline_->Release();
  EXPECT_TRUE(call.Wait().status.ok());
}

TEST_F(OtlpGrpcServerTest, ManyCallsMayWaitAtOnce) {
  Start();
  pipeline_->Defer();
  constexpr size_t kCalls = 200;
  std::vector<std::unique_ptr<PendingCall>> calls;
  for (size_t i = 0; i < kCalls; ++i) calls.push_back(std::make_unique<PendingCall>(channel_, kTraces, std::to_string(i)));
  pipeline_->WaitForRequests(kCalls);
  std::thread release([this] { pipeline_->Release(); });
  for (auto& call : calls) EXPECT_TRUE(call->Wait().status.ok());
  release.join();
}

TEST_F(OtlpGrpcServerTest, ClientMayLeaveBeforeTheDecision) {
  Start();
  pipeline_->Defer();
  PendingCall call(channel_, kTraces, TraceRequest());
  pipeline_->WaitForRequests(1);
  call.Cancel();
  EXPECT_EQ(call.Wait().status.error_code(), grpc::StatusCode::CANCELLED);
  channel_.reset();
  pipeline_->Release();
  server_->Shutdown(kPatience);
  EXPECT_EQ(pipeline_->requests().size(), 1u);
}

TEST_F(OtlpGrpcServerTest, ShutdownAnswersCallsUnderWayAndRefusesNewOnes) {
  Start();
  pipeline_->Defer(1);
  PendingCall call(channel_, kTraces, TraceRequest());
  pipeline_->WaitForRequests(1);
  auto shutdown = std::async(std::launch::async, [this] { server_->Shutdown(kPatience); });
  Reply refused;
  do {
    refused = Call(kTraces, TraceRequest());  // accepted until the shutdown has begun
  } while (refused.status.ok());
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(RpcStatusReader().Read(refused.status.error_details())->retry_delay);
  EXPECT_EQ(Call(kCheck, "").bytes, kNotServing);
  EXPECT_EQ(shutdown.wait_for(milliseconds{0}), std::future_status::timeout);
  pipeline_->Release();
  EXPECT_TRUE(call.Wait().status.ok());
  shutdown.wait();
  server_->Shutdown(kPatience);  // no effect
}

TEST_F(OtlpGrpcServerTest, ShutdownGivesUpAtTheDeadline) {
  Start();
  pipeline_->Defer();
  PendingCall call(channel_, kTraces, TraceRequest());
  pipeline_->WaitForRequests(1);
  server_->Shutdown(milliseconds{10});
  const Reply reply = call.Wait();
  EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  server_.reset();
  pipeline_->Release();  // comes too late and finds nobody
}

TEST_F(OtlpGrpcServerTest, AnIncompleteRequestDoesNotHoldUpShutdown) {
  Start();
  grpc::GenericStub stub(channel_);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  auto stream = stub.PrepareCall(&context, kTraces, &queue);
  void* tag = nullptr;
  bool ok = false;
  stream->StartCall(nullptr);
  queue.Next(&tag, &ok);
  const auto begin = std::chrono::steady_clock::now();
  server_->Shutdown(kPatience);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPatience / 2);
  context.TryCancel();
  grpc::Status status;
  stream->Finish(&status, nullptr);
  queue.Next(&tag, &ok);
  EXPECT_FALSE(status.ok());
}

TEST_F(OtlpGrpcServerTest, ManyClientsAtOnce) {
  Start();
  constexpr int kClients = 8;
  constexpr int kCallsEach = 50;
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      grpc::ChannelArguments arguments;
      arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
      auto channel = grpc::CreateCustomChannel(server_->address(), grpc::InsecureChannelCredentials(), arguments);
      for (int k = 0; k < kCallsEach; ++k) good += PendingCall(channel, kTraces, TraceRequest(100)).Wait().status.ok();
    });
  }
  for (auto& client : clients) client.join();
  EXPECT_EQ(good, kClients * kCallsEach);
  EXPECT_EQ(pipeline_->requests().size(), static_cast<size_t>(kClients * kCallsEach));
}

TEST_F(OtlpGrpcServerTest, SaysWhereItListens) {
  Start();
  EXPECT_GT(server_->port(), 0);
  EXPECT_EQ(server_->address(), "127.0.0.1:" + std::to_string(server_->port()));
}

TEST_F(OtlpGrpcServerTest, PortInUseIsAClearError) {
  Start();
  Config config;
  config.grpc.address = server_->address();
  const auto second = OtlpGrpcServer::Start(config, pipeline_.get());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kServer);
  EXPECT_THAT(second.status().message(), HasSubstr("grpc.address"));
  EXPECT_THAT(second.status().message(), HasSubstr(server_->address()));
  EXPECT_THAT(second.status().message(), HasSubstr("in use"));
}

TEST_F(OtlpGrpcServerTest, BadAddressesAreClearErrors) {
  for (const char* address : {"127.0.0.1", "no.such.host.invalid:4317", "192.0.2.1:4317", "127.0.0.1:99999"}) {
    Config config;
    config.grpc.address = address;
    const auto server = OtlpGrpcServer::Start(config, pipeline_.get());
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.status().code(), StatusCode::kServer);
    EXPECT_THAT(server.status().message(), HasSubstr(address));
  }
}

TEST_F(OtlpGrpcServerTest, ThePortIsFreeAfterShutdown) {
  Start();
  Config config;
  config.grpc.address = server_->address();
  EXPECT_TRUE(Call(kTraces, "").status.ok());
  server_->Shutdown(kPatience);
  const auto second = OtlpGrpcServer::Start(config, pipeline_.get());
  EXPECT_TRUE(second.ok()) << second.status().ToString();
}

}  // namespace
}  // namespace otlp_arrow
