#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "senders/sender_factory.h"
#include "otlp_arrow/service.h"
#include "query/stored_files_testing.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using testing::LogRequest;
using testing::SpanRequest;
using Kind = SendOutcome::Kind;

constexpr milliseconds kPatience{20000};  // a limit for what should not fail

std::unique_ptr<MockOtlpServer> Started(const MockServerOptions& options = {}) {
  auto server = MockOtlpServer::Start(options);
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  return *std::move(server);
}

SendOutcome Send(const MockOtlpServer& server, OtlpProtocol protocol, Signal signal, const std::string& request) {
  const bool grpc = protocol == OtlpProtocol::kGrpc;
  SenderOptions options;
  options.endpoint = *ParseEndpoint("http://" + (grpc ? server.grpc_address() : server.http_address()), protocol);
  auto sender = MakeSender(options);
  EXPECT_TRUE(sender.ok());
  return (*sender)->Send(signal, request, kPatience);
}

TEST(MockServerTest, KeepsWhatComesOverBothProtocolsInTheOrderOfArrival) {
  const auto server = Started();
  const std::string spans = SpanRequest("a", 2, 100), logs = LogRequest(7);
  EXPECT_TRUE(Send(*server, OtlpProtocol::kGrpc, Signal::kTraces, spans).taken());
  EXPECT_TRUE(Send(*server, OtlpProtocol::kHttp, Signal::kLogs, logs).taken());
  server->WaitForRequests(kPatience);
  const auto requests = server->TakeRequests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].signal, Signal::kTraces);
  EXPECT_EQ(requests[0].protocol, "grpc");
  EXPECT_EQ(requests[0].bytes, spans);
  EXPECT_EQ(requests[1].signal, Signal::kLogs);
  EXPECT_EQ(requests[1].protocol, "http");
  EXPECT_EQ(requests[1].bytes, logs);
  EXPECT_TRUE(server->TakeRequests().empty());
}

TEST(MockServerTest, AnswersAsItIsToldAndThenTakesAgain) {
  const auto server = Started();
  const std::string spans = SpanRequest("a", 1, 100);
  for (const auto protocol : {OtlpProtocol::kGrpc, OtlpProtocol::kHttp}) {
    server->AnswerNext(1, MockAnswer::kUnavailable, "out for lunch");
    const SendOutcome unavailable = Send(*server, protocol, Signal::kTraces, spans);
    EXPECT_EQ(unavailable.kind, Kind::kRetryable);
    EXPECT_THAT(unavailable.message, HasSubstr("out for lunch"));
    server->AnswerNext(1, MockAnswer::kOverloaded, "later");
    EXPECT_EQ(Send(*server, protocol, Signal::kTraces, spans).kind, Kind::kRetryable);
    server->AnswerNext(1, MockAnswer::kRefused, "never");
    EXPECT_EQ(Send(*server, protocol, Signal::kTraces, spans).kind, Kind::kRefused);
    EXPECT_TRUE(Send(*server, protocol, Signal::kTraces, spans).taken());
  }
  EXPECT_EQ(server->refused_requests(), 6u);
  EXPECT_EQ(server->TakeRequests().size(), 2u);
}

TEST(MockServerTest, RefusesWhatTheServiceRefuses) {
  const auto server = Started();
  EXPECT_EQ(Send(*server, OtlpProtocol::kHttp, Signal::kTraces, "\xff\xff").kind, Kind::kRefused);
  EXPECT_EQ(server->refused_requests(), 1u);
  EXPECT_TRUE(server->TakeRequests().empty());
}

TEST(MockServerTest, StopsOnceAndKeepsWhatItHas) {
  const auto server = Started();
  ASSERT_TRUE(Send(*server, OtlpProtocol::kHttp, Signal::kLogs, LogRequest(7)).taken());
  server->Stop();
  server->Stop();
  EXPECT_FALSE(Send(*server, OtlpProtocol::kHttp, Signal::kLogs, LogRequest(7)).taken());
  server->WaitForRequests(kPatience);
  EXPECT_EQ(server->TakeRequests().size(), 1u);
}

TEST(MockServerTest, AnAddressInUseIsAnError) {
  const auto server = Started();
  MockServerOptions options;
  options.http.address = server->http_address();
  const auto second = MockOtlpServer::Start(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kServer);
  EXPECT_THAT(second.status().message(), HasSubstr(server->http_address()));
}

TEST(MockServerTest, ListensOnlyToWhatIsEnabled) {
  MockServerOptions options;
  options.grpc.enabled = false;
  const auto server = Started(options);
  EXPECT_EQ(server->grpc_address(), "");
  EXPECT_TRUE(Send(*server, OtlpProtocol::kHttp, Signal::kLogs, LogRequest(7)).taken());
}

}  // namespace
}  // namespace otlp_arrow
