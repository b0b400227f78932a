#include "temporality.h"

namespace otlp_arrow::exporters {
namespace {

using opentelemetry::sdk::metrics::AggregationTemporality;
using opentelemetry::sdk::metrics::InstrumentType;

// The SDK must know the sum of an asynchronous counter to tell a delta of it.
bool NeedsNoState(InstrumentType type) { return type == InstrumentType::kCounter || type == InstrumentType::kHistogram; }

bool IsUpDownCounter(InstrumentType type) {
  return type == InstrumentType::kUpDownCounter || type == InstrumentType::kObservableUpDownCounter;
}

}  // namespace

AggregationTemporality TemporalityOf(TemporalityPreference preference, InstrumentType type) {
  bool is_delta = false;
  if (preference == TemporalityPreference::kDelta) is_delta = !IsUpDownCounter(type);
  if (preference == TemporalityPreference::kLowMemory) is_delta = NeedsNoState(type);
  return is_delta ? AggregationTemporality::kDelta : AggregationTemporality::kCumulative;
}

}  // namespace otlp_arrow::exporters
