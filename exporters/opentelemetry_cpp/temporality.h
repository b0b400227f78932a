#pragma once

#include <opentelemetry/sdk/metrics/instruments.h>

#include "otlp_arrow/opentelemetry_exporters.h"

namespace otlp_arrow::exporters {

// As https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp says.
opentelemetry::sdk::metrics::AggregationTemporality TemporalityOf(TemporalityPreference preference,
                                                                  opentelemetry::sdk::metrics::InstrumentType type);

}  // namespace otlp_arrow::exporters
