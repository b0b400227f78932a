// What the native tracing types need of opentelemetry-api and of the package's own Python files: found once, kept as long as
// the process lives. Everything here wants the GIL.
#pragma once

#include <cstdint>
#include <string_view>

#include "python_object.h"

namespace otlp_arrow::python {

struct TraceApi {
  // opentelemetry.context
  PyObject* context_type = nullptr;      // Context, a dict
  PyObject* context_variable = nullptr;  // the ContextVar of the API's own runtime context; null with another one
  PyObject* get_current = nullptr;
  PyObject* attach = nullptr;
  PyObject* detach = nullptr;
  PyObject* span_key = nullptr;
  // opentelemetry.trace
  PyObject* span_class = nullptr;
  PyObject* span_context_type = nullptr;
  PyObject* trace_flags_type = nullptr;
  PyObject* default_trace_state = nullptr;
  PyObject* non_recording_span = nullptr;
  PyObject* invalid_span_context = nullptr;
  PyObject* span_kinds = nullptr;  // a tuple, INTERNAL first
  PyObject* status_class = nullptr;
  PyObject* status_unset = nullptr, *status_ok = nullptr, *status_error = nullptr;  // StatusCode
  // otlp_arrow_library.sdk
  PyObject* exception_attributes = nullptr;  // (exception, escaped) -> dict
  PyObject* make_event = nullptr;            // (name, attributes, timestamp, dropped) -> Event
  PyObject* make_link = nullptr;             // (context, attributes, dropped) -> Link
  PyObject* span_to_json = nullptr;          // (span, indent) -> str
  PyObject* instrumentation_info = nullptr;  // (scope) -> InstrumentationInfo
  PyObject* decorate = nullptr;              // (function, new context manager) -> function
  PyObject* mapping_proxy = nullptr;

  // Fills all of it from a dictionary of the same names.
  void Load(PyObject* names);
};
extern TraceApi trace_api;

// A span context as the ring and the native spans take it.
struct SpanContextParts {
  uint8_t trace_id[16] = {};
  uint8_t span_id[8] = {};
  uint8_t trace_flags = 0;
  bool is_remote = false;
  bool is_valid = false;
  nb::object trace_state;  // not valid: the default, which is empty
};
// Of a SpanContext, or an object like one. Not is_valid where the object is none; never raises but what SwallowError lets go.
SpanContextParts PartsOf(PyObject* span_context);

// A new SpanContext; `trace_state` null: the default.
nb::object MakeSpanContext(const uint8_t* trace_id, const uint8_t* span_id, bool is_remote, uint8_t trace_flags, PyObject* trace_state);
nb::object IdToInt(const uint8_t* bytes, size_t size);

// "a=1,b=2"; empty for null and the default.
std::string TraceStateHeader(PyObject* trace_state);

// --- the current context ---

// The context that is attached now.
nb::object CurrentContext();
// `base` with `span` in it.
nb::object ContextWith(PyObject* base, PyObject* span);

// A context that is attached for a while.
class Attachment {
 public:
  // False, with an exception set or none, where it cannot be.
  void Attach(nb::object context);
  // Back to what was before. Somewhere else than where it was attached (another task, another thread) nothing is to be taken
  // back, unless that place has inherited this very context.
  void Detach() noexcept;
  bool is_attached() const { return token_.is_valid(); }

 private:
  nb::object token_;
  nb::object context_;
  nb::object before_;
};

// Nanoseconds since 1970.
uint64_t TimeNow();
// The time that a program gives as an int; now for null, None and, after a warning, what is no time.
uint64_t TimeOr(PyObject* given, const char* what);

}  // namespace otlp_arrow::python
