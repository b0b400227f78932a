// Plain telemetry (otlp_arrow/telemetry.h) as OTLP requests. Each function appends one Resource… to an Export…ServiceRequest,
// or nothing where there is no item. None of them allocates but for the writer's growth.
#pragma once

#include <span>

#include "otlp_arrow/telemetry.h"
#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {

void EncodeTraces(std::span<const Span> spans, const Resource& resource, const InstrumentationScope& scope, wire::Writer* out);
void EncodeTraces(const ResourceSpans& spans, wire::Writer* out);
void EncodeMetrics(const ResourceMetrics& metrics, wire::Writer* out);
void EncodeLogs(std::span<const LogRecord> records, const Resource& resource, const InstrumentationScope& scope, wire::Writer* out);
void EncodeLogs(const ResourceLogs& logs, wire::Writer* out);

}  // namespace otlp_arrow
