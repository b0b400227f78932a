#include <algorithm>
#include <cmath>
#include <functional>

#include <spdlog/spdlog.h>

#include "sdk/instrument_core.h"
#include "sdk/text.h"

namespace otlp_arrow::sdk {
namespace {

const std::vector<double> kDefaultBoundaries = {0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000};

template <class T, class U>
bool Fits(const std::optional<T>& wanted, const U& value) {
  return !wanted || *wanted == value;
}

bool Selects(const View& view, const InstrumentationScope& scope, InstrumentKind kind, const std::string& name, const InstrumentOptions& advice) {
  return MatchesWildcard(view.name, name) && Fits(view.kind, kind) && Fits(view.unit, advice.unit) && Fits(view.meter_name, scope.name) &&
         Fits(view.meter_version, scope.version) && Fits(view.meter_schema_url, scope.schema_url);
}

bool IsUpDown(InstrumentKind kind) { return kind == InstrumentKind::kUpDownCounter || kind == InstrumentKind::kObservableUpDownCounter; }
bool IsGauge(InstrumentKind kind) { return kind == InstrumentKind::kGauge || kind == InstrumentKind::kObservableGauge; }

ring::Temporality TemporalityOf(MetricTemporality preference, InstrumentKind kind) {
  const bool needs_no_state = kind == InstrumentKind::kCounter || kind == InstrumentKind::kHistogram;
  const bool is_delta = preference == MetricTemporality::kDelta ? !IsUpDown(kind) : preference == MetricTemporality::kLowMemory && needs_no_state;
  return is_delta ? ring::Temporality::kDelta : ring::Temporality::kCumulative;
}

AggregationKind DefaultAggregation(InstrumentKind kind) {
  if (IsGauge(kind)) return AggregationKind::kGauge;
  return kind == InstrumentKind::kHistogram ? AggregationKind::kHistogram : AggregationKind::kSum;
}

AggregationKind AggregationOf(const View& view, InstrumentKind kind) {
  switch (view.aggregation) {
    case ViewAggregation::kSum: return AggregationKind::kSum;
    case ViewAggregation::kLastValue: return AggregationKind::kGauge;
    case ViewAggregation::kHistogram: return AggregationKind::kHistogram;
    case ViewAggregation::kExponentialHistogram: return AggregationKind::kExponentialHistogram;
    case ViewAggregation::kDefault:
    case ViewAggregation::kDrop: break;
  }
  return view.bucket_boundaries && kind == InstrumentKind::kHistogram ? AggregationKind::kHistogram : DefaultAggregation(kind);
}

const std::vector<double>& BoundariesOf(const View& view, const std::string& name, const InstrumentOptions& advice) {
  for (const auto* boundaries : {&view.bucket_boundaries, &advice.bucket_boundaries}) {
    if (!*boundaries) continue;
    const auto& values = **boundaries;
    const bool finite = std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
    if (finite && std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end()) return values;
    spdlog::warn("bucket boundaries for the instrument '{}' are left aside: they must be finite, each greater than the one before", name);
  }
  return kDefaultBoundaries;
}

Stream MakeStream(const View& view, const ProviderCore& provider, const std::shared_ptr<ScopeDefinition>& scope, InstrumentKind kind,
                  const std::string& name, const InstrumentOptions& advice) {
  MetricStreamDefinition stream;
  stream.name = view.stream_name.empty() ? name : view.stream_name;
  stream.description = view.description.value_or(advice.description);
  stream.unit = advice.unit;
  stream.aggregation = AggregationOf(view, kind);
  stream.temporality = TemporalityOf(provider.temporality, kind);
  stream.is_monotonic = !IsUpDown(kind) && !IsGauge(kind);
  if (stream.aggregation == AggregationKind::kHistogram) stream.bucket_boundaries = BoundariesOf(view, name, advice);
  stream.max_buckets = std::max<int64_t>(view.max_buckets, 2);
  stream.max_scale = std::clamp<int64_t>(view.max_scale, -10, 20);
  stream.cardinality_limit = view.cardinality_limit;
  return {std::make_unique<MetricDefinition>(scope, std::move(stream)), view.attribute_keys};
}

}  // namespace

std::vector<Stream> StreamsOf(const ProviderCore& provider, const std::shared_ptr<ScopeDefinition>& scope, InstrumentKind kind, const std::string& name,
                              const InstrumentOptions& advice) {
  std::vector<Stream> streams;
  bool selected = false;
  for (const sdk::View& view : provider.views) {
    if (!Selects(view, scope->scope(), kind, name, advice)) continue;
    selected = true;
    if (view.aggregation != ViewAggregation::kDrop) streams.push_back(MakeStream(view, provider, scope, kind, name, advice));
  }
  if (!selected) streams.push_back(MakeStream({}, provider, scope, kind, name, advice));
  return streams;
}

}  // namespace otlp_arrow::sdk
