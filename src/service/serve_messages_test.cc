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

}  // namespace
}  // namespace otlp_arrow
