#include "otlp_arrow/sdk/sampler.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "sdk/environment.h"

namespace otlp_arrow::sdk {
namespace {

class ConstantSampler final : public Sampler {
 public:
  explicit ConstantSampler(bool sampled) : sampled_(sampled) {}
  SamplingResult ShouldSample(const SamplingInput& input) const noexcept override { return {sampled_, input.parent.trace_state}; }
  std::string Description() const override { return sampled_ ? "AlwaysOnSampler" : "AlwaysOffSampler"; }

 private:
  const bool sampled_;
};

class RatioSampler final : public Sampler {
 public:
  explicit RatioSampler(double ratio)
      : ratio_(std::isnan(ratio) ? 0 : std::clamp(ratio, 0.0, 1.0)), bound_(ratio_ >= 1 ? 0 : static_cast<uint64_t>(std::ldexp(ratio_, 64))) {}
  SamplingResult ShouldSample(const SamplingInput& input) const noexcept override {
    uint64_t lower = 0;
    for (size_t i = 8; i < 16; ++i) lower = lower << 8 | input.trace_id.bytes[i];
    return {ratio_ >= 1 || lower < bound_, input.parent.trace_state};
  }
  std::string Description() const override { return "TraceIdRatioBased{" + std::to_string(ratio_) + "}"; }

 private:
  const double ratio_;
  const uint64_t bound_;
};

class ParentSampler final : public Sampler {
 public:
  explicit ParentSampler(std::shared_ptr<const Sampler> root) : root_(std::move(root)) {}
  SamplingResult ShouldSample(const SamplingInput& input) const noexcept override {
    if (!input.parent.IsValid()) return root_->ShouldSample(input);
    return {input.parent.IsSampled(), input.parent.trace_state};
  }
  std::string Description() const override { return "ParentBased{" + root_->Description() + "}"; }

 private:
  const std::shared_ptr<const Sampler> root_;
};

Result<double> RatioFromEnvironment() {
  const std::string_view text = Environment("OTEL_TRACES_SAMPLER_ARG");
  if (text.empty()) return 1.0;
  double ratio = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (error != std::errc() || end != text.data() + text.size() || !(ratio >= 0 && ratio <= 1)) {
    return Status::Config("OTEL_TRACES_SAMPLER_ARG: '" + std::string(text) + "' is not allowed; use a number from 0 to 1");
  }
  return ratio;
}

}  // namespace

Sampler::~Sampler() = default;

std::shared_ptr<const Sampler> AlwaysOn() { return std::make_shared<ConstantSampler>(true); }
std::shared_ptr<const Sampler> AlwaysOff() { return std::make_shared<ConstantSampler>(false); }
std::shared_ptr<const Sampler> TraceIdRatio(double ratio) { return std::make_shared<RatioSampler>(ratio); }
std::shared_ptr<const Sampler> ParentBased(std::shared_ptr<const Sampler> root) { return std::make_shared<ParentSampler>(std::move(root)); }

Result<std::shared_ptr<const Sampler>> SamplerFromEnvironment() {
  const std::string_view name = Environment("OTEL_TRACES_SAMPLER");
  if (name.empty() || name == "parentbased_always_on") return ParentBased(AlwaysOn());
  if (name == "always_on") return AlwaysOn();
  if (name == "always_off") return AlwaysOff();
  if (name == "parentbased_always_off") return ParentBased(AlwaysOff());
  if (name == "traceidratio" || name == "parentbased_traceidratio") {
    OTLP_ASSIGN_OR_RETURN(const double ratio, RatioFromEnvironment());
    return name == "traceidratio" ? TraceIdRatio(ratio) : ParentBased(TraceIdRatio(ratio));
  }
  return Status::Config("OTEL_TRACES_SAMPLER: '" + std::string(name) +
                        "' is not known; use always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or "
                        "parentbased_traceidratio");
}

Result<SpanLimits> SpanLimitsFromEnvironment() {
  SpanLimits limits;
  // The general ones first; those of spans stand above them.
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_ATTRIBUTE_COUNT_LIMIT", &limits.attributes));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits.attribute_value_length));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", &limits.attributes));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits.attribute_value_length));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_SPAN_EVENT_COUNT_LIMIT", &limits.events));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_SPAN_LINK_COUNT_LIMIT", &limits.links));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", &limits.event_attributes));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", &limits.link_attributes));
  return limits;
}

Result<LogLimits> LogLimitsFromEnvironment() {
  LogLimits limits;
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_ATTRIBUTE_COUNT_LIMIT", &limits.attributes));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits.attribute_value_length));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", &limits.attributes));
  OTLP_RETURN_NOT_OK(ReadCount("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", &limits.attribute_value_length));
  return limits;
}

}  // namespace otlp_arrow::sdk
