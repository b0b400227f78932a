#include "service/self_telemetry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_pipeline.h"

namespace otlp_arrow {
namespace {

using ::testing::Contains;

const Metric* Find(const ResourceMetrics& metrics, const std::string& name) {
  for (const Metric& metric : metrics.scope_metrics.at(0).metrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

// The value of the only point with these attributes.
int64_t ValueOf(const std::vector<NumberDataPoint>& points, const Attributes& attributes) {
  for (const NumberDataPoint& point : points) {
    if (point.attributes == attributes) return std::get<int64_t>(point.value);
  }
  ADD_FAILURE() << "there is no such point";
  return -1;
}

TEST(SelfTelemetryTest, TellsTheLedgerAndDestinations) {
  FakePipeline pipeline;
  Ledger ledger;
  ledger[Signal::kLogs].received = 10;
  ledger[Signal::kLogs].stored = 6;
  ledger[Signal::kLogs].refused["memory_budget"] = 4;
  pipeline.SetLedger(ledger);
  DestinationStats stats;
  stats.name = "main";
  stats.signals[static_cast<size_t>(Signal::kLogs)] = {.accepted = 6, .sent = 3, .rejected = 0, .given_up = {1, 0, 0, 0, 0}, .backlog = 2};
  stats.send_latency[1] = 2;
  stats.send_latency.back() = 1;
  stats.send_latency_sum_secs = 12.5;
  pipeline.SetForwardingStats({stats});
  const ResourceMetrics metrics = CollectSelfTelemetry(pipeline, "host:1", 100, 200);
  EXPECT_THAT(metrics.resource.attributes, Contains(KeyValue{"service.name", "otlp-arrow"}));
  const Metric* items = Find(metrics, "otlp_arrow.items");
  ASSERT_NE(items, nullptr);
  const Sum& sum = std::get<Sum>(items->data);
  EXPECT_TRUE(sum.is_monotonic);
  EXPECT_EQ(sum.data_points[0].start_time_unix_nano, 100u);
  EXPECT_EQ(sum.data_points[0].time_unix_nano, 200u);
  EXPECT_EQ(ValueOf(sum.data_points, {{"signal", "logs"}, {"state", "received"}}), 10);
  EXPECT_EQ(ValueOf(sum.data_points, {{"signal", "logs"}, {"state", "refused"}, {"reason", "memory_budget"}}), 4);
  EXPECT_EQ(ValueOf(std::get<Gauge>(Find(metrics, "otlp_arrow.items.held")->data).data_points, {{"signal", "logs"}, {"state", "stored"}}), 6);
  EXPECT_EQ(ValueOf(std::get<Sum>(Find(metrics, "otlp_arrow.forward.items")->data).data_points,
                    {{"destination", "main"}, {"signal", "logs"}, {"state", "given_up"}, {"reason", "backlog_full"}}),
            1);
  EXPECT_EQ(ValueOf(std::get<Gauge>(Find(metrics, "otlp_arrow.forward.backlog")->data).data_points, {{"destination", "main"}, {"signal", "logs"}}), 2);
  const HistogramDataPoint& latency = std::get<Histogram>(Find(metrics, "otlp_arrow.forward.send_latency")->data).data_points.at(0);
  EXPECT_EQ(latency.count, 3u);
  EXPECT_EQ(latency.bucket_counts.size(), latency.explicit_bounds.size() + 1);
  EXPECT_EQ(latency.sum, 12.5);
}

TEST(SelfTelemetryTest, SaysNothingOfForwardingWhereThereIsNone) {
  EXPECT_EQ(Find(CollectSelfTelemetry(FakePipeline(), "host:1", 1, 2), "otlp_arrow.forward.items"), nullptr);
}

TEST(SelfTelemetryTest, RecordsAtOnceAndAtItsEnd) {
  FakePipeline pipeline;
  {
    SelfTelemetry telemetry(&pipeline, std::chrono::hours(1));
    pipeline.WaitForRequests(1);
  }
  const auto requests = pipeline.requests();
  ASSERT_EQ(requests.size(), 2u);
  for (const auto& request : requests) {
    EXPECT_EQ(request.signal, Signal::kMetrics);
    EXPECT_THAT(request.bytes, ::testing::HasSubstr("otlp_arrow.items"));
  }
}

TEST(SelfTelemetryTest, RecordsAgainAndAgain) {
  FakePipeline pipeline;
  SelfTelemetry telemetry(&pipeline, std::chrono::milliseconds(1));
  pipeline.WaitForRequests(4);
}

}  // namespace
}  // namespace otlp_arrow
