// `_native.Scope`: an instrumentation scope and its resource, as the native SDK's instruments and loggers record under it.
#pragma once

#include <memory>

#include "bindings.h"
#include "otlp_arrow/sdk/definitions.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::python {

// Attributes of Python, cleaned, as plain data. `mapping` may be None. Raises what reading them raises.
Attributes PlainAttributes(nb::handle mapping);

// `recorder` is the `_native.Recorder`, which it keeps.
class Scope {
 public:
  Scope(nb::object recorder, std::shared_ptr<sdk::ScopeDefinition> definition) : recorder_(std::move(recorder)), definition_(std::move(definition)) {}
  const nb::object& recorder() const { return recorder_; }
  const std::shared_ptr<sdk::ScopeDefinition>& definition() const { return definition_; }

  // Its provider is shut down, while others may go on with the recorder: nothing is recorded under it any more.
  void Close() { is_closed_ = true; }
  bool is_closed() const { return is_closed_; }

 private:
  nb::object recorder_;
  std::shared_ptr<sdk::ScopeDefinition> definition_;
  bool is_closed_ = false;
};

}  // namespace otlp_arrow::python
