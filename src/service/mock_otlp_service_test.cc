#include "otlp_arrow/mock_otlp_service.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "senders/sender_factory.h"
#include "otlp/telemetry/encode.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kPatience{20000};  // a limit for what should not fail
constexpr milliseconds kShort{30};        // for what should not come

const Resource kShop{.attributes = {{"service.name", "shop"}}, .schema_url = "https://example.org/r"};
const InstrumentationScope kScope{.name = "checkout", .version = "1"};

Metric CounterNamed(const std::string& name, std::vector<NumberDataPoint> points) {
  return {.name = name, .unit = "1", .data = Sum{std::move(points), AggregationTemporality::kDelta, true}};
}

template <class Encode>
std::string RequestOf(Encode encode) {
  wire::Writer writer;
  encode(&writer);
  return writer.Take();
}

SendOutcome Send(const MockOtlpService& service, OtlpProtocol protocol, Signal signal, const std::string& request) {
  SenderOptions options;
  options.endpoint = *ParseEndpoint(protocol == OtlpProtocol::kGrpc ? service.grpc_endpoint() : service.http_endpoint(), protocol);
  auto sender = MakeSender(options);
  EXPECT_TRUE(sender.ok());
  return (*sender)->Send(signal, request, kPatience);
}
std::string SpanRequest(const Span& span) {
  return RequestOf([&](wire::Writer* out) { EncodeTraces({&span, 1}, kShop, kScope, out); });
}

TEST(MockOtlpServiceTest, GivesBackWhatItWasGiven) {
  MockOtlpService service;
  const Span span{.trace_id = *TraceId::FromHex("0af7651916cd43dd8448eb211c80319c"), .name = "POST /orders", .attributes = {{"order.id", 4711}}};
  const Metric metric = CounterNamed("orders", {{.value = 1}, {.value = 2}});
  const LogRecord record{.body = "paid"};
  ASSERT_TRUE(service.ReceiveTrace(span, kShop, kScope).ok());
  ASSERT_TRUE(service.ReceiveMetrics({kShop, {{kScope, {metric}}}}).ok());
  ASSERT_TRUE(service.ReceiveLog(record, kShop, kScope).ok());

  ASSERT_EQ(service.spans().size(), 1u);
  EXPECT_EQ(service.spans()[0].span, span);
  EXPECT_EQ(service.spans()[0].resource, kShop);
  EXPECT_EQ(service.spans()[0].scope, kScope);
  ASSERT_EQ(service.metrics().size(), 1u);
  EXPECT_EQ(service.metrics()[0].metric, metric);
  EXPECT_EQ(service.metrics()[0].resource, kShop);
  ASSERT_EQ(service.logs().size(), 1u);
  EXPECT_EQ(service.logs()[0].record, record);
  EXPECT_EQ(service.counts().data_points, 2u);
  EXPECT_EQ(service.requests().size(), 3u);
  EXPECT_EQ(service.requests()[0].protocol, "direct");
}

TEST(MockOtlpServiceTest, ReceivesOverBothProtocols) {
  MockOtlpService service;
  ASSERT_TRUE(service.Start().ok());
  ASSERT_TRUE(service.Start().ok()) << "again";
  EXPECT_TRUE(service.is_started());
  EXPECT_TRUE(Send(service, OtlpProtocol::kGrpc, Signal::kTraces, SpanRequest({.name = "over gRPC"})).taken());
  const std::string metrics = RequestOf([](wire::Writer* out) { EncodeMetrics({kShop, {{kScope, {CounterNamed("m", {{.value = 3}})}}}}, out); });
  EXPECT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kMetrics, metrics).taken());
  ASSERT_TRUE(service.WaitForSpans(1, kPatience).ok());
  ASSERT_TRUE(service.WaitForMetrics(1, kPatience).ok());
  EXPECT_EQ(service.spans()[0].span.name, "over gRPC");
  EXPECT_EQ(std::get<Sum>(service.metrics()[0].metric.data).data_points[0].value, Number(3));
  EXPECT_TRUE(service.AssertTracesReceived(1).ok());
  EXPECT_TRUE(service.AssertMetricsReceived(1).ok());
  EXPECT_EQ(service.requests()[1].bytes, metrics);
}

TEST(MockOtlpServiceTest, AWrongCountIsToldWithWhatCame) {
  MockOtlpService service;
  EXPECT_TRUE(service.AssertTracesReceived(0).ok());
  ASSERT_TRUE(service.ReceiveTrace({.name = "first"}).ok());
  ASSERT_TRUE(service.ReceiveTrace({.name = "second"}).ok());
  const Status status = service.AssertTracesReceived(3);
  EXPECT_EQ(status.code(), StatusCode::kExport);
  EXPECT_EQ(status.message(), "expected 3 spans, received 2: 'first', 'second'");
  EXPECT_THAT(service.AssertMetricsReceived(1).message(), HasSubstr("received 0: none"));
  EXPECT_THAT(service.AssertLogsReceived(1).message(), HasSubstr("log records"));
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(service.ReceiveLog({.body = i}).ok());
  EXPECT_THAT(service.AssertLogsReceived(1).message(), HasSubstr("..."));
}

TEST(MockOtlpServiceTest, AWaitEndsWhenItIsThereOrTheTimeIsOver) {
  MockOtlpService service;
  ASSERT_TRUE(service.Start().ok());
  const Status status = service.WaitForLogs(1, kShort);
  EXPECT_EQ(status.code(), StatusCode::kExport);
  EXPECT_THAT(status.message(), HasSubstr("waited 30 ms for 1 log records"));
  EXPECT_TRUE(service.WaitForSpans(0, milliseconds(0)).ok());

  std::thread sender([&] {
    ASSERT_TRUE(service.ReceiveLog({.body = "direct"}).ok());
    ASSERT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, SpanRequest({.name = "sent"})).taken());
  });
  EXPECT_TRUE(service.WaitFor([](const ReceivedCounts& counts) { return counts.log_records == 1 && counts.spans == 1; }, kPatience).ok());
  sender.join();
}

TEST(MockOtlpServiceTest, AWaitWithoutServersSeesWhatOtherThreadsGive) {
  MockOtlpService service;
  std::thread giver([&] { EXPECT_TRUE(service.ReceiveTrace({.name = "given"}).ok()); });
  EXPECT_TRUE(service.WaitForSpans(1, kPatience).ok());
  giver.join();
}

TEST(MockOtlpServiceTest, AnswersAsItIsTold) {
  MockOtlpService service;
  EXPECT_EQ(service.AnswerNext(1, MockAnswer::kRefused).code(), StatusCode::kServer);
  ASSERT_TRUE(service.Start().ok());
  const std::string request = SpanRequest({.name = "a"});
  ASSERT_TRUE(service.AnswerNext(1, MockAnswer::kUnavailable).ok());
  EXPECT_EQ(Send(service, OtlpProtocol::kGrpc, Signal::kTraces, request).kind, SendOutcome::Kind::kRetryable);
  ASSERT_TRUE(service.AnswerNext(1, MockAnswer::kRefused, "never").ok());
  const SendOutcome refused = Send(service, OtlpProtocol::kHttp, Signal::kTraces, request);
  EXPECT_EQ(refused.kind, SendOutcome::Kind::kRefused);
  EXPECT_THAT(refused.message, HasSubstr("never"));
  EXPECT_FALSE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, "\xff\xff").taken());
  EXPECT_EQ(service.refused_requests(), 3u);
  EXPECT_TRUE(service.AssertTracesReceived(0).ok());
  EXPECT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, request).taken());
}

TEST(MockOtlpServiceTest, ResetForgetsAll) {
  MockOtlpService service;
  ASSERT_TRUE(service.Start().ok());
  ASSERT_TRUE(service.ReceiveTrace({.name = "a"}).ok());
  ASSERT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, SpanRequest({.name = "b"})).taken());
  EXPECT_FALSE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, "\xff\xff").taken());
  ASSERT_TRUE(service.AnswerNext(5, MockAnswer::kRefused).ok());
  service.Reset();
  EXPECT_EQ(service.counts().spans, 0u);
  EXPECT_TRUE(service.requests().empty());
  EXPECT_EQ(service.refused_requests(), 0u);
  EXPECT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, SpanRequest({.name = "c"})).taken());
  EXPECT_TRUE(service.AssertTracesReceived(1).ok());
}

TEST(MockOtlpServiceTest, WhatCameStaysAfterTheEnd) {
  MockOtlpService service;
  service.Stop();
  ASSERT_TRUE(service.Start().ok());
  ASSERT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, SpanRequest({.name = "a"})).taken());
  service.Stop();
  EXPECT_FALSE(service.is_started());
  EXPECT_EQ(service.grpc_endpoint(), "");
  EXPECT_TRUE(service.AssertTracesReceived(1).ok());
  ASSERT_TRUE(service.Start().ok()) << "it may listen again";
  EXPECT_TRUE(Send(service, OtlpProtocol::kHttp, Signal::kTraces, SpanRequest({.name = "b"})).taken());
  EXPECT_TRUE(service.AssertTracesReceived(2).ok());
}

TEST(MockOtlpServiceTest, TellsSdksWhereItIs) {
  MockOtlpService service;
  EXPECT_TRUE(service.Environment().empty());
  MockServerOptions options;
  options.grpc.enabled = false;
  ASSERT_TRUE(service.Start(options).ok());
  EXPECT_TRUE(service.Environment("grpc").empty());
  const auto variables = service.Environment("http");
  EXPECT_EQ(variables.at("OTEL_EXPORTER_OTLP_ENDPOINT"), service.http_endpoint());
  EXPECT_EQ(variables.at("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf");
  EXPECT_THAT(service.http_endpoint(), HasSubstr("http://127.0.0.1:"));
}

TEST(MockOtlpServiceTest, RefusesDirectlyWhatTheServiceRejects) {
  MockOtlpService service;
  const Status status = service.ReceiveTrace({.name = "\xff"});
  EXPECT_EQ(status.code(), StatusCode::kExport);
  EXPECT_THAT(status.message(), HasSubstr("UTF-8"));
  EXPECT_TRUE(service.AssertTracesReceived(0).ok());
}

TEST(MockOtlpServiceTest, ManyThreadsGiveAndLook) {
  MockOtlpService service;
  ASSERT_TRUE(service.Start().ok());
  constexpr int kThreads = 8, kRounds = 20;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        EXPECT_TRUE(service.ReceiveTrace({.name = "a"}).ok());
        (void)service.counts();
      }
    });
  }
  EXPECT_TRUE(service.WaitForSpans(kThreads * kRounds, kPatience).ok());
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(service.AssertTracesReceived(kThreads * kRounds).ok());
}

}  // namespace
}  // namespace otlp_arrow
