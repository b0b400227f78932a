// Clients that stall, vanish, lie, or send bombs; and what the others notice of it.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "gzip_reference.h"
#include "http_server_fixture.h"

namespace otlp_arrow {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr std::string_view kExportLine = "POST /v1/logs HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-protobuf\r\n";

class OtlpHttpHostileTest : public HttpServerFixture {
 protected:
  // What every client may expect, whatever the others do.
  void ExpectServes() {
    EXPECT_EQ(Exchange(Post("/v1/traces", "good")).status, 200);
  }
  static std::string Declaring(uint64_t length) { return std::string(kExportLine) + "Content-Length: " + std::to_string(length) + "\r\n\r\n"; }
  static std::string Zstd(const std::string& bytes) {
    std::string frame(ZSTD_compressBound(bytes.size()), '\0');
    frame.resize(ZSTD_compress(frame.data(), frame.size(), bytes.data(), bytes.size(), 1));
    return frame;
  }
};

// --- Requests that could be read in two ways ---

TEST_F(OtlpHttpHostileTest, SmugglingIsRefusedAndTheConnectionEnds) {
  Start();
  const std::string next = Post("/v1/traces", "smuggled");
  for (const std::string& fields : std::vector<std::string>{
           "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
           "Content-Length: 0\r\nContent-Length: 4\r\n\r\n",
           "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
           "Content-Length: 0, 4\r\n\r\n",
           "Content-Length: +4\r\n\r\nabcd",
           "Content-Length: 0x4\r\n\r\nabcd",
           "Content-Length : 4\r\n\r\nabcd",
           "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
           "X: y\r\n Transfer-Encoding: chunked\r\n\r\n",
           "X: y\rTransfer-Encoding: chunked\r\n\r\n",
           "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Content-Length: 0\n\n",
           "Content-Length: 0\r\n\n",
           "Host: other\r\nContent-Length: 0\r\n\r\n",
       }) {
    auto client = Connect();
    client->Send(std::string(kExportLine) + fields + next);
    const auto response = client->Read();
    ASSERT_TRUE(response) << fields;
    EXPECT_EQ(response->status, 400) << fields;
    EXPECT_EQ(response->Header("Connection"), "close") << fields;
    EXPECT_TRUE(client->AtEnd()) << fields;
  }
  EXPECT_TRUE(pipeline_->requests().empty());
  EXPECT_EQ(pipeline_->refusals().size(), 18u);
}

TEST_F(OtlpHttpHostileTest, ChunksAreReadByTheLetter) {
  Start();
  const std::string begin = std::string(kExportLine) + "Transfer-Encoding: chunked\r\n\r\n";
  for (const std::string& chunks : std::vector<std::string>{
           "0x3\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "+3\r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n", "3 \nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n",
           "3\r\nabc0\r\n\r\n", "\r\n3\r\nabc\r\n0\r\n\r\n", "10000000000000003\r\nabc\r\n0\r\n\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n\r\n0\r\n\r\n", "zz\r\n"}) {
    auto client = Connect();
    client->Send(begin + chunks + Post("/v1/traces", "smuggled"));
    const auto response = client->Read();
    ASSERT_TRUE(response) << chunks;
    EXPECT_THAT(response->status, AnyOf(400, 413)) << chunks;
    EXPECT_TRUE(client->AtEnd()) << chunks;
  }
  EXPECT_TRUE(pipeline_->requests().empty());
  for (const char* good : {"3\r\nabc\r\n0\r\n\r\n", "003\r\nabc\r\n000\r\n\r\n", "3;name=value\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n", "1\r\na\r\n2\r\nbc\r\n0;x\r\n\r\n"}) {
    EXPECT_EQ(Exchange(begin + good).status, 200) << good;
  }
  for (const auto& request : pipeline_->requests()) EXPECT_EQ(request.bytes, "abc");
  EXPECT_EQ(pipeline_->requests().size(), 5u);
}

TEST_F(OtlpHttpHostileTest, ChunksNeedHttp11) {
  Start();
  EXPECT_EQ(Exchange("POST /v1/logs HTTP/1.0\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
}

// --- Too much ---

TEST_F(OtlpHttpHostileTest, HeadersEndAtTheirLimit) {
  config_.http.max_header_bytes = 2048;
  Start();
  const std::string start = "GET /healthz HTTP/1.1\r\nHost: t\r\n";
  const auto padded = [&](size_t size) { return start + "X: " + std::string(size - start.size() - 7, 'x') + "\r\n\r\n"; };
  ASSERT_EQ(padded(2048).size(), 2048u);
  EXPECT_EQ(Exchange(padded(2048)).status, 200);
  const auto response = Exchange(padded(2049));
  EXPECT_EQ(response.status, 431);
  EXPECT_THAT(response.body, HasSubstr("http.max_header_bytes"));
  EXPECT_EQ(Exchange("GET /" + std::string(100'000, 'a')).status, 431);
  std::string flood = start;
  while (flood.size() < 1'000'000) flood += "A: b\r\n";
  EXPECT_EQ(Exchange(flood).status, 431);
  ExpectServes();
}

TEST_F(OtlpHttpHostileTest, MemoryGrowsWithWhatHasArrived) {
  config_.http.max_body_bytes = 1 << 30;
  config_.http.max_receive_bytes = 4 << 20;
  Start();
  std::vector<std::unique_ptr<RawHttpClient>> stalled;
  for (int i = 0; i < 30; ++i) {
    stalled.push_back(Connect());
    stalled.back()->Send(Declaring(1 << 30) + "a few bytes");
  }
  ExpectServes();
  EXPECT_LT(pipeline_->largest_allocation(), 1000u);
  EXPECT_EQ(Exchange(Post("/v1/traces", std::string(1 << 20, 'x'))).status, 503) << "30 bodies of 64 kB and this one are more than half of 4 MB";
  EXPECT_EQ(pipeline_->refusals().at(0).reason, "receive_limit");
  stalled.clear();
  int status = 0;
  while (status != 200) status = Exchange(Post("/v1/traces", std::string(1 << 20, 'x'))).status;
}

TEST_F(OtlpHttpHostileTest, RefusalsForWantOfMemoryCanBeRetried) {
  config_.http.max_receive_bytes = 100 << 10;
  Start();
  auto stalled = Connect();
  stalled->Send(Declaring(90'000) + std::string(70'000, 'x'));
  RawHttpResponse response;
  while (response.status != 503) response = Exchange(Chunked("/v1/logs", {std::string(70'000, 'x')}));  // until the other one is read
  EXPECT_EQ(response.Header("Retry-After"), "1");
  EXPECT_THAT(response.body, HasSubstr("http.max_receive_bytes"));
  stalled->Send(std::string(20'000, 'x'));
  EXPECT_EQ(stalled->Read().value_or(RawHttpResponse{}).status, 200);
  EXPECT_EQ(Exchange(Chunked("/v1/logs", {std::string(70'000, 'x')})).status, 200);
}

TEST_F(OtlpHttpHostileTest, OneAddressHasSoManyConnections) {
  config_.http.max_connections_per_client = 2;
  Start();
  auto a = Connect();
  auto b = Connect();
  for (auto* client : {a.get(), b.get()}) {
    client->Send(Post("/v1/traces", "x"));
    EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  }
  auto c = Connect();
  const auto response = c->Read();
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 503);
  EXPECT_THAT(response->body, HasSubstr("http.max_connections_per_client"));
  EXPECT_EQ(pipeline_->refusals().at(0).reason, "connections");
  b.reset();
  c.reset();
  int status = 0;
  while (status != 200) status = Exchange(Post("/v1/traces", "x")).status;
}

TEST_F(OtlpHttpHostileTest, BombsStopAtTheLimit) {
  Start();
  const std::string zeros(64 * config_.http.max_body_bytes, '\0');
  const struct {
    std::string encoding, body, type;
  } bombs[] = {
      {"gzip", Gzip(zeros), "application/x-protobuf"},
      {"gzip", Gzip(zeros), "application/json"},
      {"zstd", Zstd(zeros), "application/x-protobuf"},
      {"gzip", Gzip(Gzip(zeros, 9), 9), "application/x-protobuf"},  // inflated once: no protobuf, which the pipeline finds
  };
  for (const auto& bomb : bombs) {
    const auto response = Exchange(Post("/v1/traces", bomb.body, "Content-Encoding: " + bomb.encoding + "\r\n", bomb.type));
    EXPECT_EQ(response.status, &bomb == &bombs[3] ? 200 : 413);
  }
  EXPECT_LE(pipeline_->largest_allocation(), config_.http.max_body_bytes);
}

TEST_F(OtlpHttpHostileTest, DeepJsonIsRefusedOrRead) {
  Start();
  std::string value;
  for (int i = 0; i < 30'000; ++i) value += R"({"arrayValue":{"values":[)";
  const std::string deep = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":)" + value;
  EXPECT_EQ(Exchange(Post("/v1/logs", deep, "", "application/json")).status, 400);
  EXPECT_EQ(Exchange(Post("/v1/logs", std::string(500'000, '['), "", "application/json")).status, 400);
  EXPECT_EQ(Exchange(Post("/v1/logs", R"({"unknown":)" + std::string(300'000, '[') + std::string(300'000, ']') + "}", "", "application/json")).status, 400);
  for (const auto& refusal : pipeline_->refusals()) EXPECT_EQ(refusal.reason, "malformed");
  ExpectServes();
}

// --- Stalling and vanishing ---

class EveryByteTest : public OtlpHttpHostileTest {
 protected:
  std::vector<std::string> Requests() {
    return {Post("/v1/traces", "a body"), Chunked("/v1/traces", {"a ", "body"}), Post("/v1/traces", Gzip("a body"), "Content-Encoding: gzip\r\n"),
            Post("/v1/traces", R"({"resourceSpans":[]})", "", "application/json"), Post("/nope", "a body"),
            "GET /metrics HTTP/1.1\r\nHost: t\r\n\r\n"};
  }
};

TEST_F(EveryByteTest, ClientsMayVanishAnywhere) {
  Start();
  size_t cut = 0;
  for (const std::string& request : Requests()) {
    for (size_t at = 0; at < request.size(); ++at, ++cut) {
      auto client = Connect();
      client->Send(std::string_view(request).substr(0, at));
      if (at % 2 == 0) client->ShutdownSend();
    }
  }
  EXPECT_TRUE(pipeline_->requests().empty());
  ExpectServes();
  EXPECT_TRUE(WaitForRefusal("incomplete"));
}

TEST_F(EveryByteTest, ClientsThatStallAnywhereAreToldSo) {
  config_.http.max_connections = 100'000;
  Start();
  std::vector<std::unique_ptr<RawHttpClient>> stalled;
  for (const std::string& request : Requests()) {
    for (size_t at = 1; at < request.size(); ++at) {
      stalled.push_back(Connect());
      ASSERT_TRUE(stalled.back()->Send(std::string_view(request).substr(0, at)));
    }
  }
  ExpectServes();  // beside them
  const FastTime time(clock_.get(), std::chrono::seconds(5));
  for (auto& client : stalled) {
    const auto response = client->Read();
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 408);
    EXPECT_TRUE(client->AtEnd());
  }
}

TEST_F(EveryByteTest, BytesMayComeOneByOne) {
  Start();
  for (const std::string& request : Requests()) {
    auto client = Connect();
    for (const char byte : request) client->Send({&byte, 1});
    EXPECT_THAT(client->Read().value_or(RawHttpResponse{}).status, AnyOf(200, 404));
  }
}

TEST_F(OtlpHttpHostileTest, WhoDoesNotReadAnswersIsCutOff) {
  Start();
  auto client = Connect();
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
  const FastTime time(clock_.get(), std::chrono::seconds(1));
  while (client->Send(many)) continue;  // until the server has had enough
  ExpectServes();
}

TEST_F(OtlpHttpHostileTest, LargeBodiesAreDecodedBesideTheLoops) {
  config_.http.max_body_bytes = 32 << 20;
  Start();
  const std::string spans = TraceRequest(200'000);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  const std::string request = Post("/v1/traces", Gzip(spans, 1), "Content-Encoding: gzip\r\n");
  ASSERT_GT(request.size(), 300'000u);
  for (int i = 0; i < 6; ++i) {
    clients.push_back(Connect());
    clients.back()->Send(request);
  }
  for (auto& client : clients) EXPECT_EQ(client->Read().value_or(RawHttpResponse{}).status, 200);
  for (const auto& received : pipeline_->requests()) EXPECT_EQ(received.bytes == spans, true);
  EXPECT_EQ(pipeline_->requests().size(), clients.size());
  // The server may go while they are at it.
  for (auto& client : clients) client->Send(request);
  server_.reset();
}

}  // namespace
}  // namespace otlp_arrow
