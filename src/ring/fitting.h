// Records that are larger than a slot: spans and log records are spread over several, what cannot be is cut by the
// attribute-limit rules of OpenTelemetry, and what even then does not fit is left out. All of it is counted.
#pragma once

#include <cstdint>

#include "ring/record_writer.h"
#include "ring/ring_output.h"
#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

RecordResult FitSpanStart(RingOutput* ring, OutputState* state, const SpanStart& span);
RecordResult FitSpanAttributes(RingOutput* ring, OutputState* state, const SpanKey& span, Attributes attributes);
RecordResult FitSpanName(RingOutput* ring, OutputState* state, const SpanKey& span, std::string_view name);
RecordResult FitSpanEnd(RingOutput* ring, OutputState* state, const SpanKey& span, const EndContent& end);
RecordResult FitSpanStatus(RingOutput* ring, OutputState* state, const SpanKey& span, SpanStatus status);
RecordResult FitSpanLink(RingOutput* ring, OutputState* state, const SpanKey& span, const SpanLink& link);
RecordResult FitMeasurement(RingOutput* ring, OutputState* state, const Measurement& measurement);
RecordResult FitEvent(RingOutput* ring, OutputState* state, const Event& event);

}  // namespace otlp_arrow::ring
