#include "metric_encoder.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/exporters/otlp/otlp_metric_utils.h>
#include <opentelemetry/sdk/instrumentationscope/instrumentation_scope.h>
#include <opentelemetry/sdk/resource/resource.h>

#include "reference_otlp.h"

namespace otlp_arrow::exporters {
namespace {

namespace api = opentelemetry;
namespace nostd = opentelemetry::nostd;
namespace sdk = opentelemetry::sdk::metrics;
using api::common::SystemTimestamp;
using testing::Difference;
using testing::MetricsRequest;

MetricsRequest Encode(const sdk::ResourceMetrics& metrics, int64_t expected_left_out = 0) {
  wire::Writer out;
  EXPECT_EQ(WriteMetricsRequest(metrics, &out), expected_left_out);
  MetricsRequest request;
  EXPECT_TRUE(request.ParseFromArray(out.view().data(), static_cast<int>(out.size())));
  return request;
}

class MetricEncoderTest : public ::testing::Test {
 protected:
  static sdk::PointAttributes Attributes(const std::string& route) {
    static const nostd::string_view kTexts[] = {"a", "b"};
    return {{"http.route", nostd::string_view(route)},
            {"status", int64_t{200}},
            {"ratio", 0.5},
            {"ok", true},
            {"texts", nostd::span<const nostd::string_view>(kTexts)},
            {"none", nostd::span<const int64_t>()}};
  }
  template <class Point>
  static sdk::PointDataAttributes PointOf(Point point, const std::string& route = "/") {
    return {Attributes(route), std::move(point)};
  }
  static sdk::MetricData Metric(const std::string& name, sdk::InstrumentType type, sdk::AggregationTemporality temporality,
                                std::vector<sdk::PointDataAttributes> points) {
    sdk::MetricData metric;
    metric.instrument_descriptor = {name, "what " + name + " says", "{1}", type, sdk::InstrumentValueType::kDouble};
    metric.aggregation_temporality = temporality;
    metric.start_ts = SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'001));
    metric.end_ts = SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'002));
    metric.point_data_attr_ = std::move(points);
    return metric;
  }
  template <class Value>
  static sdk::SumPointData Sum(Value value, bool monotonic = true) {
    sdk::SumPointData point;
    point.value_ = value;
    point.is_monotonic_ = monotonic;
    return point;
  }
  template <class Value>
  static sdk::LastValuePointData Gauge(Value value, bool valid = true) {
    sdk::LastValuePointData point;
    point.value_ = value;
    point.is_lastvalue_valid_ = valid;
    point.sample_ts_ = SystemTimestamp(std::chrono::nanoseconds(5));
    return point;
  }
  template <class Value>
  static sdk::HistogramPointData Histogram(Value value, bool min_max = true) {
    sdk::HistogramPointData point;
    point.boundaries_ = {1, 5.5, 10};
    point.counts_ = {0, 1, 300, UINT64_MAX};
    point.count_ = 301;
    point.sum_ = value;
    point.min_ = value;
    point.max_ = value;
    point.record_min_max_ = min_max;
    return point;
  }
  static std::vector<sdk::MetricData> AllKinds(sdk::AggregationTemporality temporality) {
    using sdk::InstrumentType;
    std::vector<sdk::MetricData> metrics;
    for (const auto type : {InstrumentType::kCounter, InstrumentType::kUpDownCounter, InstrumentType::kObservableCounter,
                            InstrumentType::kObservableUpDownCounter, InstrumentType::kHistogram}) {
      metrics.push_back(Metric("sum", type, temporality,
                               {PointOf(Sum(int64_t{-7})), PointOf(Sum(0.25, false), "/b"), PointOf(Sum(int64_t{0})), PointOf(Sum(0.0))}));
    }
    metrics.push_back(Metric("gauge", InstrumentType::kObservableGauge, temporality,
                             {PointOf(Gauge(int64_t{21})), PointOf(Gauge(-0.5), "/b"), PointOf(Gauge(int64_t{0}, false), "/c")}));
    metrics.push_back(Metric("histogram", InstrumentType::kHistogram, temporality,
                             {PointOf(Histogram(int64_t{3})), PointOf(Histogram(0.5)), PointOf(Histogram(1.5, false)), PointOf(sdk::HistogramPointData())}));
    return metrics;
  }

  const std::unique_ptr<api::sdk::instrumentationscope::InstrumentationScope> scope_ =
      api::sdk::instrumentationscope::InstrumentationScope::Create("scope", "1.2", "https://example.com/scope", {{"of", "scope"}});
  const api::sdk::resource::Resource resource_ =
      api::sdk::resource::Resource::Create({{"service.name", "shop"}, {"process.pid", int64_t{4711}}}, "https://example.com/resource");
};

// The SDK writes the same message for its OTLP exporters.
TEST_F(MetricEncoderTest, AllKindsAreAsTheSdkWritesThem) {
  using enum sdk::AggregationTemporality;
  for (const auto temporality : {kCumulative, kDelta, kUnspecified}) {
    SCOPED_TRACE(static_cast<int>(temporality));
    sdk::ResourceMetrics metrics;
    metrics.resource_ = &resource_;
    metrics.scope_metric_data_.emplace_back(scope_.get(), AllKinds(temporality));
    metrics.scope_metric_data_.emplace_back(scope_.get(), std::vector<sdk::MetricData>());
    MetricsRequest wanted;
    api::exporter::otlp::OtlpMetricUtils::PopulateRequest(metrics, &wanted);
    EXPECT_EQ(Difference(wanted, Encode(metrics)), "");
  }
}

TEST_F(MetricEncoderTest, LargeOnesAreFramedRight) {
  std::vector<sdk::PointDataAttributes> points;
  for (int i = 0; i < 3000; ++i) points.push_back(PointOf(Sum(int64_t{i}), std::string(static_cast<size_t>(i % 300), 'r')));
  sdk::ResourceMetrics metrics;
  metrics.resource_ = &resource_;
  metrics.scope_metric_data_.emplace_back(
      scope_.get(), std::vector{Metric("many", sdk::InstrumentType::kCounter, sdk::AggregationTemporality::kDelta, std::move(points))});
  MetricsRequest wanted;
  api::exporter::otlp::OtlpMetricUtils::PopulateRequest(metrics, &wanted);
  EXPECT_EQ(Difference(wanted, Encode(metrics)), "");
  EXPECT_EQ(CountDataPoints(metrics), 3000);
}

// The SDK's exporters would leave them out, or end the process.
TEST_F(MetricEncoderTest, WithoutResourceOrScope) {
  sdk::ResourceMetrics metrics;
  metrics.scope_metric_data_.emplace_back(
      nullptr, std::vector{Metric("m", sdk::InstrumentType::kCounter, sdk::AggregationTemporality::kDelta, {PointOf(Sum(int64_t{1}))})});
  const MetricsRequest request = Encode(metrics);
  EXPECT_EQ(request.resource_metrics(0).resource().attributes_size(), 0);
  EXPECT_EQ(request.resource_metrics(0).scope_metrics(0).metrics(0).sum().data_points(0).as_int(), 1);
}

TEST_F(MetricEncoderTest, PointsWithoutAFormAreLeftOutAndCounted) {
  sdk::ResourceMetrics metrics;
  metrics.resource_ = &resource_;
  const auto cumulative = sdk::AggregationTemporality::kCumulative;
  metrics.scope_metric_data_.emplace_back(
      scope_.get(),
      std::vector{Metric("dropped", sdk::InstrumentType::kCounter, cumulative, {PointOf(sdk::DropPointData())}),
                  Metric("mixed", sdk::InstrumentType::kCounter, cumulative,
                         {PointOf(sdk::DropPointData()), PointOf(Sum(int64_t{1})), PointOf(Gauge(int64_t{2})), PointOf(Sum(int64_t{3}))}),
                  Metric("none", sdk::InstrumentType::kCounter, cumulative, {})});
  const MetricsRequest request = Encode(metrics, 3);
  const auto& written = request.resource_metrics(0).scope_metrics(0);
  ASSERT_EQ(written.metrics_size(), 1);
  EXPECT_EQ(written.metrics(0).name(), "mixed");
  EXPECT_EQ(written.metrics(0).sum().data_points_size(), 2);
}

TEST_F(MetricEncoderTest, TextThatIsNoUtf8) {
  sdk::ResourceMetrics metrics;
  metrics.resource_ = &resource_;
  auto metric = Metric("name \xff", sdk::InstrumentType::kCounter, sdk::AggregationTemporality::kDelta, {PointOf(Sum(int64_t{1}), "\xff")});
  metrics.scope_metric_data_.emplace_back(scope_.get(), std::vector{metric});
  const MetricsRequest request = Encode(metrics);
  const auto& written = request.resource_metrics(0).scope_metrics(0).metrics(0);
  EXPECT_EQ(written.name(), "name \uFFFD");
  bool found = false;
  for (const auto& attribute : written.sum().data_points(0).attributes()) found |= attribute.value().bytes_value() == "\xff";
  EXPECT_TRUE(found);
}

// The SDK's exporters make null of them, though not in spans and log records.
TEST_F(MetricEncoderTest, BytesInAttributesAreKept) {
  const uint8_t bytes[] = {0, 255};
  sdk::ResourceMetrics metrics;
  metrics.resource_ = &resource_;
  sdk::PointDataAttributes point{{{"bytes", nostd::span<const uint8_t>(bytes)}}, Sum(int64_t{1})};
  metrics.scope_metric_data_.emplace_back(
      scope_.get(), std::vector{Metric("m", sdk::InstrumentType::kCounter, sdk::AggregationTemporality::kDelta, {point})});
  const MetricsRequest request = Encode(metrics);
  const auto& value = request.resource_metrics(0).scope_metrics(0).metrics(0).sum().data_points(0).attributes(0).value();
  ASSERT_EQ(value.array_value().values_size(), 2);
  EXPECT_EQ(value.array_value().values(1).int_value(), 255);
}

}  // namespace
}  // namespace otlp_arrow::exporters
