// The SDK's objects as OTLP requests in protobuf's wire format: natively, without a protobuf package in between.
#pragma once

#include <string>

#include "bindings.h"

namespace otlp_arrow::python {

// All want the GIL. They raise OtlpExportError, which says what was passed and what is taken; an empty string means that
// there is nothing to export. What the forms look like: docs/python/values.md.

// An iterable of SDK spans (finished or still open) and dictionaries -> ExportTraceServiceRequest.
std::string ConvertSpans(nb::handle spans);
// MetricsData, ResourceMetrics, the metrics API module or a MeterProvider (these are collected from)
// -> ExportMetricsServiceRequest.
std::string ConvertMetrics(nb::handle metrics);
// An iterable of SDK log records and dictionaries -> ExportLogsServiceRequest.
std::string ConvertLogs(nb::handle records);

}  // namespace otlp_arrow::python
