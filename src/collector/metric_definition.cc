#include "collector/metric_definition.h"

#include <cmath>
#include <utility>
#include <variant>

namespace otlp_arrow {
namespace {

using ring::Temporality;

bool Increases(const std::vector<double>& boundaries) {
  for (size_t i = 0; i < boundaries.size(); ++i) {
    if (std::isnan(boundaries[i]) || (i > 0 && !(boundaries[i - 1] < boundaries[i]))) return false;
  }
  return true;
}

struct SetAggregation {
  MetricDefinition* metric;

  void operator()(std::monostate) const { metric->aggregation = Aggregation::kGauge; }
  void operator()(const ring::GaugeAggregation&) const { metric->aggregation = Aggregation::kGauge; }
  void operator()(const ring::SumAggregation& sum) const {
    metric->aggregation = Aggregation::kSum;
    metric->temporality = sum.temporality;
    metric->is_monotonic = sum.is_monotonic;
  }
  void operator()(const ring::HistogramView& histogram) const {
    metric->aggregation = Aggregation::kHistogram;
    metric->temporality = histogram.temporality;
    metric->boundaries = histogram.bucket_boundaries;
  }
  void operator()(const ring::ExpHistogramAggregation& histogram) const {
    metric->aggregation = Aggregation::kExponentialHistogram;
    metric->temporality = histogram.temporality;
    metric->max_buckets = histogram.max_buckets;
    metric->max_scale = histogram.max_scale;
  }
};

}  // namespace

std::optional<MetricDefinition> ReadMetricDefinition(std::string_view entry) {
  const auto view = ring::ReadMetric(entry);
  if (!view) return std::nullopt;
  MetricDefinition metric;
  metric.name = view->name;
  metric.description = view->description;
  metric.unit = view->unit;
  metric.scope = view->scope;
  metric.cardinality_limit = view->cardinality_limit;
  std::visit(SetAggregation{&metric}, view->aggregation);
  if (metric.temporality != Temporality::kDelta) metric.temporality = Temporality::kCumulative;
  if (!Increases(metric.boundaries)) return std::nullopt;
  return metric;
}

}  // namespace otlp_arrow
