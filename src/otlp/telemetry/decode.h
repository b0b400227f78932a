// OTLP requests as plain telemetry (otlp_arrow/telemetry.h), for tests of what was sent.
#pragma once

#include <string_view>
#include <vector>

#include "otlp_arrow/telemetry.h"

namespace otlp_arrow {

// Items that the scan rejects are left out, containers without a valid item stay. Errors: kExport for bytes that are no such
// request.
Result<std::vector<ResourceSpans>> DecodeTraces(std::string_view request);
Result<std::vector<ResourceMetrics>> DecodeMetrics(std::string_view request);
Result<std::vector<ResourceLogs>> DecodeLogs(std::string_view request);

}  // namespace otlp_arrow
