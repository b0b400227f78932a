// Which span a measurement or a log record belongs to: the one of a context of the OpenTelemetry API.
#pragma once

#include <array>
#include <cstdint>

#include "otlp_arrow/ring/values.h"
#include "python_object.h"

namespace otlp_arrow::python {

constexpr uint32_t kSampled = 1;  // of W3C's trace flags

struct SpanIds {
  std::array<uint8_t, 16> trace_id{};
  std::array<uint8_t, 8> span_id{};
  uint32_t flags = 0;

  bool is_valid() const;
  ring::SpanContext context() const { return {ring::TraceId(trace_id), ring::SpanId(span_id), flags}; }
};

// The span of `context`, of the current one where that is null or None. Not valid where there is none; never raises.
SpanIds SpanIdsOf(PyObject* context) noexcept;
// Ids that an object has as the integers `trace_id`, `span_id` and `trace_flags`: a span context or a log record.
SpanIds SpanIdsIn(PyObject* object) noexcept;

}  // namespace otlp_arrow::python
