#include "otlp_arrow/forwarding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

ForwardingConfig To(const std::string& endpoint, const std::string& protocol = "") {
  ForwardingConfig destination;
  destination.endpoint = endpoint;
  destination.protocol = protocol;
  return destination;
}

std::string Refusal(const ForwardingConfig& destination) {
  const Status status = destination.Validate();
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), StatusCode::kConfig);
  EXPECT_THAT(status.message(), StartsWith("forwarding."));
  return status.message();
}

TEST(ForwardingConfigTest, NameComesFromProtocolAndEndpoint) {
  EXPECT_EQ(To("http://collector:4317").DisplayName(), "grpc-collector:4317");
  EXPECT_EQ(To("http://collector:4318").DisplayName(), "http-collector:4318");
  EXPECT_EQ(To("https://collector/otlp").DisplayName(), "http-collector:443/otlp");
  EXPECT_EQ(To("collector:4319").DisplayName(), "flight-collector:4319");
  EXPECT_EQ(To("collector:9000", "flight").DisplayName(), "flight-collector:9000");
  ForwardingConfig named = To("collector:4317");
  named.name = "main";
  EXPECT_EQ(named.DisplayName(), "main");
}

TEST(ForwardingConfigTest, AnEndpointIsAllThatIsNeeded) {
  EXPECT_EQ(Refusal(To("http://collector:4317")), "");
  EXPECT_EQ(Refusal(To("https://collector/prefix")), "");
  EXPECT_EQ(Refusal(To("grpc://collector:4319")), "");
  EXPECT_THAT(Refusal(ForwardingConfig()), HasSubstr("forwarding.endpoint: it is missing; give a URL"));
  EXPECT_THAT(Refusal(To("ftp://collector")), HasSubstr("forwarding.endpoint: "));
  EXPECT_THAT(Refusal(To("collector:4317", "carrier-pigeon")), AllOf(HasSubstr("forwarding.protocol: 'carrier-pigeon'"), HasSubstr("flight")));
  EXPECT_THAT(Refusal(To("http://me:hush@collector:4317")), AllOf(HasSubstr("forwarding.endpoint"), Not(HasSubstr("hush"))));
}

TEST(ForwardingConfigTest, NamesFitIntoMetricsAndFiles) {
  ForwardingConfig destination = To("http://collector:4317");
  destination.name = "two words";
  EXPECT_THAT(Refusal(destination), HasSubstr("forwarding.name: 'two words'"));
  destination.name = std::string(65, 'n');
  EXPECT_THAT(Refusal(destination), HasSubstr("has 65 characters; allowed are 1 to 64"));
  EXPECT_THAT(Refusal(To("http://" + std::string(60, 'h') + ":4317")), HasSubstr("forwarding.name: it is empty, and the endpoint makes"));
}

TEST(ForwardingConfigTest, EachProtocolHasItsCompressions) {
  const auto refusal = [](const std::string& endpoint, const std::string& compression) {
    ForwardingConfig destination = To(endpoint);
    destination.compression = compression;
    return Refusal(destination);
  };
  for (const char* compression : {"none", "gzip"}) EXPECT_EQ(refusal("collector:4317", compression), "") << compression;
  for (const char* compression : {"none", "gzip", "zstd"}) EXPECT_EQ(refusal("collector:4318", compression), "") << compression;
  for (const char* compression : {"none", "lz4", "zstd"}) EXPECT_EQ(refusal("collector:4319", compression), "") << compression;
  EXPECT_THAT(refusal("collector:4317", "zstd"), HasSubstr("forwarding.compression: 'zstd' is not for the protocol grpc; allowed are none, gzip"));
  EXPECT_THAT(refusal("collector:4318", "lz4"), HasSubstr("allowed are none, gzip, zstd"));
  EXPECT_THAT(refusal("collector:4319", "gzip"), HasSubstr("allowed are none, lz4, zstd"));
  EXPECT_THAT(refusal("collector:4319", "none, lz4"), HasSubstr("is unknown"));
}

TEST(ForwardingConfigTest, SignalsAreSomeAndEachOnce) {
  ForwardingConfig destination = To("collector:4317");
  destination.signals = {};
  EXPECT_THAT(Refusal(destination), HasSubstr("forwarding.signals: the list is empty"));
  destination.signals = {Signal::kLogs, Signal::kTraces, Signal::kLogs};
  EXPECT_THAT(Refusal(destination), HasSubstr("forwarding.signals: 'logs' stands there twice"));
  destination.signals.pop_back();
  EXPECT_EQ(Refusal(destination), "");
}

TEST(ForwardingConfigTest, CredentialsDoNotContradictEachOtherAndAreNeverQuoted) {
  const auto refusal = [](auto change) {
    ForwardingConfig destination = To("https://collector:4317");
    change(destination);
    const std::string message = Refusal(destination);
    EXPECT_THAT(message, Not(HasSubstr("hush")));
    return message;
  };
  using F = ForwardingConfig;
  EXPECT_EQ(refusal([](F& f) { f.bearer_token = "hush"; }), "");
  EXPECT_EQ(refusal([](F& f) { f.username = "me"; f.password = "${file:/run/secrets/hush}"; }), "");
  EXPECT_EQ(refusal([](F& f) { f.api_key = "hush"; f.headers = {{"tenant", "a"}}; }), "");
  EXPECT_THAT(refusal([](F& f) { f.password = "hush"; }), HasSubstr("forwarding.username"));
  EXPECT_THAT(refusal([](F& f) { f.username = "me:you"; }), HasSubstr("forwarding.username"));
  EXPECT_THAT(refusal([](F& f) { f.username = "me"; f.bearer_token = "hush"; }), HasSubstr("forwarding.bearer_token"));
  EXPECT_THAT(refusal([](F& f) { f.bearer_token = "hush"; f.headers = {{"Authorization", "hush"}}; }), HasSubstr("forwarding.headers"));
  EXPECT_THAT(refusal([](F& f) { f.api_key = "hush"; f.headers = {{"X-API-Key", "hush"}}; }), HasSubstr("forwarding.headers"));
  EXPECT_THAT(refusal([](F& f) { f.headers = {{"two words", "hush"}}; }), HasSubstr("'two words' is no header's name"));
  EXPECT_THAT(refusal([](F& f) { f.headers = {{"grpc-timeout", "hush"}}; }), HasSubstr("belongs to gRPC"));
  EXPECT_THAT(refusal([](F& f) { f.headers = {{"tenant", "hush\r\nx: y"}}; }), HasSubstr("control character"));
  EXPECT_THAT(refusal([](F& f) { f.bearer_token = "${vault:hush}"; }), HasSubstr("forwarding.bearer_token: a reference is ${env:NAME}"));
  EXPECT_THAT(refusal([](F& f) { f.bearer_token = "<hidden>"; }), HasSubstr("--check-config"));
}

TEST(ForwardingConfigTest, TlsSettingsNeedTls) {
  ForwardingConfig destination = To("http://collector:4317");
  destination.tls.ca_file = "ca.pem";
  EXPECT_THAT(Refusal(destination), AllOf(HasSubstr("forwarding.tls.ca_file: 'ca.pem'"), HasSubstr("write https://collector:4317")));
  destination.endpoint = "https://collector:4317";
  EXPECT_EQ(Refusal(destination), "");
  destination.tls.key_file = "key.pem";
  EXPECT_THAT(Refusal(destination), HasSubstr("forwarding.tls.cert_file: it is empty"));
  destination.tls.cert_file = "cert.pem";
  EXPECT_EQ(Refusal(destination), "");
}

TEST(ForwardingConfigTest, EveryNumberIsBounded) {
  const auto refuses = [](auto change, const char* key) {
    ForwardingConfig destination = To("collector:4317");
    change(destination);
    EXPECT_THAT(Refusal(destination), HasSubstr("forwarding." + std::string(key) + ": ")) << key;
  };
  using F = ForwardingConfig;
  refuses([](F& f) { f.batch_bytes = 1; }, "batch_bytes");
  refuses([](F& f) { f.batch_delay_ms = 60001; }, "batch_delay_ms");
  refuses([](F& f) { f.max_in_flight = 0; }, "max_in_flight");
  refuses([](F& f) { f.max_in_flight = 65; }, "max_in_flight");
  refuses([](F& f) { f.timeout_ms = 0; }, "timeout_ms");
  refuses([](F& f) { f.retry_initial_ms = 0; }, "retry_initial_ms");
  refuses([](F& f) { f.retry_max_ms = 249; }, "retry_max_ms");
  refuses([](F& f) { f.max_retry_secs = UINT32_MAX; }, "max_retry_secs");
  refuses([](F& f) { f.breaker_failures = UINT32_MAX; }, "breaker_failures");
  refuses([](F& f) { f.breaker_open_ms = 0; }, "breaker_open_ms");
}

TEST(ForwardingConfigTest, ReasonsHaveNames) {
  for (size_t i = 0; i < kGiveUpReasonCount; ++i) EXPECT_NE(GiveUpReasonName(static_cast<GiveUpReason>(i)), "");
}

}  // namespace
}  // namespace otlp_arrow
