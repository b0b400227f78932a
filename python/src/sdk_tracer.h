// The native tracer: `_native.Tracer`. Everything here wants the GIL.
#pragma once

#include "bindings.h"
#include "sdk_scope.h"
#include "sdk_trace_core.h"

namespace otlp_arrow::python {

struct Tracer {
  PyObject_HEAD
  PyObject* core_object;
  TraceCore* core;
  PyObject* scope_object;  // `_native.Scope`; None without a recorder
  sdk::ScopeDefinition* scope;  // null without a recorder
  PyObject* instrumentation_scope;
};

// The arguments of start_span; borrowed, null where they were not given.
struct StartArguments {
  PyObject* name = nullptr;
  PyObject* context = nullptr;
  PyObject* kind = nullptr;
  PyObject* attributes = nullptr;
  PyObject* links = nullptr;
  PyObject* start_time = nullptr;
  PyObject* record_exception = nullptr;
  PyObject* set_status_on_exception = nullptr;
  PyObject* end_on_exit = nullptr;  // of start_as_current_span alone
};
inline bool IsTrueOr(PyObject* given, bool otherwise) {
  if (!given) return otherwise;
  if (given == Py_True) return true;
  const int is = given == Py_False ? 0 : PyObject_IsTrue(given);
  if (is < 0) PyErr_Clear();
  return is > 0;
}

// A span that records, or a NonRecordingSpan. Throws nothing but what a program has to know (KeyboardInterrupt).
nb::object StartSpan(Tracer* tracer, const StartArguments& arguments);

nb::object MakeTracer(nb::handle core, nb::handle scope, nb::handle instrumentation_scope);
// Puts the types Span, Tracer and CurrentSpan into the module.
void AddTraceTypes(nb::module_& m);

}  // namespace otlp_arrow::python
