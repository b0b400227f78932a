#include "server/http/otlp_http_server.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "gzip_reference.h"
#include "rpc_status_reference.h"
#include "http_server_fixture.h"

namespace otlp_arrow {
namespace {

class OtlpHttpServerTest : public HttpServerFixture {};

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr milliseconds kPatience = std::chrono::seconds(20);  // a limit for what should not fail

// --- Exports ---

TEST_F(OtlpHttpServerTest, HandsOverEachSignalAsSent) {
  Start();
  for (const Signal signal : kAllSignals) {
    const auto response = Exchange(Post("/v1/" + std::string(SignalName(signal)), TraceRequest()));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Header("Content-Type"), "application/x-protobuf");
    EXPECT_EQ(response.Header("Content-Length"), "0");
  }
  const auto requests = pipeline_->requests();
  ASSERT_EQ(requests.size(), 3u);
  for (const Signal signal : kAllSignals) {
    EXPECT_EQ(requests[static_cast<size_t>(signal)].signal, signal);
    EXPECT_EQ(requests[static_cast<size_t>(signal)].bytes, TraceRequest());
  }
}

TEST_F(OtlpHttpServerTest, TakesEmptyAndLargeBodies) {
  Start();
  const std::string large = TraceRequest(50'000);
  ASSERT_GT(large.size(), 500'000u);
  EXPECT_EQ(Exchange(Post("/v1/traces", "")).status, 200);
  EXPECT_EQ(Exchange(Post("/v1/traces", large)).status, 200);
  EXPECT_EQ(Exchange("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\n\r\n").status, 411);
  const auto requests = pipeline_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].bytes, "");
  EXPECT_EQ(requests[1].bytes, large);
}

TEST_F(OtlpHttpServerTest, TellsOfPartialSuccess) {
  Start();
  AcceptResult result;
  result.rejected_items = 2;
  result.rejected_reason = "span_id must be 8 bytes";
  pipeline_->AnswerWith(result);
  const auto response = Exchange(Post("/v1/traces", TraceRequest()));
  EXPECT_EQ(response.status, 200);
  ExportTraceServiceResponse message;
  ASSERT_TRUE(message.ParseFromString(response.body));
  EXPECT_EQ(message.partial_success().rejected_spans(), 2);
  EXPECT_EQ(message.partial_success().error_message(), "span_id must be 8 bytes");
}

TEST_F(OtlpHttpServerTest, TellsOfRefusals) {
  Start();
  RpcStatusReader reader;
  pipeline_->AnswerWith(Refusal(Status::Export("bad tag at byte 3")));
  auto response = Exchange(Post("/v1/traces", "???"));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.Header("Content-Type"), "application/x-protobuf");
  EXPECT_EQ(response.Header("Retry-After"), "");
  EXPECT_EQ(reader.Read(response.body)->message, "bad tag at byte 3");

  pipeline_->AnswerWith(Refusal(Status::BufferFull("memory_budget is used up"), milliseconds{1200}));
  response = Exchange(Post("/v1/logs", ""));
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.Header("Retry-After"), "2");
  EXPECT_EQ(reader.Read(response.body)->code, 8);

  pipeline_->AnswerWith(Refusal(Status::Shutdown("going down")));
  response = Exchange(Post("/v1/logs", ""));
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("Retry-After"), "1");
}

TEST_F(OtlpHttpServerTest, InflatesGzip) {
  Start();
  const std::string request = TraceRequest(1000);
  EXPECT_EQ(Exchange(Post("/v1/traces", Gzip(request), "Content-Encoding: gzip\r\n")).status, 200);
  EXPECT_EQ(Exchange(Post("/v1/traces", request, "Content-Encoding: Identity\r\n")).status, 200);
  EXPECT_EQ(Exchange(Chunked("/v1/traces", {Gzip(request)}, "Content-Encoding: gzip\r\n")).status, 200);
  for (const auto& received : pipeline_->requests()) EXPECT_EQ(received.bytes, request);
  EXPECT_EQ(pipeline_->requests().size(), 3u);
}

TEST_F(OtlpHttpServerTest, InflatesZstd) {
  Start();
  const std::string request = TraceRequest(1000);
  std::string frame(ZSTD_compressBound(request.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), request.data(), request.size(), 1));
  EXPECT_EQ(Exchange(Post("/v1/traces", frame, "Content-Encoding: zstd\r\n")).status, 200);
  EXPECT_EQ(Exchange(Chunked("/v1/traces", {frame}, "Content-Encoding: ZSTD\r\n")).status, 200);
  for (const auto& received : pipeline_->requests()) EXPECT_EQ(received.bytes, request);
  EXPECT_EQ(Exchange(Post("/v1/traces", "this is not zstd", "Content-Encoding: zstd\r\n")).status, 400);
  EXPECT_EQ(pipeline_->requests().size(), 2u);
}

TEST_F(OtlpHttpServerTest, InflatesDeflate) {
  Start();
  const std::string request = TraceRequest(1000);
  for (const int window_bits : {15, -15}) {
    EXPECT_EQ(Exchange(Post("/v1/traces", Deflate(request, window_bits), "Content-Encoding: deflate\r\n")).status, 200);
  }
  for (const auto& received : pipeline_->requests()) EXPECT_EQ(received.bytes, request);
  EXPECT_EQ(Exchange(Post("/v1/traces", "this is no deflate", "Content-Encoding: deflate\r\n")).status, 400);
  EXPECT_EQ(pipeline_->requests().size(), 2u);
}

TEST_F(OtlpHttpServerTest, ReadsJson) {
  Start();
  const std::string json = R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"span 0"},{"name":"span 1"},{"name":"span 2"}]}]}]})";
  for (const std::string& request :
       {Post("/v1/traces", json, "", "application/json"), Post("/v1/traces", json, "", "application/json; charset=utf-8"),
        Post("/v1/traces", Gzip(json), "Content-Encoding: gzip\r\n", "application/json")}) {
    const auto response = Exchange(request);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Header("Content-Type"), "application/json");
    EXPECT_EQ(response.body, "{}");
  }
  for (const auto& received : pipeline_->requests()) EXPECT_EQ(received.bytes, TraceRequest(3));
  EXPECT_EQ(pipeline_->requests().size(), 3u);
  AcceptResult partly;
  partly.rejected_items = 2;
  pipeline_->AnswerWith(partly);
  EXPECT_EQ(Exchange(Post("/v1/metrics", "{}", "", "application/json")).body, R"({"partialSuccess":{"rejectedDataPoints":"2"}})");
}

TEST_F(OtlpHttpServerTest, RefusesWhatIsNoJson) {
  Start();
  for (const char* body : {"", "{", "[]", "null", "{\"resourceSpans\":7}", "\xff\xfe", "{} {}"}) {
    const auto response = Exchange(Post("/v1/traces", body, "", "application/json"));
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(response.Header("Content-Type"), "application/json");
    EXPECT_THAT(response.body, HasSubstr(R"({"code":3,"message":")"));
  }
  EXPECT_TRUE(pipeline_->requests().empty());
  EXPECT_EQ(pipeline_->refusals().at(0).reason, "malformed");
}

TEST_F(OtlpHttpServerTest, RefusesDamagedGzip) {
  Start();
  const auto response = Exchange(Post("/v1/traces", "this is not gzip", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(RpcStatusReader().Read(response.body)->message, HasSubstr("gzip"));
  EXPECT_TRUE(pipeline_->requests().empty());
  EXPECT_EQ(pipeline_->refusals().at(0).reason, "bad_compression");
}

TEST_F(OtlpHttpServerTest, GzipBombIsRefusedWithinTheLimit) {
  Start();
  const std::string bomb = Gzip(std::string(16 * config_.http.max_body_bytes, '\0'));
  const auto response = Exchange(Post("/v1/traces", bomb, "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(response.body, HasSubstr("http.max_body_bytes"));
  EXPECT_LE(pipeline_->largest_allocation(), config_.http.max_body_bytes);
  EXPECT_EQ(pipeline_->refusals().at(0).reason, "too_large");
}

TEST_F(OtlpHttpServerTest, RefusesLargerBodiesBeforeTheyArrive) {
  Start();
  auto client = Connect();
  client->Send("POST /v1/logs HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1048577\r\n\r\n");
  const auto response = client->Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413);
  EXPECT_THAT(response->body, HasSubstr("1048577 bytes"));
  EXPECT_THAT(response->body, HasSubstr("limit of 1048576 bytes"));
  EXPECT_EQ(response->Header("Connection"), "close");
  EXPECT_EQ(pipeline_->largest_allocation(), 0u);
  EXPECT_EQ(pipeline_->refusals().at(0).reason, "too_large");
}

TEST_F(OtlpHttpServerTest, AClientThatSendsAllBeforeReadingStillReadsTheRefusal) {
  Start();
  const auto response = Exchange(Post("/v1/logs", std::string(4 * config_.http.max_body_bytes, 'x')));
  EXPECT_EQ(response.status, 413);
}

TEST_F(OtlpHttpServerTest, BodiesOfTheLimitAreTaken) {
  Start();
  EXPECT_EQ(Exchange(Post("/v1/logs", std::string(config_.http.max_body_bytes, 'x'))).status, 200);
  EXPECT_EQ(Exchange(Chunked("/v1/logs", {std::string(config_.http.max_body_bytes, 'x')})).status, 200);
}

TEST_F(OtlpHttpServerTest, ReadsChunkedBodiesHoweverTheyArrive) {
  Start();
  const std::string request = Chunked("/v1/traces", {"first", std::string(10'000, 'x'), "last"});
  auto client = Connect();
  for (size_t i = 0; i < request.size(); i += 97) client->Send(std::string_view(request).substr(i, 97));
  auto response = client->Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  client->Send(request);  // the connection goes on
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  for (const auto& received : pipeline_->requests()) EXPECT_EQ(received.bytes, "first" + std::string(10'000, 'x') + "last");
  EXPECT_EQ(pipeline_->requests().size(), 2u);
}

TEST_F(OtlpHttpServerTest, RefusesLargerAndMalformedChunkedBodies) {
  Start();
  const auto response = Exchange(Chunked("/v1/traces", std::vector<std::string>(3, std::string(500'000, 'x'))));
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(Exchange("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\n"
                     "Transfer-Encoding: chunked\r\n\r\nnot a size\r\n").status, 400);
  EXPECT_EQ(Exchange("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n5;" + std::string(100'000, 'e')).status, 400);
  EXPECT_TRUE(pipeline_->requests().empty());
}

// --- What is not taken ---

TEST_F(OtlpHttpServerTest, RefusesOtherTypesAndEncodings) {
  Start();
  auto response = Exchange(Post("/v1/traces", "{}", "", "application/x-www-form-urlencoded"));
  EXPECT_EQ(response.status, 415);
  EXPECT_EQ(response.Header("Content-Type"), "application/json");
  EXPECT_THAT(response.body, HasSubstr("application/json"));
  EXPECT_THAT(response.body, HasSubstr("application/x-protobuf"));
  EXPECT_EQ(Exchange("POST /v1/traces HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n").status, 415);
  response = Exchange(Post("/v1/traces", "x", "Content-Encoding: br\r\n"));
  EXPECT_EQ(response.status, 415);
  EXPECT_THAT(response.body, HasSubstr("gzip"));
  EXPECT_TRUE(pipeline_->requests().empty());
}

TEST_F(OtlpHttpServerTest, RefusesOtherPathsAndMethods) {
  Start();
  EXPECT_EQ(Exchange(Post("/v1/profiles", "x")).status, 404);
  EXPECT_EQ(Get("/nope").status, 404);
  auto response = Get("/v1/traces");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Header("Allow"), "POST");
  EXPECT_EQ(response.Header("Content-Type"), "application/json");
  response = Exchange(Post("/metrics", "x"));
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Header("Allow"), "GET, HEAD");
}

TEST_F(OtlpHttpServerTest, AfterASmallUnwantedBodyTheConnectionGoesOn) {
  Start();
  auto client = Connect();
  client->Send(Post("/nope", std::string(20'000, 'x')) + Post("/v1/traces", "next"));
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 404);
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  EXPECT_EQ(pipeline_->requests().at(0).bytes, "next");
}

TEST_F(OtlpHttpServerTest, RefusesWhatIsNotHttp) {
  Start();
  EXPECT_EQ(Exchange("hello\r\n\r\n").status, 400);
  EXPECT_EQ(Exchange("GET / HTTP/1.1\r\n\r\n").status, 400);  // no Host
  EXPECT_EQ(Exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 505);
  EXPECT_EQ(Exchange("GET / HTTP/1.1\r\nHost: t\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n").status, 431);
  EXPECT_EQ(Exchange("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(Exchange("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Length: -5\r\n\r\n").status, 400);
  EXPECT_EQ(Exchange("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999999\r\n\r\n").status, 400);
}

// --- The connection ---

TEST_F(OtlpHttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Start();
  auto client = Connect();
  client->Send(Post("/v1/traces", "one") + Post("/v1/metrics", std::string(9000, '2')) + "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n" +
               Post("/v1/logs", "three"));
  for (const char* body : {"", "", "ok\n", ""}) {
    const auto response = client->Read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, body);
  }
  const auto requests = pipeline_->requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[1].bytes, std::string(9000, '2'));
  EXPECT_EQ(requests[2].bytes, "three");
}

TEST_F(OtlpHttpServerTest, ClosesWhereTheClientAsksForIt) {
  Start();
  auto client = Connect();
  client->Send(Post("/v1/traces", "x", "Connection: close\r\n"));
  const auto response = client->Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->Header("Connection"), "close");
  EXPECT_TRUE(client->AtEnd());

  auto old = Connect();
  old->Send("GET /healthz HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old->Read().value_or(RawHttpResponse{}).body, "ok\n");
  EXPECT_TRUE(old->AtEnd());
}

TEST_F(OtlpHttpServerTest, AnswersClientsThatHaveShutTheirSide) {
  Start();
  auto client = Connect();
  client->Send(Post("/v1/traces", "x"));
  client->ShutdownSend();
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  EXPECT_TRUE(client->AtEnd());
}

TEST_F(OtlpHttpServerTest, Says100Continue) {
  Start();
  auto client = Connect();
  client->Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client->Read(true).value_or(RawHttpResponse{}).status, 100);
  client->Send("body");
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  EXPECT_EQ(pipeline_->requests().at(0).bytes, "body");
}

TEST_F(OtlpHttpServerTest, RefusesBeforeTheBodyWhereTheClientWaits) {
  Start();
  auto client = Connect();
  client->Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: text/html\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 415);
}

TEST_F(OtlpHttpServerTest, CutsOffSlowRequests) {
  Start();
  auto slow_header = Connect();
  slow_header->Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\n");
  auto slow_body = Connect();
  slow_body->Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\nContent-Length: 4\r\n\r\nbo");
  auto slow_chunk = Connect();
  slow_chunk->Send("POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo");
  const FastTime time(clock_.get(), std::chrono::seconds(config_.http.request_timeout_secs / 10));
  for (auto* client : {slow_header.get(), slow_body.get(), slow_chunk.get()}) {
    const auto response = client->Read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 408);
    EXPECT_THAT(response->body, HasSubstr(client == slow_header.get() ? "http.header_timeout_secs" : "http.request_timeout_secs"));
    EXPECT_TRUE(client->AtEnd());
  }
  EXPECT_TRUE(pipeline_->requests().empty());
  ASSERT_EQ(pipeline_->refusals().size(), 2u);  // a header says not yet that it is an export
  for (const auto& refusal : pipeline_->refusals()) EXPECT_EQ(refusal.reason, "timeout");
}

TEST_F(OtlpHttpServerTest, ClosesIdleConnections) {
  Start();
  auto client = Connect();
  client->Send(Post("/v1/traces", "x"));
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  EXPECT_EQ(Get("/healthz").status, 200);
  clock_->Advance(std::chrono::seconds(config_.http.idle_timeout_secs - 1));
  client->Send(Post("/v1/traces", "y"));
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  const FastTime time(clock_.get(), std::chrono::seconds(config_.http.idle_timeout_secs));
  EXPECT_TRUE(client->AtEnd());
}

TEST_F(OtlpHttpServerTest, RefusesConnectionsOverTheLimit) {
  config_.http.max_connections = 2;
  Start();
  auto a = Connect();
  auto b = Connect();
  for (auto* client : {a.get(), b.get()}) {
    client->Send(Post("/v1/traces", "x"));
    EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  }
  auto c = Connect();
  const auto response = c->Read();  // before any request
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->Header("Retry-After"), "1");
  EXPECT_THAT(response->body, HasSubstr("http.max_connections"));
  EXPECT_TRUE(c->AtEnd());
  c.reset();
  a.reset();
  // The place is free as soon as the server has seen the end.
  int status = 0;
  while (status != 200) {
    auto d = Connect();
    d->Send(Post("/v1/traces", "x"));
    status = d->Read().value_or(RawHttpResponse{}).status;
  }
}

TEST_F(OtlpHttpServerTest, ServesManyConnections) {
  Start();
  constexpr int kClients = 100;
  constexpr int kRounds = 20;
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(Connect());
  const std::string request = Post("/v1/traces", TraceRequest(100));
  for (int round = 0; round < kRounds; ++round) {
    for (auto& client : clients) client->Send(request);
    for (auto& client : clients) ASSERT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  }
  EXPECT_EQ(pipeline_->requests().size(), static_cast<size_t>(kClients * kRounds));
}

// --- Decisions that come later, and the end ---

TEST_F(OtlpHttpServerTest, AnswersWhenThePipelineDecidesLater) {
  Start();
  pipeline_->Defer();
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(Connect());
    clients.back()->Send(Post("/v1/traces", "x") + Post("/v1/traces", "y"));
  }
  pipeline_->WaitForRequests(clients.size());
  EXPECT_EQ(Get("/healthz").status, 200);  // the server goes on meanwhile
  std::thread release([this] { pipeline_->Release(); });
  for (auto& client : clients) {
    EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
    EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  }
  release.join();
  EXPECT_EQ(pipeline_->requests().size(), 2 * clients.size());
}

TEST_F(OtlpHttpServerTest, ClientMayLeaveBeforeTheDecision) {
  Start();
  pipeline_->Defer();
  auto client = Connect();
  client->Send(Post("/v1/traces", "x"));
  pipeline_->WaitForRequests(1);
  client.reset();
  pipeline_->Release();
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(OtlpHttpServerTest, WaitingForADecisionIsNotATimeOut) {
  Start();
  pipeline_->Defer(1);
  auto client = Connect();
  client->Send(Post("/v1/traces", "x"));
  pipeline_->WaitForRequests(1);
  auto idle = Connect();
  {
    const FastTime time(clock_.get(), std::chrono::hours(1));
    EXPECT_TRUE(idle->AtEnd());
  }
  pipeline_->Release();
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
}

TEST_F(OtlpHttpServerTest, ShutdownAnswersRequestsUnderWay) {
  Start();
  auto idle = Connect();
  idle->Send(Post("/v1/traces", "x"));
  EXPECT_EQ(idle->Read().value_or(RawHttpResponse{}).status, 200);
  pipeline_->Defer(1);
  auto deciding = Connect();
  deciding->Send(Post("/v1/traces", "x"));
  pipeline_->WaitForRequests(2);
  auto reading = Connect();
  const std::string request = Post("/v1/traces", "x", "Expect: 100-continue\r\n");
  reading->Send(request.substr(0, request.size() - 1));
  EXPECT_EQ(reading->Read(true).value_or(RawHttpResponse{}).status, 100);

  auto shutdown = std::async(std::launch::async, [this] { server_->Shutdown(kPatience); });
  EXPECT_TRUE(idle->AtEnd());
  EXPECT_FALSE(Connect()->connected());
  EXPECT_EQ(shutdown.wait_for(milliseconds{0}), std::future_status::timeout);
  reading->Send("x");
  pipeline_->Release();
  for (auto* client : {deciding.get(), reading.get()}) {
    const auto response = client->Read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->Header("Connection"), "close");
    EXPECT_TRUE(client->AtEnd());
  }
  shutdown.wait();
  server_->Shutdown(kPatience);  // no effect
}

TEST_F(OtlpHttpServerTest, ShutdownGivesUpAtTheDeadline) {
  Start();
  pipeline_->Defer();
  auto client = Connect();
  client->Send(Post("/v1/traces", "x"));
  pipeline_->WaitForRequests(1);
  server_->Shutdown(milliseconds{10});
  EXPECT_TRUE(client->AtEnd());
  server_.reset();
  pipeline_->Release();  // comes too late and finds nobody
}

// --- Pages and addresses ---

TEST_F(OtlpHttpServerTest, HasPages) {
  Start();
  EXPECT_EQ(Get("/healthz").body, "ok\n");
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_THAT(Get("/").body, HasSubstr("otlp-arrow"));
  EXPECT_THAT(Get("/metrics").body, HasSubstr("otlp_arrow_items_total"));
  pipeline_->SetNotReady("the disk is full");
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/healthz").status, 200);

  auto client = Connect();
  client->Send("HEAD /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client->Read(true).value_or(RawHttpResponse{}).Header("Content-Length"), "3");
  EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).body, "ok\n");
}

TEST_F(OtlpHttpServerTest, SaysWhereItListens) {
  config_.http.address = "localhost:0";
  Start();
  EXPECT_GT(server_->port(), 0);
  EXPECT_EQ(server_->address(), "localhost:" + std::to_string(server_->port()));
  EXPECT_EQ(Get("/healthz").status, 200);  // over IPv4, whatever else localhost is
}

TEST_F(OtlpHttpServerTest, PortInUseIsAClearError) {
  Start();
  config_.http.address = server_->address();
  const auto second = OtlpHttpServer::Start(config_, pipeline_.get());
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kServer);
  EXPECT_THAT(second.status().message(), HasSubstr("http.address"));
  EXPECT_THAT(second.status().message(), HasSubstr(server_->address()));
  EXPECT_THAT(second.status().message(), HasSubstr("in use"));
}

TEST_F(OtlpHttpServerTest, BadAddressesAreClearErrors) {
  for (const char* address : {"127.0.0.1", "no.such.host.invalid:4318", "192.0.2.1:4318", "127.0.0.1:99999"}) {
    config_.http.address = address;
    const auto server = OtlpHttpServer::Start(config_, pipeline_.get());
    ASSERT_FALSE(server.ok()) << address;
    EXPECT_EQ(server.status().code(), StatusCode::kServer);
    EXPECT_THAT(server.status().message(), HasSubstr(address));
  }
}

TEST_F(OtlpHttpServerTest, ThePortIsFreeAfterShutdown) {
  Start();
  EXPECT_EQ(Get("/healthz").status, 200);
  config_.http.address = server_->address();
  server_->Shutdown(kPatience);
  const auto second = OtlpHttpServer::Start(config_, pipeline_.get());
  EXPECT_TRUE(second.ok()) << second.status().ToString();
}

}  // namespace
}  // namespace otlp_arrow
