// `_native.Instrument`: what measures, for the instruments of Python. A type of CPython's own kind, because classes of the
// OpenTelemetry API derive from it beside it, and because it is called too often for a general dispatch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "mmap_arguments.h"
#include "otlp_arrow/sdk/definitions.h"
#include "sdk_scope.h"
#include "sdk_sink.h"
#include "sdk_span_context.h"

namespace otlp_arrow::python {

enum class ExemplarFilter { kAlwaysOff = 0, kAlwaysOn = 1, kTraceBased = 2 };

// The references of the attributes that a stream keeps.
class KeptKeys {
 public:
  explicit KeptKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  // Moves those that are kept to the front of `attributes`; how many they are. `epoch` is that of `writer`.
  ring::Attributes Filter(ring::Attributes attributes, uint32_t epoch, ring::RingWriter* writer);

 private:
  std::vector<std::string> keys_;
  std::vector<ring::Ref> refs_;
  std::vector<ring::Attribute> kept_;
  uint32_t epoch_ = 0;
};

// Everything here wants the GIL.
class Instrument {
 public:
  struct Stream {
    std::shared_ptr<sdk::MetricDefinition> definition;
    std::unique_ptr<KeptKeys> kept;  // null: all attributes
  };
  using Number = std::variant<int64_t, double>;

  // `scope` is a `_native.Scope`.
  Instrument(nb::object scope, std::string name, bool may_be_negative, ExemplarFilter filter, std::vector<Stream> streams)
      : scope_object_(std::move(scope)),
        scope_(nb::cast<Scope*>(scope_object_)),
        sink_(nb::cast<Sink*>(scope_->recorder())),
        name_(std::move(name)),
        may_be_negative_(may_be_negative),
        filter_(filter),
        streams_(std::move(streams)) {}

  // A measurement into each stream. False where one of them had no room for it, or where `amount` is none, after a warning.
  bool Measure(PyObject* amount, PyObject* attributes, PyObject* context);

 private:
  bool NumberOf(PyObject* amount, Number* number) const;
  bool Put(Stream* stream, const ring::Measurement& measurement, PyObject* attributes);

  nb::object scope_object_;
  Scope* scope_;
  Sink* sink_;
  std::string name_;
  bool may_be_negative_;
  ExemplarFilter filter_;
  std::vector<Stream> streams_;
};

}  // namespace otlp_arrow::python
