// Random ids of traces and spans, as the W3C's trace context wants them: never all zero.
#pragma once

#include <cstdint>

#include "otlp_arrow/export.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

// From a generator of each thread, seeded by the system; no lock, no system call but the first. A forked child seeds anew.
OTLP_ARROW_EXPORT TraceId RandomTraceId() noexcept;
OTLP_ARROW_EXPORT SpanId RandomSpanId() noexcept;

// Nanoseconds since 1970, UTC.
OTLP_ARROW_EXPORT uint64_t UnixNanoNow() noexcept;

}  // namespace otlp_arrow::sdk
