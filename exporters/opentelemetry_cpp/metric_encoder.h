// What the SDK's metric readers collect, as an OTLP request.
#pragma once

#include <cstdint>

#include <opentelemetry/sdk/metrics/export/metric_producer.h>

#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow::exporters {

// Data points of all metrics.
int64_t CountDataPoints(const opentelemetry::sdk::metrics::ResourceMetrics& metrics);

// Writes an ExportMetricsServiceRequest. The result is the number of data points left out: the SDK's dropped ones and
// those of another kind than their metric's first, for which OTLP has no form.
int64_t WriteMetricsRequest(const opentelemetry::sdk::metrics::ResourceMetrics& metrics, wire::Writer* out);

}  // namespace otlp_arrow::exporters
