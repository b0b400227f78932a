// The same random measurements over the native SDK and over opentelemetry-cpp's: the same data points.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/metrics/data/metric_data.h>
#include <opentelemetry/sdk/metrics/export/metric_producer.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/metrics/metric_reader.h>

#include "otlp_arrow/opentelemetry_sdk.h"
#include "recorded_ring.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace otel = opentelemetry;
namespace nostd = opentelemetry::nostd;
namespace metrics = opentelemetry::sdk::metrics;
namespace pb = opentelemetry::proto::metrics::v1;

class PullReader final : public metrics::MetricReader {
 public:
  metrics::AggregationTemporality GetAggregationTemporality(metrics::InstrumentType) const noexcept override { return metrics::AggregationTemporality::kCumulative; }
  bool OnForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool OnShutDown(std::chrono::microseconds) noexcept override { return true; }
};

// Draws the same measurements for the same seed.
class RandomMeasurements {
 public:
  explicit RandomMeasurements(uint32_t seed) : random_(seed) {}

  void Run(otel::metrics::Meter& meter) {
    const auto context = otel::context::RuntimeContext::GetCurrent();
    const auto requests = meter.CreateUInt64Counter("requests", "served", "{request}");
    const auto bytes = meter.CreateDoubleCounter("bytes");
    const auto queue = meter.CreateInt64UpDownCounter("queue");
    const auto level = meter.CreateDoubleUpDownCounter("level");
    const auto latency = meter.CreateDoubleHistogram("latency", "", "ms");
    const auto sizes = meter.CreateUInt64Histogram("sizes");
    observed_counter_ = meter.CreateInt64ObservableCounter("observed");
    observed_gauge_ = meter.CreateDoubleObservableGauge("ratio");
    observed_counter_->AddCallback(ObserveInteger, this);
    observed_gauge_->AddCallback(ObserveDouble, this);
    for (int i = 0; i < 500; ++i) {
      const std::vector<std::pair<std::string, int>> attributes = {{"a", Below(3)}, {"b", Below(2)}};
      requests->Add(static_cast<uint64_t>(Below(100)), attributes);
      bytes->Add(Below(1000) / 8.0, attributes);
      queue->Add(Below(100) - 50, attributes);
      level->Add(Below(100) / 4.0 - 10, attributes);
      latency->Record(Below(20'000) / 10.0, attributes, context);
      sizes->Record(static_cast<uint64_t>(Below(20'000)), attributes, context);
    }
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  static void ObserveInteger(otel::metrics::ObserverResult result, void*) {
    nostd::get<nostd::shared_ptr<otel::metrics::ObserverResultT<int64_t>>>(result)->Observe(42, {{"cpu", 1}});
  }
  static void ObserveDouble(otel::metrics::ObserverResult result, void*) { nostd::get<nostd::shared_ptr<otel::metrics::ObserverResultT<double>>>(result)->Observe(0.25); }

  std::mt19937 random_;
  nostd::shared_ptr<otel::metrics::ObservableInstrument> observed_counter_, observed_gauge_;
};

// "metric{a=1,b=0} 7" or, of a histogram, its counts; sorted.
using Points = std::vector<std::string>;

std::string Join(const std::string& name, std::map<std::string, std::string> attributes, const std::string& value) {
  std::string line = name + "{";
  for (const auto& [key, text] : attributes) line += key + "=" + text + ",";
  return line + "} " + value;
}

std::string Buckets(uint64_t count, double sum, double min, double max, const std::vector<uint64_t>& counts, const std::vector<double>& bounds) {
  std::string text = std::to_string(count) + " " + std::to_string(sum) + " " + std::to_string(min) + " " + std::to_string(max);
  for (const uint64_t each : counts) text += " " + std::to_string(each);
  for (const double bound : bounds) text += " <" + std::to_string(bound);
  return text;
}

Points PointsOf(const testing::RecordedRing& recorded) {
  Points points;
  const auto attributes_of = [](const auto& point) {
    std::map<std::string, std::string> attributes;
    for (const auto& attribute : point.attributes()) attributes[attribute.key()] = std::to_string(attribute.value().int_value());
    return attributes;
  };
  const auto add_number = [&](const pb::Metric& metric, const pb::NumberDataPoint& point) {
    points.push_back(Join(metric.name(), attributes_of(point), point.has_as_int() ? std::to_string(point.as_int()) : std::to_string(point.as_double())));
  };
  for (const pb::Metric& metric : recorded.metrics) {
    for (const auto& point : metric.sum().data_points()) add_number(metric, point);
    for (const auto& point : metric.gauge().data_points()) add_number(metric, point);
    for (const auto& point : metric.histogram().data_points()) {
      points.push_back(Join(metric.name(), attributes_of(point),
                            Buckets(point.count(), point.sum(), point.min(), point.max(), {point.bucket_counts().begin(), point.bucket_counts().end()},
                                    {point.explicit_bounds().begin(), point.explicit_bounds().end()})));
    }
  }
  std::sort(points.begin(), points.end());
  return points;
}

double AsDouble(const metrics::ValueType& value) {
  return nostd::holds_alternative<int64_t>(value) ? static_cast<double>(nostd::get<int64_t>(value)) : nostd::get<double>(value);
}
std::string Text(const metrics::ValueType& value) {
  return nostd::holds_alternative<int64_t>(value) ? std::to_string(nostd::get<int64_t>(value)) : std::to_string(nostd::get<double>(value));
}

Points PointsOf(const metrics::ResourceMetrics& collected) {
  Points points;
  for (const auto& scope : collected.scope_metric_data_) {
    for (const auto& metric : scope.metric_data_) {
      for (const auto& point : metric.point_data_attr_) {
        std::map<std::string, std::string> attributes;
        for (const auto& [key, value] : point.attributes.GetAttributes()) {
          attributes[key] = std::to_string(nostd::holds_alternative<int32_t>(value) ? nostd::get<int32_t>(value) : nostd::get<int64_t>(value));
        }
        std::string value;
        if (const auto* sum = nostd::get_if<metrics::SumPointData>(&point.point_data)) value = Text(sum->value_);
        if (const auto* last = nostd::get_if<metrics::LastValuePointData>(&point.point_data)) value = Text(last->value_);
        if (const auto* histogram = nostd::get_if<metrics::HistogramPointData>(&point.point_data)) {
          value = Buckets(histogram->count_, AsDouble(histogram->sum_), AsDouble(histogram->min_), AsDouble(histogram->max_), histogram->counts_, histogram->boundaries_);
        }
        points.push_back(Join(metric.instrument_descriptor.name_, attributes, value));
      }
    }
  }
  std::sort(points.begin(), points.end());
  return points;
}

TEST(OpenTelemetryMetrics, PointsAreThoseOfOpenTelemetryCpp) {
  for (uint32_t seed = 1; seed <= 3; ++seed) {
    const testing::TempDir dir;
    sdk::FileRecorderOptions file;
    file.path = dir / "telemetry.mmap";
    const auto provider = *sdk::Provider::Create(*sdk::OpenFileRecorder(file));
    RandomMeasurements ours(seed), theirs(seed);
    const auto meters = MakeMeterProvider(provider);
    const auto meter = meters->GetMeter("tests");
    ours.Run(*meter);
    ASSERT_TRUE(provider->ForceFlush().ok());

    metrics::MeterProvider reference;
    const auto reader = std::make_shared<PullReader>();
    reference.AddMetricReader(reader);
    const auto reference_meter = reference.GetMeter("tests");
    theirs.Run(*reference_meter);
    Points expected;
    reader->Collect([&](metrics::ResourceMetrics& collected) {
      expected = PointsOf(collected);
      return true;
    });
    ASSERT_GT(expected.size(), 20u);
    EXPECT_EQ(PointsOf(testing::TakeRecorded(file.path)), expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace otlp_arrow
