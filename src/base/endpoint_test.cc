#include "base/endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Read(std::string_view url, std::optional<OtlpProtocol> protocol = std::nullopt) {
  auto endpoint = ParseEndpoint(url, protocol);
  return endpoint.ok() ? endpoint->ToString() : "refused";
}

TEST(EndpointTest, GuessesTheProtocol) {
  EXPECT_EQ(Read("http://localhost:4317"), "http://localhost:4317 (grpc)");
  EXPECT_EQ(Read("http://localhost:4318"), "http://localhost:4318 (http)");
  EXPECT_EQ(Read("https://example.com/otlp"), "https://example.com:443/otlp (http)");
  EXPECT_EQ(Read("http://example.com:1234"), "http://example.com:1234 (grpc)");
  EXPECT_EQ(Read("http://example.com:1234", OtlpProtocol::kHttp), "http://example.com:1234 (http)");
}

TEST(EndpointTest, FillsInSchemeAndPort) {
  EXPECT_EQ(Read("localhost:4317"), "http://localhost:4317 (grpc)");
  EXPECT_EQ(Read("localhost"), "http://localhost:4317 (grpc)");
  EXPECT_EQ(Read("http://localhost", OtlpProtocol::kHttp), "http://localhost:4318 (http)");
  EXPECT_EQ(Read("https://localhost"), "https://localhost:443 (grpc)");
  EXPECT_EQ(Read("http://[::1]"), "http://[::1]:4317 (grpc)");
  EXPECT_EQ(Read("http://[::1]:99/"), "http://[::1]:99 (grpc)");
}

TEST(EndpointTest, SignalPathsFollowThePrefix) {
  EXPECT_EQ(ParseEndpoint("http://a:4318")->SignalPath(Signal::kTraces), "/v1/traces");
  EXPECT_EQ(ParseEndpoint("http://a:4318/x/y//")->SignalPath(Signal::kLogs), "/x/y/v1/logs");
}

TEST(EndpointTest, RefusesWithTheReason) {
  const auto error = [](std::string_view url, std::optional<OtlpProtocol> protocol = std::nullopt) {
    auto endpoint = ParseEndpoint(url, protocol);
    EXPECT_FALSE(endpoint.ok()) << url;
    return endpoint.ok() ? std::string() : endpoint.status().message();
  };
  EXPECT_THAT(error(""), AllOf(HasSubstr("endpoint ''"), HasSubstr("no host"), HasSubstr("http://127.0.0.1:4318")));
  EXPECT_THAT(error("ftp://a"), HasSubstr("scheme 'ftp'"));
  EXPECT_THAT(error("http://"), HasSubstr("no host"));
  EXPECT_THAT(error("http://u:p@host:1"), HasSubstr("user name"));
  EXPECT_THAT(error("http://host:1?x=1"), HasSubstr("query"));
  EXPECT_THAT(error("http://host:0"), HasSubstr("port 0"));
  EXPECT_THAT(error("http://host:70000"), HasSubstr("no valid port"));
  EXPECT_THAT(error("http://ho st:1"), HasSubstr("character"));
  EXPECT_THAT(error("http://host:4317/v1", OtlpProtocol::kGrpc), HasSubstr("path '/v1'"));
}

}  // namespace
}  // namespace otlp_arrow
