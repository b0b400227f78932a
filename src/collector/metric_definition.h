// What a metric of a ring file is, on its own: dictionary entries are views.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ring/records.h"

namespace otlp_arrow {

enum class Aggregation { kGauge, kSum, kHistogram, kExponentialHistogram };

struct MetricDefinition {
  std::string name, description, unit;
  ring::Ref scope = 0;
  Aggregation aggregation = Aggregation::kGauge;
  ring::Temporality temporality = ring::Temporality::kCumulative;
  bool is_monotonic = false;
  std::vector<double> boundaries;  // increasing
  int64_t max_buckets = 160;
  int64_t max_scale = 20;
  uint32_t cardinality_limit = 0;  // attribute sets; 0: as the collector is told
};

// Nullopt for bytes that are no MetricRef, and where its boundaries do not increase. A metric without an aggregation is a
// gauge; a temporality that is not told is cumulative.
std::optional<MetricDefinition> ReadMetricDefinition(std::string_view entry);

}  // namespace otlp_arrow
