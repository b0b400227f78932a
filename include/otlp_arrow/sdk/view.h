// Views: which streams of data points the instruments make, and with which attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "otlp_arrow/sdk/definitions.h"

namespace otlp_arrow::sdk {

enum class InstrumentKind {
  kCounter, kUpDownCounter, kHistogram, kGauge, kObservableCounter, kObservableUpDownCounter, kObservableGauge
};

enum class ViewAggregation { kDefault, kDrop, kSum, kLastValue, kHistogram, kExponentialHistogram };

struct View {
  // Which instruments: all that are given must fit. `name` may have * (any text) and ? (one character), in any case.
  std::string name = "*";
  std::optional<InstrumentKind> kind{};
  std::optional<std::string> unit{};
  std::optional<std::string> meter_name{}, meter_version{}, meter_schema_url{};

  // What becomes of them; empty: as the instrument has it.
  std::string stream_name{};
  std::optional<std::string> description{};
  std::optional<std::vector<std::string>> attribute_keys{};  // all others are left out
  ViewAggregation aggregation = ViewAggregation::kDefault;
  std::optional<std::vector<double>> bucket_boundaries{};
  int64_t max_buckets = 160;
  int64_t max_scale = 20;
  uint32_t cardinality_limit = 0;
};

// What a data point counts from, by kind of instrument; OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE.
enum class MetricTemporality {
  kCumulative,  // from the start, for all
  kDelta,       // from the last one, but for up-down counters
  kLowMemory,   // from the last one for counters and histograms; else from the start
};

// Which measurements are kept as examples of their data point; OTEL_METRICS_EXEMPLAR_FILTER.
enum class ExemplarFilter { kTraceBased, kAlwaysOn, kAlwaysOff };

}  // namespace otlp_arrow::sdk
