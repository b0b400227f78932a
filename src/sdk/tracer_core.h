// A tracer: the scope of its spans, and what they share.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "sdk/provider_core.h"

namespace otlp_arrow::sdk {

class TracerCore {
 public:
  TracerCore(std::shared_ptr<ProviderCore> provider, InstrumentationScope scope)
      : provider_(std::move(provider)), scope_(provider_->recorder, provider_->resource, std::move(scope)) {}

  Span Start(std::string_view name, const SpanOptions& options) const noexcept;
  const SpanLimits& limits() const { return provider_->span_limits; }
  const Recorder& recorder() const { return *provider_->recorder; }
  uint64_t dictionary_owner() const noexcept { return provider_->dictionary_owner(); }
  StringDefinition& no_name() const { return provider_->no_name; }

 private:
  void Begin(const Binding& binding, std::string_view name, const SpanOptions& options, const SpanContext& parent, const SamplingResult& decision, Span* span) const;

  const std::shared_ptr<ProviderCore> provider_;
  mutable ScopeDefinition scope_;
};

}  // namespace otlp_arrow::sdk
