#include "otlp/telemetry/encode.h"
#include "otlp/telemetry/encode_values.h"

namespace otlp_arrow {
namespace {

constexpr size_t kMetricSize = 256;  // about that of a metric with a few points on the wire

void EncodeNumber(uint32_t double_field, uint32_t int_field, const Number& number, wire::Writer* out) {
  if (const double* value = std::get_if<double>(&number)) {
    out->Double(double_field, *value);
  } else if (const int64_t* integer = std::get_if<int64_t>(&number)) {
    out->Fixed64(int_field, static_cast<uint64_t>(*integer));
  }
}

void EncodeOptional(uint32_t field, const std::optional<double>& value, wire::Writer* out) {
  if (value) out->Double(field, *value);
}

void EncodePackedFixed64(uint32_t field, std::span<const uint64_t> values, wire::Writer* out) {
  out->NonEmpty(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}
void EncodePackedDoubles(uint32_t field, std::span<const double> values, wire::Writer* out) {
  out->NonEmpty(field, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

void EncodeExemplars(uint32_t field, std::span<const Exemplar> exemplars, wire::Writer* out) {
  for (const Exemplar& exemplar : exemplars) {
    EncodeMessage(field, 48 + SizeOf(exemplar.filtered_attributes), out, [&] {
      out->NonZeroFixed64(2, exemplar.time_unix_nano);
      EncodeNumber(3, 6, exemplar.value, out);
      EncodeId(4, exemplar.span_id, out);
      EncodeId(5, exemplar.trace_id, out);
      EncodeAttributes(7, exemplar.filtered_attributes, out);
    });
  }
}

size_t SizeOf(const NumberDataPoint& point) { return 27 + otlp_arrow::SizeOf(point.attributes) + 64 * point.exemplars.size(); }
size_t SizeOf(const HistogramDataPoint& point) {
  return 54 + otlp_arrow::SizeOf(point.attributes) + 8 * (point.bucket_counts.size() + point.explicit_bounds.size()) +
         64 * point.exemplars.size();
}
size_t SizeOf(const ExponentialHistogramDataPoint& point) {
  const auto buckets = [](const auto& side) { return side ? side->bucket_counts.size() : 0; };
  return 64 + otlp_arrow::SizeOf(point.attributes) + 2 * (buckets(point.positive) + buckets(point.negative)) +
         64 * point.exemplars.size();
}
size_t SizeOf(const SummaryDataPoint& point) {
  return 36 + otlp_arrow::SizeOf(point.attributes) + 20 * point.quantile_values.size();
}

// What all kinds of points have under the same numbers.
template <class Point>
void EncodeTimes(const Point& point, wire::Writer* out) {
  out->NonZeroFixed64(2, point.start_time_unix_nano);
  out->NonZeroFixed64(3, point.time_unix_nano);
}

void EncodePoint(const NumberDataPoint& point, wire::Writer* out) {
  EncodeTimes(point, out);
  EncodeNumber(4, 6, point.value, out);
  EncodeExemplars(5, point.exemplars, out);
  EncodeAttributes(7, point.attributes, out);
  out->NonZeroVarint(8, point.flags);
}

void EncodePoint(const HistogramDataPoint& point, wire::Writer* out) {
  EncodeTimes(point, out);
  out->NonZeroFixed64(4, point.count);
  EncodeOptional(5, point.sum, out);
  EncodePackedFixed64(6, point.bucket_counts, out);
  EncodePackedDoubles(7, point.explicit_bounds, out);
  EncodeExemplars(8, point.exemplars, out);
  EncodeAttributes(9, point.attributes, out);
  out->NonZeroVarint(10, point.flags);
  EncodeOptional(11, point.min, out);
  EncodeOptional(12, point.max, out);
}

void EncodeBuckets(uint32_t field, const ExponentialHistogramDataPoint::Buckets& buckets, wire::Writer* out) {
  const size_t size = 2 * buckets.bucket_counts.size();
  EncodeMessage(field, 4 + size, out, [&] {
    if (buckets.offset != 0) out->ZigZag32(1, buckets.offset);
    if (buckets.bucket_counts.empty()) return;
    EncodeMessage(2, size, out, [&] {
      for (const uint64_t count : buckets.bucket_counts) out->PackedVarint(count);
    });
  });
}

void EncodePoint(const ExponentialHistogramDataPoint& point, wire::Writer* out) {
  EncodeAttributes(1, point.attributes, out);
  EncodeTimes(point, out);
  out->NonZeroFixed64(4, point.count);
  EncodeOptional(5, point.sum, out);
  if (point.scale != 0) out->ZigZag32(6, point.scale);
  out->NonZeroFixed64(7, point.zero_count);
  if (point.positive) EncodeBuckets(8, *point.positive, out);
  if (point.negative) EncodeBuckets(9, *point.negative, out);
  out->NonZeroVarint(10, point.flags);
  EncodeExemplars(11, point.exemplars, out);
  EncodeOptional(12, point.min, out);
  EncodeOptional(13, point.max, out);
  out->NonZeroDouble(14, point.zero_threshold);
}

void EncodePoint(const SummaryDataPoint& point, wire::Writer* out) {
  EncodeTimes(point, out);
  out->NonZeroFixed64(4, point.count);
  out->NonZeroDouble(5, point.sum);
  for (const SummaryDataPoint::ValueAtQuantile& at : point.quantile_values) {
    EncodeMessage(6, 18, out, [&] {
      out->NonZeroDouble(1, at.quantile);
      out->NonZeroDouble(2, at.value);
    });
  }
  EncodeAttributes(7, point.attributes, out);
  out->NonZeroVarint(8, point.flags);
}

// The field of Metric's `data`, the points in it, and what else it says.
struct DataEncoder {
  wire::Writer* out;

  void operator()(std::monostate) const {}
  void operator()(const Gauge& gauge) const {
    Points(5, gauge.data_points, [] {});
  }
  void operator()(const Sum& sum) const {
    Points(7, sum.data_points, [&] {
      Temporality(sum.aggregation_temporality);
      out->NonZeroVarint(3, sum.is_monotonic);
    });
  }
  void operator()(const Histogram& histogram) const {
    Points(9, histogram.data_points, [&] { Temporality(histogram.aggregation_temporality); });
  }
  void operator()(const ExponentialHistogram& histogram) const {
    Points(10, histogram.data_points, [&] { Temporality(histogram.aggregation_temporality); });
  }
  void operator()(const Summary& summary) const {
    Points(11, summary.data_points, [] {});
  }

 private:
  void Temporality(AggregationTemporality temporality) const { out->NonZeroInt32(2, static_cast<int32_t>(temporality)); }

  template <class Point, class WriteRest>
  void Points(uint32_t field, const std::vector<Point>& points, WriteRest write_rest) const {
    EncodeMessage(field, points.empty() ? 2 : points.size() * SizeOf(points.front()), out, [&] {
      for (const Point& point : points) {
        EncodeMessage(1, SizeOf(point), out, [&] { EncodePoint(point, out); });
      }
      write_rest();
    });
  }
};

void EncodeMetric(const Metric& metric, wire::Writer* out) {
  EncodeMessage(2, kMetricSize, out, [&] {
    out->NonEmpty(1, metric.name);
    out->NonEmpty(2, metric.description);
    out->NonEmpty(3, metric.unit);
    std::visit(DataEncoder{out}, metric.data);
    EncodeAttributes(12, metric.metadata, out);
  });
}

}  // namespace

void EncodeMetrics(const ResourceMetrics& metrics, wire::Writer* out) {
  EncodeContainers(
      metrics.resource, metrics.scope_metrics, kMetricSize, out, [](const ScopeMetrics& scope) { return scope.metrics.size(); },
      [out](const ScopeMetrics& scope) {
        for (const Metric& metric : scope.metrics) EncodeMetric(metric, out);
      });
}

}  // namespace otlp_arrow
