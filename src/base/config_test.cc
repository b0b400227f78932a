#include "otlp_arrow/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Refusal(const Config& config) {
  const Status status = config.Validate();
  if (status.ok()) return "";
  EXPECT_EQ(status.code(), StatusCode::kConfig);
  return status.message();
}

TEST(ConfigTest, DefaultsAreValid) { EXPECT_EQ(Refusal(Config()), ""); }

TEST(ConfigTest, DefaultPromotedAttributesAreFew) {
  const auto attributes = Config::DefaultPromotedAttributes();
  EXPECT_FALSE(attributes.empty());
  EXPECT_LE(attributes.size(), 12u);
}

TEST(ConfigTest, OutOfRangeNamesKeyValueAndRange) {
  Config config;
  config.write_interval_secs = 0;
  EXPECT_EQ(Refusal(config), "write_interval_secs: 0 is out of range; allowed are 1 to 86400 seconds");
  config = {};
  config.memory_budget = 10;
  EXPECT_EQ(Refusal(config), "memory_budget: 10 is out of range; allowed are 1KiB to 1TiB");
  config = {};
  config.workers = 257;
  EXPECT_EQ(Refusal(config), "workers: 257 is out of range; allowed are 0 to 256");
}

TEST(ConfigTest, EveryNumberIsBounded) {
  const auto refuses = [](auto change, const char* key) {
    Config config;
    change(config);
    EXPECT_THAT(Refusal(config), HasSubstr(std::string(key) + ": ")) << key;
  };
  refuses([](Config& c) { c.write_interval_secs = UINT32_MAX; }, "write_interval_secs");
  refuses([](Config& c) { c.max_file_bytes = 0; }, "max_file_bytes");
  refuses([](Config& c) { c.memory_budget = UINT64_MAX; }, "memory_budget");
  refuses([](Config& c) { c.admission_timeout_ms = 60001; }, "admission_timeout_ms");
  refuses([](Config& c) { c.journal_max_bytes = 0; }, "journal_max_bytes");
  refuses([](Config& c) { c.shutdown_timeout_secs = 0; }, "shutdown_timeout_secs");
  refuses([](Config& c) { c.trace_cleanup_interval_secs = UINT32_MAX; }, "trace_cleanup_interval_secs");
  refuses([](Config& c) { c.metric_cleanup_interval_secs = UINT32_MAX; }, "metric_cleanup_interval_secs");
  refuses([](Config& c) { c.log_cleanup_interval_secs = UINT32_MAX; }, "log_cleanup_interval_secs");
  refuses([](Config& c) { c.max_total_bytes = UINT64_MAX; }, "max_total_bytes");
  refuses([](Config& c) { c.grpc.max_message_bytes = 1ull << 31; }, "grpc.max_message_bytes");
  refuses([](Config& c) { c.http.max_body_bytes = 0; }, "http.max_body_bytes");
  refuses([](Config& c) { c.http.max_connections = 0; }, "http.max_connections");
  refuses([](Config& c) { c.http.idle_timeout_secs = 0; }, "http.idle_timeout_secs");
  refuses([](Config& c) { c.http.request_timeout_secs = 0; }, "http.request_timeout_secs");
}

TEST(ConfigTest, RefusesTextsThatMeanNothing) {
  Config config;
  config.output_dir = "";
  EXPECT_THAT(Refusal(config), HasSubstr("output_dir: ''"));
  config.output_dir = std::string("a\0b", 3);
  EXPECT_THAT(Refusal(config), HasSubstr("NUL"));
  config = {};
  config.log_level = "loud";
  EXPECT_THAT(Refusal(config), AllOf(HasSubstr("log_level: 'loud'"), HasSubstr("warn")));
  config = {};
  config.grpc.address = "localhost";
  EXPECT_THAT(Refusal(config), AllOf(HasSubstr("grpc.address: 'localhost'"), HasSubstr("host:port")));
  config = {};
  config.promote_attributes = {"http.route", ""};
  EXPECT_THAT(Refusal(config), HasSubstr("promote_attributes: an entry is empty"));
}

TEST(ConfigTest, TwoServersCannotShareAPort) {
  Config config;
  config.flight.address = config.grpc.address;
  EXPECT_THAT(Refusal(config), HasSubstr("flight.address: '127.0.0.1:4317' is also grpc.address"));
  config = {};
  config.http.address = config.grpc.address;
  EXPECT_THAT(Refusal(config), HasSubstr("http.address: '127.0.0.1:4317' is also grpc.address"));
  config.grpc.enabled = false;
  EXPECT_EQ(Refusal(config), "");
  config.grpc.enabled = true;
  config.grpc.address = config.http.address = "127.0.0.1:0";
  EXPECT_EQ(Refusal(config), "");
}

TEST(ConfigTest, FlightsTlsIsWholeOrNotThere) {
  Config config;
  config.flight.tls.cert_file = "cert.pem";
  EXPECT_THAT(Refusal(config), HasSubstr("flight.tls.key_file: it is empty"));
  config.flight.tls.key_file = "key.pem";
  EXPECT_EQ(Refusal(config), "");
  config = {};
  config.flight.tls.client_ca_file = "ca.pem";
  EXPECT_THAT(Refusal(config), AllOf(HasSubstr("flight.tls.client_ca_file: 'ca.pem'"), HasSubstr("flight.tls.cert_file")));
}

ForwardingConfig To(const std::string& endpoint) {
  ForwardingConfig destination;
  destination.endpoint = endpoint;
  return destination;
}

TEST(ConfigTest, ForwardingNeedsAJournal) {
  Config config;
  config.acknowledge = Acknowledge::kMemory;
  config.forwarding = {To("http://collector:4317")};
  EXPECT_THAT(Refusal(config), AllOf(HasSubstr("acknowledge: 'memory'"), HasSubstr("journal, fsync")));
  config.forwarding[0].enabled = false;
  EXPECT_EQ(Refusal(config), "");
}

TEST(ConfigTest, ARelayNeedsADestination) {
  Config config;
  config.store = false;
  EXPECT_THAT(Refusal(config), HasSubstr("store: false without a destination"));
  config.forwarding = {To("http://collector:4317")};
  EXPECT_EQ(Refusal(config), "");
  config.forwarding[0].enabled = false;
  EXPECT_THAT(Refusal(config), HasSubstr("store: false without a destination"));
}

TEST(ConfigTest, DestinationsHaveNamesOfTheirOwn) {
  Config config;
  config.forwarding = {To("http://collector:4317"), To("http://other:4318"), To("collector:4317")};
  EXPECT_THAT(Refusal(config), HasSubstr("forwarding[2].name: 'grpc-collector:4317' is also the name of forwarding[0]"));
  config.forwarding[2].name = "second";
  EXPECT_EQ(Refusal(config), "");
  config.forwarding[1].timeout_ms = 0;
  EXPECT_THAT(Refusal(config), HasSubstr("forwarding[1].timeout_ms: 0 is out of range; allowed are 1 to 3600000 milliseconds"));
  config.forwarding.assign(33, To("http://collector:4317"));
  EXPECT_THAT(Refusal(config), HasSubstr("forwarding: 33 destinations; allowed are 0 to 32"));
}

}  // namespace
}  // namespace otlp_arrow
