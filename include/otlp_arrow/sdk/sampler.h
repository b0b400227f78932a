// Which spans are recorded, and how much of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "otlp_arrow/export.h"
#include "otlp_arrow/sdk/attributes.h"
#include "otlp_arrow/sdk/context.h"
#include "otlp_arrow/status.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

struct SamplingInput {
  const SpanContext& parent;  // not valid at a root
  const TraceId& trace_id;
  std::string_view name;
  SpanKind kind = SpanKind::kInternal;
  AttributeList attributes{};
};

struct SamplingResult {
  bool sampled = true;
  std::shared_ptr<const std::string> trace_state{};  // of the new span
};

// Called on the thread that starts a span, by many at once.
class OTLP_ARROW_EXPORT Sampler {
 public:
  virtual ~Sampler();
  virtual SamplingResult ShouldSample(const SamplingInput& input) const noexcept = 0;
  virtual std::string Description() const = 0;
};

OTLP_ARROW_EXPORT std::shared_ptr<const Sampler> AlwaysOn();
OTLP_ARROW_EXPORT std::shared_ptr<const Sampler> AlwaysOff();
// By the lower 64 bits of the trace's id, so that all of a trace has the same fate. `ratio`: 0 to 1; beyond it the nearest.
OTLP_ARROW_EXPORT std::shared_ptr<const Sampler> TraceIdRatio(double ratio);
// As the parent, where there is one; `root` decides on the others.
OTLP_ARROW_EXPORT std::shared_ptr<const Sampler> ParentBased(std::shared_ptr<const Sampler> root);
// What OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG name; else ParentBased(AlwaysOn()). Errors: kConfig.
OTLP_ARROW_EXPORT Result<std::shared_ptr<const Sampler>> SamplerFromEnvironment();

// What is beyond them is left out and counted.
struct SpanLimits {
  static constexpr uint32_t kUnlimited = UINT32_MAX;

  uint32_t attributes = 128;
  uint32_t events = 128;
  uint32_t links = 128;
  uint32_t event_attributes = 128;
  uint32_t link_attributes = 128;
  uint32_t attribute_value_length = kUnlimited;  // characters of a text, also within arrays; bytes of bytes
};
// The defaults, and OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT and its sisters. Errors: kConfig.
OTLP_ARROW_EXPORT Result<SpanLimits> SpanLimitsFromEnvironment();

struct LogLimits {
  uint32_t attributes = 128;
  uint32_t attribute_value_length = SpanLimits::kUnlimited;
};
// OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT and its sisters. Errors: kConfig.
OTLP_ARROW_EXPORT Result<LogLimits> LogLimitsFromEnvironment();

}  // namespace otlp_arrow::sdk
