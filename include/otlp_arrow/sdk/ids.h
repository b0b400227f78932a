// Random ids of traces and spans, as the W3C's trace context wants them: never all zero.
#pragma once

#include "otlp_arrow/export.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

// From a generator of each thread, seeded by the system; no lock, no system call but the first. A forked child seeds anew.
OTLP_ARROW_EXPORT TraceId RandomTraceId() noexcept;
OTLP_ARROW_EXPORT SpanId RandomSpanId() noexcept;

}  // namespace otlp_arrow::sdk
