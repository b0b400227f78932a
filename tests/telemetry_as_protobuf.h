// Plain telemetry through libprotobuf's setters: what our encoder of it is compared with.
#pragma once

#include <vector>

#include "otlp_arrow/telemetry.h"
#include "random_otlp.h"

namespace otlp_arrow::testing {

TraceRequest AsProtobuf(const std::vector<ResourceSpans>& all);
MetricsRequest AsProtobuf(const std::vector<ResourceMetrics>& all);
LogsRequest AsProtobuf(const std::vector<ResourceLogs>& all);

// Brings a message to what plain telemetry can keep apart: ids of zeros are none, an attribute without a value is one with an
// empty value, a resource, scope or status that is not there is one that says nothing, and values are nested no deeper than
// kMaxValueNesting.
void AsPlainTelemetryHasIt(google::protobuf::Message* message);

}  // namespace otlp_arrow::testing
