#include "metric_encoder.h"

#include <string>
#include <string_view>

#include <opentelemetry/nostd/variant.h>

#include "attribute_writer.h"
#include "otlp_fields.h"
#include "request_batch.h"

namespace otlp_arrow::exporters {
namespace {

namespace sdk = opentelemetry::sdk::metrics;
namespace nostd = opentelemetry::nostd;
using opentelemetry::common::SystemTimestamp;

constexpr size_t kGuessedPointBytes = 100;

uint64_t Nanoseconds(SystemTimestamp time) { return static_cast<uint64_t>(time.time_since_epoch().count()); }

double ToDouble(const sdk::ValueType& value) {
  if (const auto* integer = nostd::get_if<int64_t>(&value)) return static_cast<double>(*integer);
  return nostd::get<double>(value);
}

uint64_t ToOtlp(sdk::AggregationTemporality temporality) {
  switch (temporality) {
    case sdk::AggregationTemporality::kDelta:
      return 1;
    case sdk::AggregationTemporality::kCumulative:
      return 2;
    case sdk::AggregationTemporality::kUnspecified:
      break;
  }
  return 0;
}

bool IsMonotonic(sdk::InstrumentType type) {
  return type == sdk::InstrumentType::kCounter || type == sdk::InstrumentType::kObservableCounter;
}

// Packed numbers of eight bytes each, as they lie in memory.
template <class T>
void WritePacked(wire::Writer* out, uint32_t field, const std::vector<T>& values) {
  static_assert(sizeof(T) == 8);
  out->NonEmpty(field, {reinterpret_cast<const char*>(values.data()), 8 * values.size()});
}

void WriteText(wire::Writer* out, uint32_t field, std::string_view text) {
  std::string storage;
  out->NonEmpty(field, ValidText(text, &storage));
}

// Of one metric.
class MetricWriter {
 public:
  MetricWriter(const sdk::MetricData& metric, wire::Writer* out) : metric_(metric), out_(out) {}

  // The number of data points that are left out.
  int64_t Write() {
    const size_t kind = Kind();
    if (kind == kNoKind) return static_cast<int64_t>(metric_.point_data_attr_.size());
    const size_t bytes = kGuessedPointBytes * metric_.point_data_attr_.size();
    const auto message = out_->Begin(field::kScopeItems, wire::VarintSize(bytes));
    WriteText(out_, field::kMetricName, metric_.instrument_descriptor.name_);
    WriteText(out_, field::kMetricDescription, metric_.instrument_descriptor.description_);
    WriteText(out_, field::kMetricUnit, metric_.instrument_descriptor.unit_);
    const auto data = out_->Begin(DataField(kind), wire::VarintSize(bytes));
    const int64_t left_out = WritePoints(kind);
    if (kind != kGauge) out_->NonZeroVarint(field::kTemporality, ToOtlp(metric_.aggregation_temporality));
    if (kind == kSum) out_->NonZeroVarint(field::kIsMonotonic, IsMonotonic(metric_.instrument_descriptor.type_));
    out_->End(data);
    out_->End(message);
    return left_out;
  }

 private:
  // The alternatives of PointType.
  enum : size_t { kSum = 0, kHistogram = 1, kGauge = 2, kNoKind = 3 };

  static uint32_t DataField(size_t kind) {
    return kind == kSum ? field::kMetricSum : kind == kHistogram ? field::kMetricHistogram : field::kMetricGauge;
  }

  size_t Kind() const {
    for (const auto& point : metric_.point_data_attr_) {
      if (point.point_data.index() < kNoKind) return point.point_data.index();
    }
    return kNoKind;
  }

  int64_t WritePoints(size_t kind) {
    int64_t left_out = 0;
    for (const auto& point : metric_.point_data_attr_) {
      if (point.point_data.index() == kind) {
        WritePoint(point);
      } else {
        ++left_out;
      }
    }
    return left_out;
  }

  void WritePoint(const sdk::PointDataAttributes& point) {
    const auto message = out_->Begin(field::kDataPoints);
    out_->NonZeroFixed64(field::kPointStart, Nanoseconds(metric_.start_ts));
    out_->NonZeroFixed64(field::kPointTime, Nanoseconds(metric_.end_ts));
    if (const auto* sum = nostd::get_if<sdk::SumPointData>(&point.point_data)) {
      WriteNumber(sum->value_);
    } else if (const auto* gauge = nostd::get_if<sdk::LastValuePointData>(&point.point_data)) {
      WriteNumber(gauge->value_);
    } else if (const auto* histogram = nostd::get_if<sdk::HistogramPointData>(&point.point_data)) {
      WriteHistogram(*histogram);
    }
    const bool is_histogram = point.point_data.index() == kHistogram;
    WriteAttributes(out_, is_histogram ? field::kHistogramAttributes : field::kPointAttributes, point.attributes);
    out_->End(message);
  }

  void WriteNumber(const sdk::ValueType& value) {
    if (const auto* integer = nostd::get_if<int64_t>(&value)) {
      out_->Fixed64(field::kPointInt, static_cast<uint64_t>(*integer));
    } else {
      out_->Double(field::kPointDouble, ToDouble(value));
    }
  }

  void WriteHistogram(const sdk::HistogramPointData& histogram) {
    out_->NonZeroFixed64(field::kHistogramCount, histogram.count_);
    out_->Double(field::kHistogramSum, ToDouble(histogram.sum_));
    if (histogram.record_min_max_) {
      out_->Double(field::kHistogramMin, ToDouble(histogram.min_));
      out_->Double(field::kHistogramMax, ToDouble(histogram.max_));
    }
    WritePacked(out_, field::kHistogramBounds, histogram.boundaries_);
    WritePacked(out_, field::kHistogramBucketCounts, histogram.counts_);
  }

  const sdk::MetricData& metric_;
  wire::Writer* out_;
};

}  // namespace

int64_t CountDataPoints(const sdk::ResourceMetrics& metrics) {
  size_t points = 0;
  for (const auto& scope : metrics.scope_metric_data_) {
    for (const auto& metric : scope.metric_data_) points += metric.point_data_attr_.size();
  }
  return static_cast<int64_t>(points);
}

int64_t WriteMetricsRequest(const sdk::ResourceMetrics& metrics, wire::Writer* out) {
  const size_t length_bytes = wire::VarintSize(kGuessedPointBytes * static_cast<size_t>(CountDataPoints(metrics)));
  int64_t left_out = 0;
  const auto resource = out->Begin(field::kRequestResourceItems, length_bytes);
  WriteResourceFields(out, metrics.resource_);
  for (const auto& scope_metrics : metrics.scope_metric_data_) {
    const auto scope = out->Begin(field::kResourceScopeItems, length_bytes);
    WriteScopeFields(out, scope_metrics.scope_);
    for (const auto& metric : scope_metrics.metric_data_) left_out += MetricWriter(metric, out).Write();
    out->End(scope);
  }
  out->End(resource);
  return left_out;
}

}  // namespace otlp_arrow::exporters
