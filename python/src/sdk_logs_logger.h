// `_native.Logger`: what emits log records, for the loggers of Python. A type of CPython's own kind for the reasons of
// sdk_metrics_instrument.h.
#pragma once

#include <memory>

#include "otlp_arrow/sdk/definitions.h"
#include "sdk_attributes.h"
#include "sdk_scope.h"
#include "sdk_sink.h"
#include "sdk_span_context.h"

namespace otlp_arrow::python {

// A log record's fields as Python has them, borrowed; null stands for None.
struct LogFields {
  PyObject* timestamp = nullptr;
  PyObject* observed_timestamp = nullptr;
  PyObject* severity_number = nullptr;
  PyObject* severity_text = nullptr;
  PyObject* body = nullptr;
  PyObject* attributes = nullptr;
  PyObject* event_name = nullptr;
  PyObject* exception = nullptr;
};

// Everything here wants the GIL.
class Logger {
 public:
  // `scope` is a `_native.Scope`, `describe_exception` a function that turns an exception into attributes.
  Logger(nb::object scope, nb::object describe_exception, AttributeLimits limits)
      : scope_object_(std::move(scope)), scope_(nb::cast<Scope*>(scope_object_)), sink_(nb::cast<Sink*>(scope_->recorder())),
        describe_exception_(std::move(describe_exception)), limits_(limits) {}

  // `ids`: of the span that the record belongs to, if they are valid.
  void Emit(const LogFields& fields, const SpanIds& ids);

 private:
  nb::object AttributesOf(const LogFields& fields, uint32_t* dropped);

  nb::object scope_object_;
  Scope* scope_;
  Sink* sink_;
  nb::object describe_exception_;
  AttributeLimits limits_;
};

}  // namespace otlp_arrow::python
