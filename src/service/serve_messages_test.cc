#include "service/serve_messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ServeMessagesTest, TellsWhereToSendAndHowToQuery) {
  Config config;
  config.output_dir = "/data/telemetry";
  const std::string text = StartMessage(config, {"0.0.0.0:14317", "[::]:14318"});
  EXPECT_THAT(text, AllOf(HasSubstr("OTLP/gRPC  0.0.0.0:14317   OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:14317"),
                          HasSubstr("http://[::1]:14318 OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"),
                          HasSubstr("/data/telemetry/otlp/traces"), HasSubstr("readable within 5 s")));
  EXPECT_THAT(StartMessage(config, {"", "127.0.0.1:1"}), Not(HasSubstr("gRPC")));
}

TEST(ServeMessagesTest, TellsOfTlsAndParquet) {
  Config config;
  config.output_dir = "/data/telemetry";
  config.tls = {"cert.pem", "key.pem", ""};
  config.http.tls = {"http.pem", "http.key", "ca.pem"};
  config.format = FileFormat::kParquet;
  const std::string text = StartMessage(config, {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"});
  EXPECT_THAT(text, AllOf(HasSubstr("=https://127.0.0.1:1\n"), HasSubstr("=https://127.0.0.1:2 "), HasSubstr("grpc+tls://127.0.0.1:3"),
                          HasSubstr("/*.parquet, readable"), HasSubstr("duckdb.read_parquet('/data/telemetry/otlp/traces/**/*.parquet')")));
}

TEST(ServeMessagesTest, TellsThePlan) {
  Config config;
  config.output_dir = "/data/telemetry";
  config.flight.enabled = false;
  config.http.tls = {"http.pem", "http.key", "ca.pem"};
  config.auth.bearer_tokens = {"secret"};
  config.auth.headers = {{"x-api-key", "secret"}};
  config.compaction.enabled = true;
  EXPECT_THAT(PlanLines(config),
              ElementsAre("listens on 127.0.0.1:4317 for OTLP/gRPC: no TLS; callers need a bearer token or 1 header",
                          "listens on 127.0.0.1:4318 for OTLP/HTTP: TLS with http.pem; callers need a bearer token or 1 header, and a certificate that is "
                          "signed by ca.pem",
                          "writes arrow files (zstd) to /data/telemetry/otlp, at least every 5 s",
                          "merges 8 or more small files into arrow files of up to 256MiB, looking every 60 s",
                          "says OK when data is in the journal: it survives the death of the process", RetentionLine(config)));
  EXPECT_EQ(StartFields(config, {"127.0.0.1:1", "", ""}).back(), (LogFields::value_type{"grpc", "127.0.0.1:1"}));
}

TEST(ServeMessagesTest, TellsHowLongDataIsKeptAndTheKeys) {
  Config config;
  config.log_cleanup_interval_secs = 0;
  EXPECT_EQ(RetentionLine(config),
            "data is kept: traces 10 min (trace_cleanup_interval_secs), metrics 1 h (metric_cleanup_interval_secs), "
            "logs for ever "
            "(log_cleanup_interval_secs); 0 keeps for ever");
  config.max_total_bytes = 1ull << 30;
  EXPECT_THAT(RetentionLine(config), HasSubstr("at most 1GiB of files (max_total_bytes)"));
}

TEST(ServeMessagesTest, LedgerLinesTellLosses) {
  Ledger ledger;
  ledger[Signal::kLogs].received = 1000;
  ledger[Signal::kLogs].stored = 990;
  ledger[Signal::kLogs].expired = 5;
  ledger[Signal::kLogs].refused["disk"] = 4;
  ledger[Signal::kLogs].in_flight = 1;
  EXPECT_THAT(LedgerLines(ledger),
              ElementsAre("logs: 1,000 received, 995 stored, 5 expired since, 4 refused, 1 left in the journal"));
}

TEST(ServeMessagesTest, TellsDestinationsWithoutTheirSecrets) {
  Config config;
  config.output_dir = "/data/telemetry";
  ForwardingConfig main;
  main.name = "main";
  main.endpoint = "https://collector:4317";
  main.compression = "gzip";
  main.signals = {Signal::kTraces, Signal::kLogs};
  main.bearer_token = "hush";
  config.forwarding.push_back(main);
  config.forwarding.emplace_back().endpoint = "other:4318";
  config.forwarding.emplace_back(main).enabled = false;
  std::string text = StartMessage(config, {"127.0.0.1:1", ""});
  EXPECT_THAT(text, AllOf(HasSubstr("forwards   main: traces, logs to https://collector:4317 (grpc), gzip\n"),
                          HasSubstr("forwards   http-other:4318: traces, metrics, logs to http://other:4318 (http)\n"), HasSubstr("  files ")));
  EXPECT_THAT(text, Not(HasSubstr("hush")));
  config.store = false;
  text = StartMessage(config, {"127.0.0.1:1", ""});
  EXPECT_THAT(text, AllOf(HasSubstr("relay      no files are written"), HasSubstr("/data/telemetry, up to 4GiB"), Not(HasSubstr("  files "))));
  EXPECT_THAT(RetentionLine(config), HasSubstr("nothing is stored"));
}

TEST(ServeMessagesTest, ForwardingLinesTellWhatBecameOfIt) {
  DestinationStats stats;
  stats.name = "main";
  stats.signals[static_cast<size_t>(Signal::kTraces)] = {.accepted = 1010, .sent = 1000, .rejected = 1, .given_up = {2, 0, 3, 0, 0}, .backlog = 4};
  EXPECT_THAT(ForwardingLines({stats}),
              ElementsAre("main, traces: 1,000 sent, 1 rejected there, 2 given up (backlog_full), 3 given up (too_large), 4 left for the next start"));
}

}  // namespace
}  // namespace otlp_arrow
