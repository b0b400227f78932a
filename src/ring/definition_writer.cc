#include "ring/definition_writer.h"

#include "ring/messages.h"
#include "ring/record_writer.h"

namespace otlp_arrow::ring {
namespace {

// Puts what `put` writes, at most `most` bytes, into a string.
template <class Put>
std::string Written(size_t most, Put put) {
  std::string bytes(most, '\0');
  auto* begin = reinterpret_cast<uint8_t*>(bytes.data());
  SlotWriter out(begin);
  put(&out);
  bytes.resize(static_cast<size_t>(out.at() - begin));
  return bytes;
}

constexpr size_t kMostNumber = 16;  // a tag and a varint

void PutTemporality(SlotWriter* out, uint32_t field, Temporality temporality) {
  if (temporality != Temporality::kUnspecified) out->VarintField(field, static_cast<uint64_t>(temporality));
}

struct AggregationWriter {
  std::string operator()(const GaugeAggregation&) const { return {}; }
  std::string operator()(const SumAggregation& sum) const {
    return Written(2 * kMostNumber, [&](SlotWriter* out) {
      PutTemporality(out, field::kSumTemporality, sum.temporality);
      if (sum.is_monotonic) out->VarintField(field::kSumMonotonic, 1);
    });
  }
  std::string operator()(const HistogramAggregation& histogram) const {
    const auto boundaries = std::as_bytes(histogram.bucket_boundaries);
    return Written(2 * kMostNumber + boundaries.size(), [&](SlotWriter* out) {
      PutTemporality(out, field::kHistogramTemporality, histogram.temporality);
      if (!boundaries.empty()) out->Bytes(field::kHistogramBoundaries, boundaries.data(), boundaries.size());
    });
  }
  std::string operator()(const ExpHistogramAggregation& histogram) const {
    return Written(3 * kMostNumber, [&](SlotWriter* out) {
      PutTemporality(out, field::kExpHistogramTemporality, histogram.temporality);
      if (histogram.max_buckets) out->VarintField(field::kExpHistogramMaxBuckets, static_cast<uint64_t>(histogram.max_buckets));
      if (histogram.max_scale) out->VarintField(field::kExpHistogramMaxScale, static_cast<uint64_t>(histogram.max_scale));
    });
  }
};

}  // namespace

std::string ResourceBytes(const ResourceDefinition& resource) {
  const size_t most = PairsBytes(field::kResourceAttributes, resource.attributes) + kMostNumber + TextBytes(field::kExtSchemaUrl, resource.schema_url);
  return Written(most, [&](SlotWriter* out) {
    PutPairs(out, field::kResourceAttributes, resource.attributes);
    PutCount(out, field::kResourceDropped, resource.dropped_attributes_count);
    out->Text(field::kExtSchemaUrl, resource.schema_url);
  });
}

std::string ScopeBytes(const ScopeDefinition& scope, Ref name, Ref version) {
  const size_t most = 4 * kMostNumber + PairsBytes(field::kScopeAttributes, scope.attributes) + TextBytes(field::kExtSchemaUrl, scope.schema_url);
  return Written(most, [&](SlotWriter* out) {
    PutRef(out, field::kScopeNameRef, name);
    PutRef(out, field::kScopeVersionRef, version);
    PutPairs(out, field::kScopeAttributes, scope.attributes);
    PutCount(out, field::kScopeDropped, scope.dropped_attributes_count);
    PutRef(out, field::kScopeResourceRef, scope.resource);
    out->Text(field::kExtSchemaUrl, scope.schema_url);
  });
}

std::string MetricBytes(const MetricDefinition& metric) {
  constexpr uint32_t kFields[] = {field::kMetricGauge, field::kMetricSum, field::kMetricHistogram, field::kMetricExpHistogram};
  const std::string aggregation = std::visit(AggregationWriter{}, metric.aggregation);
  const uint32_t aggregation_field = kFields[metric.aggregation.index()];
  const size_t most = TextBytes(field::kMetricName, metric.name) + TextBytes(field::kMetricDescription, metric.description) +
                      TextBytes(field::kMetricUnit, metric.unit) + 2 * kMostNumber + LenBytes(aggregation_field, aggregation.size());
  return Written(most, [&](SlotWriter* out) {
    out->Text(field::kMetricName, metric.name);
    out->Text(field::kMetricDescription, metric.description);
    out->Text(field::kMetricUnit, metric.unit);
    PutRef(out, field::kMetricScopeRef, metric.scope);
    out->Bytes(aggregation_field, aggregation.data(), aggregation.size());
    PutCount(out, field::kExtCardinality, metric.cardinality_limit);
  });
}

}  // namespace otlp_arrow::ring
