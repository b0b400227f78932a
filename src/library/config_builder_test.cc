#include "otlp_arrow/config_builder.h"

#include <cstdlib>
#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/config_keys.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Sets an environment variable for the time of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

// Each key, a call of its method, and the value as ConfigKey::get shows it.
struct Call {
  std::function<void(ConfigBuilder&)> call;
  std::string value;
};
const std::map<std::string, Call>& Calls() {
  using B = ConfigBuilder;
  static const std::map<std::string, Call> calls = {
      {"output_dir", {[](B& b) { b.output_dir("/data"); }, "/data"}},
      {"format", {[](B& b) { b.format(FileFormat::kArrow); }, "arrow"}},
      {"compression", {[](B& b) { b.compression(Compression::kLz4); }, "lz4"}},
      {"acknowledge", {[](B& b) { b.acknowledge(Acknowledge::kFsync); }, "fsync"}},
      {"write_interval_secs", {[](B& b) { b.write_interval_secs(11); }, "11"}},
      {"max_file_bytes", {[](B& b) { b.max_file_bytes(3 << 20); }, "3MiB"}},
      {"promote_attributes", {[](B& b) { b.promote_attributes({"k:int64"}); }, "k:int64"}},
      {"trace_cleanup_interval_secs", {[](B& b) { b.trace_cleanup_interval_secs(12); }, "12"}},
      {"metric_cleanup_interval_secs", {[](B& b) { b.metric_cleanup_interval_secs(13); }, "13"}},
      {"log_cleanup_interval_secs", {[](B& b) { b.log_cleanup_interval_secs(14); }, "14"}},
      {"max_total_bytes", {[](B& b) { b.max_total_bytes(5 << 20); }, "5MiB"}},
      {"memory_budget", {[](B& b) { b.memory_budget(6 << 20); }, "6MiB"}},
      {"admission_timeout_ms", {[](B& b) { b.admission_timeout_ms(15); }, "15"}},
      {"journal_max_bytes", {[](B& b) { b.journal_max_bytes(7 << 20); }, "7MiB"}},
      {"workers", {[](B& b) { b.workers(3); }, "3"}},
      {"shutdown_timeout_secs", {[](B& b) { b.shutdown_timeout_secs(16); }, "16"}},
      {"log_level", {[](B& b) { b.log_level("error"); }, "error"}},
      {"grpc.enabled", {[](B& b) { b.grpc_enabled(false); }, "false"}},
      {"grpc.address", {[](B& b) { b.grpc_address("127.0.0.1:1"); }, "127.0.0.1:1"}},
      {"grpc.max_message_bytes", {[](B& b) { b.grpc_max_message_bytes(8 << 20); }, "8MiB"}},
      {"http.enabled", {[](B& b) { b.http_enabled(false); }, "false"}},
      {"http.address", {[](B& b) { b.http_address("127.0.0.1:2"); }, "127.0.0.1:2"}},
      {"http.max_body_bytes", {[](B& b) { b.http_max_body_bytes(9 << 20); }, "9MiB"}},
      {"http.max_connections", {[](B& b) { b.http_max_connections(17); }, "17"}},
      {"http.idle_timeout_secs", {[](B& b) { b.http_idle_timeout_secs(18); }, "18"}},
      {"http.request_timeout_secs", {[](B& b) { b.http_request_timeout_secs(19); }, "19"}},
      {"store", {[](B& b) { b.store(false); }, "false"}},
      {"forward_backlog_max_bytes", {[](B& b) { b.forward_backlog_max_bytes(10 << 20); }, "10MiB"}},
      {"flight.enabled", {[](B& b) { b.flight_enabled(false); }, "false"}},
      {"flight.address", {[](B& b) { b.flight_address("127.0.0.1:3"); }, "127.0.0.1:3"}},
      {"flight.tls.cert_file", {[](B& b) { b.flight_tls_cert_file("cert.pem"); }, "cert.pem"}},
      {"flight.tls.key_file", {[](B& b) { b.flight_tls_key_file("key.pem"); }, "key.pem"}},
      {"flight.tls.client_ca_file", {[](B& b) { b.flight_tls_client_ca_file("ca.pem"); }, "ca.pem"}},
      {"flight.bearer_token", {[](B& b) { b.flight_bearer_token("${env:TOKEN}"); }, "${env:TOKEN}"}},
      {"flight.max_batch_bytes", {[](B& b) { b.flight_max_batch_bytes(11 << 20); }, "11MiB"}},
      {"flight.max_streams", {[](B& b) { b.flight_max_streams(20); }, "20"}},
      {"parquet.row_group_rows", {[](B& b) { b.parquet_row_group_rows(2048); }, "2048"}},
      {"compaction.enabled", {[](B& b) { b.compaction_enabled(true); }, "true"}},
      {"compaction.interval_secs", {[](B& b) { b.compaction_interval_secs(103); }, "103"}},
      {"compaction.min_age_secs", {[](B& b) { b.compaction_min_age_secs(104); }, "104"}},
      {"compaction.min_files", {[](B& b) { b.compaction_min_files(105); }, "105"}},
      {"compaction.target_file_bytes", {[](B& b) { b.compaction_target_file_bytes(106 << 10); }, "106KiB"}},
      {"compaction.window_secs", {[](B& b) { b.compaction_window_secs(107); }, "107"}},
      {"compaction.format", {[](B& b) { b.compaction_format(FileFormat::kParquet); }, "parquet"}},
      {"compaction.partition", {[](B& b) { b.compaction_partition(Partitioning::kHour); }, "hour"}},
      {"log_format", {[](B& b) { b.log_format("json"); }, "json"}},
      {"limits.max_attributes", {[](B& b) { b.limits_max_attributes(108); }, "108"}},
      {"limits.max_value_depth", {[](B& b) { b.limits_max_value_depth(5); }, "5"}},
      {"tls.cert_file", {[](B& b) { b.tls_cert_file("tls_cert_file.pem"); }, "tls_cert_file.pem"}},
      {"tls.key_file", {[](B& b) { b.tls_key_file("tls_key_file.pem"); }, "tls_key_file.pem"}},
      {"tls.client_ca_file", {[](B& b) { b.tls_client_ca_file("tls_client_ca_file.pem"); }, "tls_client_ca_file.pem"}},
      {"auth.bearer_tokens", {[](B& b) { b.auth_bearer_tokens({"${env:TOKEN}"}); }, "${env:TOKEN}"}},
      {"auth.headers", {[](B& b) { b.auth_headers({{"x-api-key", "${env:KEY}"}}); }, "x-api-key=${env:KEY}"}},
      {"grpc.tls.cert_file", {[](B& b) { b.grpc_tls_cert_file("grpc_tls_cert_file.pem"); }, "grpc_tls_cert_file.pem"}},
      {"grpc.tls.key_file", {[](B& b) { b.grpc_tls_key_file("grpc_tls_key_file.pem"); }, "grpc_tls_key_file.pem"}},
      {"grpc.tls.client_ca_file", {[](B& b) { b.grpc_tls_client_ca_file("grpc_tls_client_ca_file.pem"); }, "grpc_tls_client_ca_file.pem"}},
      {"grpc.max_receive_bytes", {[](B& b) { b.grpc_max_receive_bytes(115 << 10); }, "115KiB"}},
      {"grpc.max_metadata_bytes", {[](B& b) { b.grpc_max_metadata_bytes(116 << 10); }, "116KiB"}},
      {"grpc.max_streams_per_connection", {[](B& b) { b.grpc_max_streams_per_connection(117); }, "117"}},
      {"grpc.keepalive_time_secs", {[](B& b) { b.grpc_keepalive_time_secs(118); }, "118"}},
      {"grpc.keepalive_timeout_secs", {[](B& b) { b.grpc_keepalive_timeout_secs(119); }, "119"}},
      {"grpc.min_ping_interval_secs", {[](B& b) { b.grpc_min_ping_interval_secs(120); }, "120"}},
      {"grpc.max_connection_idle_secs", {[](B& b) { b.grpc_max_connection_idle_secs(121); }, "121"}},
      {"grpc.max_connection_age_secs", {[](B& b) { b.grpc_max_connection_age_secs(122); }, "122"}},
      {"grpc.max_connection_age_grace_secs", {[](B& b) { b.grpc_max_connection_age_grace_secs(123); }, "123"}},
      {"grpc.reflection", {[](B& b) { b.grpc_reflection(false); }, "false"}},
      {"http.tls.cert_file", {[](B& b) { b.http_tls_cert_file("http_tls_cert_file.pem"); }, "http_tls_cert_file.pem"}},
      {"http.tls.key_file", {[](B& b) { b.http_tls_key_file("http_tls_key_file.pem"); }, "http_tls_key_file.pem"}},
      {"http.tls.client_ca_file", {[](B& b) { b.http_tls_client_ca_file("http_tls_client_ca_file.pem"); }, "http_tls_client_ca_file.pem"}},
      {"http.max_receive_bytes", {[](B& b) { b.http_max_receive_bytes(128 << 10); }, "128KiB"}},
      {"http.max_header_bytes", {[](B& b) { b.http_max_header_bytes(129 << 10); }, "129KiB"}},
      {"http.max_connections_per_client", {[](B& b) { b.http_max_connections_per_client(130); }, "130"}},
      {"http.header_timeout_secs", {[](B& b) { b.http_header_timeout_secs(131); }, "131"}},
      {"http.cors_allowed_origins", {[](B& b) { b.http_cors_allowed_origins({"https://app.example"}); }, "https://app.example"}},
      {"http.cors_allowed_headers", {[](B& b) { b.http_cors_allowed_headers({"x-tenant"}); }, "x-tenant"}},
      {"http.cors_max_age_secs", {[](B& b) { b.http_cors_max_age_secs(132); }, "132"}},
      {"http.metrics_without_auth", {[](B& b) { b.http_metrics_without_auth(true); }, "true"}},
      {"self_telemetry", {[](B& b) { b.self_telemetry(true); }, "true"}},
  };
  return calls;
}

// A configuration that is whole once `key` is set to its value above.
Config Neighbours(const std::string& key) {
  Config config;
  const std::pair<const char*, ServerTlsConfig*> tls[] = {
      {"tls.", &config.tls}, {"grpc.tls.", &config.grpc.tls}, {"http.tls.", &config.http.tls}, {"flight.tls.", &config.flight.tls}};
  for (const auto& [section, files] : tls) {
    if (key.starts_with(section)) files->cert_file = files->key_file = "other.pem";
  }
  if (key == "store") config.forwarding.emplace_back().endpoint = "http://collector:4317";
  return config;
}

TEST(ConfigBuilderTest, EveryKeyHasItsMethod) {
  for (const ConfigKey& key : ConfigKeys()) {
    SCOPED_TRACE(key.name);
    const auto found = Calls().find(key.name);
    ASSERT_NE(found, Calls().end()) << "ConfigBuilder lacks a method for this key";
    ConfigBuilder builder(Neighbours(key.name));
    found->second.call(builder);
    const auto config = builder.Build();
    ASSERT_TRUE(config.ok()) << config.status().ToString();
    EXPECT_EQ(key.get(*config), std::vector<std::string>{found->second.value});
    for (const ConfigKey& other : ConfigKeys()) {
      if (other.name == key.name) continue;
      EXPECT_EQ(other.get(*config), other.get(Neighbours(key.name))) << other.name;
    }
  }
  EXPECT_EQ(Calls().size(), ConfigKeys().size());
}

TEST(ConfigBuilderTest, CodeBeatsEnvironmentBeatsWhatItBeganWithBeatsDefaults) {
  const Variable dir("OTLP_OUTPUT_DIR", "environment"), interval("OTLP_WRITE_INTERVAL_SECS", "22"), unset("OTLP_WORKERS", "");
  const Variable address("OTLP_GRPC_ADDRESS", "127.0.0.1:99"), promote("OTLP_PROMOTE_ATTRIBUTES", "a, b:int64");
  Config base;
  base.output_dir = "base";
  base.write_interval_secs = 33;
  base.workers = 7;
  base.max_file_bytes = 1 << 20;
  const auto config = ConfigBuilder(base).output_dir("code").FromEnvironment().max_total_bytes(9).Build();
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->output_dir, "code");
  EXPECT_EQ(config->write_interval_secs, 22u);
  EXPECT_EQ(config->grpc.address, "127.0.0.1:99");
  EXPECT_EQ(config->promote_attributes, (std::vector<std::string>{"a", "b:int64"}));
  EXPECT_EQ(config->workers, 7u);
  EXPECT_EQ(config->max_file_bytes, 1u << 20);
  EXPECT_EQ(config->max_total_bytes, 9u);
  EXPECT_EQ(config->memory_budget, Config().memory_budget);
}

TEST(ConfigBuilderTest, TheEnvironmentCountsOnlyWhereItIsAskedFor) {
  const Variable interval("OTLP_WRITE_INTERVAL_SECS", "nonsense");
  EXPECT_TRUE(ConfigBuilder().Build().ok());
  const auto config = ConfigBuilder().FromEnvironment().Build();
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), StatusCode::kConfig);
  EXPECT_THAT(config.status().message(), HasSubstr("OTLP_WRITE_INTERVAL_SECS"));
  EXPECT_THAT(config.status().message(), HasSubstr("nonsense"));
  EXPECT_THAT(config.status().message(), HasSubstr("1 to 86400"));
}

TEST(ConfigBuilderTest, BuildRefusesWhatCannotBe) {
  const auto config = ConfigBuilder().write_interval_secs(0).Build();
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), StatusCode::kConfig);
  EXPECT_THAT(config.status().message(), HasSubstr("write_interval_secs"));
  EXPECT_TRUE(ConfigBuilder().write_interval_secs(0).write_interval_secs(2).Build().ok()) << "the last call counts";
}

ForwardingConfig To(const std::string& endpoint) {
  ForwardingConfig destination;
  destination.endpoint = endpoint;
  return destination;
}

TEST(ConfigBuilderTest, EachDestinationIsAdded) {
  Config base;
  base.forwarding = {To("first:4317")};
  const auto config = ConfigBuilder(base).AddForwarding(To("second:4317")).AddForwarding(To("third:4318")).Build();
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  ASSERT_EQ(config->forwarding.size(), 3u);
  EXPECT_EQ(config->forwarding[2].endpoint, "third:4318");
  EXPECT_THAT(ConfigBuilder().AddForwarding(To("ftp://x")).Build().status().message(), HasSubstr("forwarding.endpoint"));
}

TEST(ConfigBuilderTest, TheEnvironmentHasOneDestinationOrNumberedOnes) {
  {
    const Variable endpoint("OTLP_FORWARDING_ENDPOINT", "http://collector:4318"), headers("OTLP_FORWARDING_HEADERS", "tenant=a, key=b=c");
    const Variable ca("OTLP_FORWARDING_COMPRESSION", "gzip"), signals("OTLP_FORWARDING_SIGNALS", "logs,traces");
    const auto config = ConfigBuilder().FromEnvironment().Build();
    ASSERT_TRUE(config.ok()) << config.status().ToString();
    ASSERT_EQ(config->forwarding.size(), 1u);
    const ForwardingConfig& to = config->forwarding[0];
    EXPECT_EQ(to.endpoint, "http://collector:4318");
    EXPECT_EQ(to.compression, "gzip");
    EXPECT_EQ(to.headers, (std::vector<std::pair<std::string, std::string>>{{"tenant", "a"}, {"key", "b=c"}}));
    EXPECT_EQ(to.signals, (std::vector<Signal>{Signal::kLogs, Signal::kTraces}));
  }
  {
    const Variable first("OTLP_FORWARDING_0_TIMEOUT_MS", "77"), second("OTLP_FORWARDING_1_ENDPOINT", "https://b:4317");
    const Variable ca("OTLP_FORWARDING_1_TLS_CA_FILE", "ca.pem");
    Config base;
    base.forwarding = {To("a:4317")};
    const auto config = ConfigBuilder(base).FromEnvironment().Build();
    ASSERT_TRUE(config.ok()) << config.status().ToString();
    ASSERT_EQ(config->forwarding.size(), 2u);
    EXPECT_EQ(config->forwarding[0].endpoint, "a:4317");
    EXPECT_EQ(config->forwarding[0].timeout_ms, 77u);
    EXPECT_EQ(config->forwarding[1].tls.ca_file, "ca.pem");
    const Variable only("OTLP_FORWARDING_ENDPOINT", "http://collector:4318");
    EXPECT_THAT(ConfigBuilder(base).FromEnvironment().Build().status().message(), HasSubstr("give each variable a number"));
  }
}

TEST(ConfigBuilderTest, DestinationsOfTheEnvironmentHaveNoGaps) {
  const Variable second("OTLP_FORWARDING_1_ENDPOINT", "https://b:4317");
  EXPECT_THAT(ConfigBuilder().FromEnvironment().Build().status().message(),
              AllOf(HasSubstr("OTLP_FORWARDING_1_ENDPOINT"), HasSubstr("there is no destination 0 before it")));
}

TEST(ConfigBuilderTest, SecretsOfTheEnvironmentAreNotQuoted) {
  const Variable endpoint("OTLP_FORWARDING_ENDPOINT", "http://collector:4318"), headers("OTLP_FORWARDING_HEADERS", "hush");
  const std::string message = ConfigBuilder().FromEnvironment().Build().status().message();
  EXPECT_THAT(message, AllOf(HasSubstr("OTLP_FORWARDING_HEADERS"), HasSubstr("name=value"), Not(HasSubstr("hush"))));
}

TEST(ConfigBuilderTest, BuildsAsOftenAsAsked) {
  ConfigBuilder builder;
  builder.output_dir("first");
  const ConfigBuilder copy = builder;
  EXPECT_EQ(builder.output_dir("second").Build()->output_dir, "second");
  EXPECT_EQ(builder.Build()->output_dir, "second");
  EXPECT_EQ(copy.Build()->output_dir, "first");
}

}  // namespace
}  // namespace otlp_arrow
