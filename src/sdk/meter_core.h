// A meter: the instruments of a scope, each identity once.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "sdk/instrument_core.h"

namespace otlp_arrow::sdk {

class MeterCore {
 public:
  MeterCore(std::shared_ptr<ProviderCore> provider, InstrumentationScope scope)
      : provider_(std::move(provider)), scope_(std::make_shared<ScopeDefinition>(provider_->recorder, provider_->resource, std::move(scope))) {}

  // Null where nothing is to be recorded.
  std::shared_ptr<const InstrumentCore> Create(InstrumentKind kind, std::string_view name, const InstrumentOptions& options);
  const std::shared_ptr<ProviderCore>& provider() const { return provider_; }

 private:
  // Kind, unit, description.
  using Identity = std::tuple<InstrumentKind, std::string, std::string>;

  const std::shared_ptr<ProviderCore> provider_;
  const std::shared_ptr<ScopeDefinition> scope_;
  // By name in lower case; guarded by the provider's lock.
  std::map<std::string, std::map<Identity, std::shared_ptr<const InstrumentCore>>> instruments_;
};

}  // namespace otlp_arrow::sdk
