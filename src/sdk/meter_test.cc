#include "otlp_arrow/sdk/meter.h"

#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sdk/provider_testing.h"

namespace otlp_arrow::sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using otlp_arrow::testing::Texts;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kDeltaTemporality = 1, kCumulativeTemporality = 2;  // OTLP

class MeterTest : public ProviderTest {
 protected:
  Meter Make(ProviderOptions options = {}) { return Open(std::move(options)).GetMeter({.name = "tests"}); }
};

TEST_F(MeterTest, TheSynchronousInstruments) {
  const Meter meter = Make();
  const auto requests = meter.CreateCounter<int64_t>("requests", {.description = "served", .unit = "{request}"});
  const auto bytes = meter.CreateCounter<double>("bytes");
  const auto queue = meter.CreateUpDownCounter<int64_t>("queue");
  const auto latency = meter.CreateHistogram<double>("latency", {.unit = "ms", .bucket_boundaries = std::vector<double>{1, 10}});
  const auto sizes = meter.CreateHistogram<int64_t>("sizes");
  const auto heat = meter.CreateGauge<double>("heat");
  for (int i = 0; i < 3; ++i) requests.Add(2, {{"method", "GET"}, {"status", 200}});
  requests.Add(1, {{"status", 200}, {"method", "GET"}});
  requests.Add(5, {{"method", "PUT"}});
  bytes.Add(1.5);
  queue.Add(3);
  queue.Add(-5);
  for (const double value : {0.5, 5.0, 50.0}) latency.Record(value);
  sizes.Record(7);
  heat.Record(20.5);
  heat.Record(21.5);
  const auto recorded = Recorded();
  const auto metric = recorded.Metric("requests");
  EXPECT_EQ(metric.description(), "served");
  EXPECT_EQ(metric.unit(), "{request}");
  EXPECT_TRUE(metric.sum().is_monotonic());
  EXPECT_EQ(metric.sum().aggregation_temporality(), kCumulativeTemporality);
  std::vector<int64_t> sums;
  for (const auto& point : metric.sum().data_points()) sums.push_back(point.as_int());
  EXPECT_THAT(sums, UnorderedElementsAre(7, 5));
  EXPECT_EQ(recorded.Metric("bytes").sum().data_points(0).as_double(), 1.5);
  EXPECT_EQ(recorded.Metric("queue").sum().data_points(0).as_int(), -2);
  EXPECT_FALSE(recorded.Metric("queue").sum().is_monotonic());
  const auto histogram = recorded.Metric("latency").histogram().data_points(0);
  EXPECT_THAT(histogram.explicit_bounds(), ElementsAre(1, 10));
  EXPECT_THAT(histogram.bucket_counts(), ElementsAre(1, 1, 1));
  EXPECT_EQ(recorded.Metric("sizes").histogram().data_points(0).explicit_bounds_size(), 15);
  EXPECT_EQ(recorded.Metric("heat").gauge().data_points(0).as_double(), 21.5);
  EXPECT_GT(recorded.Metric("heat").gauge().data_points(0).time_unix_nano(), 0u);
}

TEST_F(MeterTest, WhatAnInstrumentDoesNotAllowIsLeftOut) {
  const Meter meter = Make();
  const auto counter = meter.CreateCounter<double>("counter");
  counter.Add(1);
  counter.Add(-1);
  counter.Add(std::numeric_limits<double>::quiet_NaN());
  const auto histogram = meter.CreateHistogram<int64_t>("histogram");
  histogram.Record(1);
  histogram.Record(-1);
  for (const char* name : {"", "1st", "a b", "ä"}) meter.CreateCounter<int64_t>(name).Add(1);
  meter.CreateCounter<int64_t>(std::string(256, 'x')).Add(1);
  Counter<int64_t>().Add(1);
  const auto recorded = Recorded();
  EXPECT_EQ(recorded.metrics.size(), 2u);
  EXPECT_EQ(recorded.Metric("counter").sum().data_points(0).as_double(), 1);
  EXPECT_EQ(recorded.Metric("histogram").histogram().data_points(0).count(), 1u);
}

TEST_F(MeterTest, OneIdentityIsOneStream) {
  const Meter meter = Make();
  meter.CreateCounter<int64_t>("Requests").Add(1);
  meter.CreateCounter<int64_t>("requests").Add(2);
  provider_->GetMeter({.name = "tests"}).CreateCounter<int64_t>("REQUESTS").Add(4);
  provider_->GetMeter({.name = "others"}).CreateCounter<int64_t>("requests").Add(8);
  meter.CreateCounter<int64_t>("requests", {.unit = "1"}).Add(16);
  const auto recorded = Recorded();
  EXPECT_EQ(recorded.metrics.size(), 3u);
  EXPECT_EQ(recorded.Metric("Requests").sum().data_points(0).as_int(), 7);
}

TEST_F(MeterTest, ViewsMakeStreams) {
  const Meter meter = Make({.views = {
                                {.name = "lat*", .stream_name = "by_route", .description = "kept", .attribute_keys = std::vector<std::string>{"route"}},
                                {.name = "LATENC?", .meter_name = "tests", .stream_name = "fine", .aggregation = ViewAggregation::kExponentialHistogram, .max_buckets = 20},
                                {.name = "dropped", .aggregation = ViewAggregation::kDrop},
                                {.name = "*", .kind = InstrumentKind::kUpDownCounter, .aggregation = ViewAggregation::kLastValue},
                                {.name = "latency", .meter_name = "others", .stream_name = "never"},
                                {.name = "sizes", .bucket_boundaries = std::vector<double>{10}},
                                {.name = "wrong", .bucket_boundaries = std::vector<double>{10, 10}},
                                {.name = "limited", .cardinality_limit = 3},
                            }});
  const auto latency = meter.CreateHistogram<double>("latency", {.unit = "ms"});
  latency.Record(5, {{"route", "/a"}, {"user", 1}});
  latency.Record(7, {{"route", "/a"}, {"user", 2}});
  meter.CreateCounter<int64_t>("dropped").Add(1);
  meter.CreateUpDownCounter<int64_t>("level").Add(4);
  meter.CreateHistogram<double>("sizes").Record(1);
  meter.CreateHistogram<double>("wrong").Record(1);
  const auto limited = meter.CreateCounter<int64_t>("limited");
  for (int i = 0; i < 10; ++i) limited.Add(1, {{"i", i}});
  const auto recorded = Recorded();
  const auto by_route = recorded.Metric("by_route");
  EXPECT_EQ(by_route.description(), "kept");
  ASSERT_EQ(by_route.histogram().data_points_size(), 1);
  EXPECT_EQ(by_route.histogram().data_points(0).sum(), 12);
  EXPECT_THAT(Texts(by_route.histogram().data_points(0).attributes()), ElementsAre(Pair("route", "/a")));
  EXPECT_EQ(recorded.Metric("fine").exponential_histogram().data_points_size(), 2);
  EXPECT_EQ(recorded.Metric("level").gauge().data_points(0).as_int(), 4);
  EXPECT_EQ(recorded.Metric("sizes").histogram().data_points(0).explicit_bounds_size(), 1);
  EXPECT_EQ(recorded.Metric("wrong").histogram().data_points(0).explicit_bounds_size(), 15);
  EXPECT_LE(recorded.Metric("limited").sum().data_points_size(), 4);
  EXPECT_EQ(recorded.metrics.size(), 6u);
}

TEST_F(MeterTest, Temporalities) {
  const auto temporalities = [&](MetricTemporality preference) {
    const std::string path = dir_ / std::to_string(static_cast<int>(preference));
    FileRecorderOptions file;
    file.path = path;
    const auto provider = *Provider::Create(*OpenFileRecorder(file), {.temporality = preference});
    const Meter meter = provider->GetMeter({.name = "tests"});
    meter.CreateCounter<int64_t>("counter").Add(1);
    meter.CreateUpDownCounter<int64_t>("updown").Add(1);
    meter.CreateHistogram<int64_t>("histogram").Record(1);
    const auto observable = meter.CreateObservableCounter("observable", [](Observer& observer) { observer.Observe(int64_t{1}); });
    EXPECT_TRUE(provider->ForceFlush().ok());
    const auto recorded = otlp_arrow::testing::TakeRecorded(path);
    return std::vector<int>{recorded.Metric("counter").sum().aggregation_temporality(), recorded.Metric("updown").sum().aggregation_temporality(),
                            recorded.Metric("histogram").histogram().aggregation_temporality(), recorded.Metric("observable").sum().aggregation_temporality()};
  };
  constexpr int d = kDeltaTemporality, c = kCumulativeTemporality;
  EXPECT_THAT(temporalities(MetricTemporality::kCumulative), ElementsAre(c, c, c, c));
  EXPECT_THAT(temporalities(MetricTemporality::kDelta), ElementsAre(d, c, d, d));
  EXPECT_THAT(temporalities(MetricTemporality::kLowMemory), ElementsAre(d, c, d, c));
}

TEST_F(MeterTest, ExemplarsAreOfSampledSpans) {
  for (const ExemplarFilter filter : {ExemplarFilter::kTraceBased, ExemplarFilter::kAlwaysOff}) {
    const std::string path = dir_ / std::to_string(static_cast<int>(filter));
    FileRecorderOptions file;
    file.path = path;
    const auto provider = *Provider::Create(*OpenFileRecorder(file), {.exemplar_filter = filter});
    const auto counter = provider->GetMeter({.name = "tests"}).CreateCounter<int64_t>("counter");
    counter.Add(1);
    Span span = provider->GetTracer({.name = "tests"}).Start("span");
    {
      const Scope scope(span);
      counter.Add(2);
    }
    const auto point = otlp_arrow::testing::TakeRecorded(path).Metric("counter").sum().data_points(0);
    ASSERT_EQ(point.exemplars_size(), filter == ExemplarFilter::kTraceBased ? 1 : 0);
    if (point.exemplars_size() > 0) {
      EXPECT_EQ(point.exemplars(0).as_int(), 2);
      EXPECT_EQ(point.exemplars(0).span_id(), std::string(span.context().span_id.view()));
    }
  }
}

TEST_F(MeterTest, ObservablesTellSumsAndValues) {
  const Meter meter = Make();
  int64_t served = 10;
  double level = 0.1;
  const auto counter = meter.CreateObservableCounter("served", [&](Observer& observer) {
    observer.Observe(served, {{"cpu", 0}});
    observer.Observe(served * 2, {{"cpu", 1}});
  });
  const auto updown = meter.CreateObservableUpDownCounter("level", [&](Observer& observer) { observer.Observe(level); });
  const auto gauge = meter.CreateObservableGauge("heat", [&](Observer& observer) { observer.Observe(served); });
  for (int round = 0; round < 3; ++round) {
    EXPECT_TRUE(provider_->ForceFlush().ok());
    served += 7;
    level -= 0.3;
  }
  const auto recorded = Recorded();
  std::vector<int64_t> sums;
  const auto served_metric = recorded.Metric("served");
  for (const auto& point : served_metric.sum().data_points()) sums.push_back(point.as_int());
  EXPECT_THAT(sums, UnorderedElementsAre(24, 48));
  EXPECT_TRUE(recorded.Metric("served").sum().is_monotonic());
  EXPECT_NEAR(recorded.Metric("level").sum().data_points(0).as_double(), 0.1 - 0.6, 1e-12);
  EXPECT_EQ(recorded.Metric("heat").gauge().data_points(0).as_int(), 24);
}

TEST_F(MeterTest, ACallbackThatThrowsDoesNotKeepOthersFromBeingAsked) {
  const Meter meter = Make();
  const auto first = meter.CreateObservableGauge("first", [](Observer&) { throw std::runtime_error("no"); });
  const auto second = meter.CreateObservableGauge("second", [](Observer& observer) { observer.Observe(int64_t{1}); });
  EXPECT_TRUE(provider_->ForceFlush().ok());
  EXPECT_EQ(Recorded().metrics.size(), 1u);
}

TEST_F(MeterTest, CallbacksAreAskedByThemselvesUntilTheyAreRemoved) {
  const Meter meter = Make({.metric_interval = milliseconds(1)});
  std::atomic<int> asked{0};
  {
    const Observable observable = meter.CreateObservableGauge("asked", [&](Observer& observer) { observer.Observe(int64_t{++asked}); });
    EXPECT_EQ(observable.Add({}), 0u);
    const uint64_t more = observable.Add([&](Observer&) { ++asked; });
    while (asked < 6) std::this_thread::yield();
    observable.Remove(more);
  }
  const int last = asked;
  EXPECT_TRUE(provider_->ForceFlush().ok());
  EXPECT_TRUE(provider_->ForceFlush().ok());
  EXPECT_EQ(asked, last);
}

TEST_F(MeterTest, ACallbackMayUseTheProviderItself) {
  const Meter meter = Make();
  Observable observable;
  uint64_t number = 0;
  int asked = 0;
  observable = meter.CreateObservableGauge("asked");
  number = observable.Add([&](Observer& observer) {
    ++asked;
    observer.Observe(1.0);
    EXPECT_TRUE(provider_->ForceFlush().ok());
    observable.Remove(number);
  });
  EXPECT_TRUE(provider_->ForceFlush().ok());
  EXPECT_TRUE(provider_->ForceFlush().ok());
  EXPECT_EQ(asked, 1);
}

TEST_F(MeterTest, ACallbackThatHangsHoldsUpNobody) {
  const Meter meter = Make();
  auto release = std::make_shared<std::atomic<bool>>(false);
  auto hangs = std::make_shared<std::atomic<bool>>(false);
  const auto observable = meter.CreateObservableGauge("slow", [=](Observer&) {
    *hangs = true;
    while (!*release) std::this_thread::yield();
  });
  const Status flushed = provider_->ForceFlush(milliseconds(20));
  EXPECT_FALSE(flushed.ok());
  EXPECT_TRUE(flushed.retryable());
  while (!*hangs) std::this_thread::yield();
  EXPECT_TRUE(provider_->Shutdown(milliseconds(20)).ok());
  *release = true;
}

TEST_F(MeterTest, TheShutdownAsksForTheLastTime) {
  const Meter meter = Make();
  const auto observable = meter.CreateObservableGauge("last", [](Observer& observer) { observer.Observe(int64_t{3}); });
  EXPECT_TRUE(provider_->Shutdown().ok());
  EXPECT_TRUE(provider_->Shutdown().ok());
  EXPECT_FALSE(provider_->ForceFlush().ok());
  meter.CreateCounter<int64_t>("late").Add(1);
  EXPECT_EQ(Recorded().metrics.size(), 1u);
}

TEST_F(MeterTest, ThreadsRecordWhileOthersCreateAndFlush) {
  const Meter meter = Make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        meter.CreateCounter<int64_t>("counter").Add(1, {{"thread", t % 2}});
        const auto observable = meter.CreateObservableGauge("gauge" + std::to_string(t), [i](Observer& observer) { observer.Observe(int64_t{i}); });
        EXPECT_TRUE(i % 20 != 0 || provider_->ForceFlush().ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  int64_t sum = 0;
  const auto counter = Recorded().Metric("counter");
  for (const auto& point : counter.sum().data_points()) sum += point.as_int();
  EXPECT_EQ(sum, 800);
}

}  // namespace
}  // namespace otlp_arrow::sdk
