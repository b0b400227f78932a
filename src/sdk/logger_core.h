// A logger: the scope of its log records.
#pragma once

#include <memory>
#include <utility>

#include "sdk/provider_core.h"

namespace otlp_arrow::sdk {

class LoggerCore {
 public:
  LoggerCore(std::shared_ptr<ProviderCore> provider, InstrumentationScope scope)
      : provider_(std::move(provider)), scope_(provider_->recorder, provider_->resource, std::move(scope)) {}

  void Emit(const LogView& record) const;

 private:
  const std::shared_ptr<ProviderCore> provider_;
  mutable ScopeDefinition scope_;
};

}  // namespace otlp_arrow::sdk
