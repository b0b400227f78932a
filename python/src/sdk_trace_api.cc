#include "sdk_trace_api.h"

#include <time.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "sdk_log.h"

namespace otlp_arrow::python {

TraceApi trace_api;

namespace {

const Name kTraceId("trace_id"), kSpanId("span_id"), kTraceFlags("trace_flags"), kIsRemote("is_remote"), kTraceState("trace_state"),
    kToHeader("to_header");
// Where SpanContext, a tuple, has what.
enum : Py_ssize_t { kTraceIdItem, kSpanIdItem, kIsRemoteItem, kTraceFlagsItem, kTraceStateItem, kIsValidItem, kContextItems };

bool IsSpanContext(PyObject* object) {
  return reinterpret_cast<PyObject*>(Py_TYPE(object)) == trace_api.span_context_type && PyTuple_Check(object) &&
         PyTuple_GET_SIZE(object) == kContextItems;
}

bool IsSet(const uint8_t* bytes, size_t size) {
  return std::any_of(bytes, bytes + size, [](uint8_t byte) { return byte != 0; });
}

// TraceFlags objects of all values, made when they are needed.
PyObject* TraceFlagsOf(uint8_t flags) {
  static PyObject* made[256];
  if (!made[flags]) [[unlikely]] {
    const nb::object number = nb::steal(PyLong_FromLong(flags));
    made[flags] = PyObject_CallOneArg(trace_api.trace_flags_type, number.ptr());
    if (!made[flags]) throw nb::python_error();
  }
  return made[flags];
}

}  // namespace

void TraceApi::Load(PyObject* names) {
  const auto take = [&](const char* name, PyObject** member) {
    PyObject* value = PyDict_GetItemString(names, name);
    if (!value) throw nb::key_error(name);
    *member = value == Py_None ? nullptr : Py_NewRef(value);  // kept for good
  };
#define OTLP_TAKE(name) take(#name, &name)
  OTLP_TAKE(context_type);
  OTLP_TAKE(context_variable);
  OTLP_TAKE(get_current);
  OTLP_TAKE(attach);
  OTLP_TAKE(detach);
  OTLP_TAKE(span_key);
  OTLP_TAKE(span_class);
  OTLP_TAKE(span_context_type);
  OTLP_TAKE(trace_flags_type);
  OTLP_TAKE(default_trace_state);
  OTLP_TAKE(non_recording_span);
  OTLP_TAKE(invalid_span_context);
  OTLP_TAKE(span_kinds);
  OTLP_TAKE(status_class);
  OTLP_TAKE(status_unset);
  OTLP_TAKE(status_ok);
  OTLP_TAKE(status_error);
  OTLP_TAKE(exception_attributes);
  OTLP_TAKE(make_event);
  OTLP_TAKE(make_link);
  OTLP_TAKE(span_to_json);
  OTLP_TAKE(instrumentation_info);
  OTLP_TAKE(decorate);
  OTLP_TAKE(mapping_proxy);
#undef OTLP_TAKE
}

SpanContextParts PartsOf(PyObject* span_context) {
  SpanContextParts parts;
  if (span_context == Py_None) return parts;
  try {
    const bool own = IsSpanContext(span_context);
    const auto item = [&](Py_ssize_t at, const Name& name) {
      return own ? nb::borrow(PyTuple_GET_ITEM(span_context, at)) : Attr(span_context, name);
    };
    ToBigEndian(item(kTraceIdItem, kTraceId).ptr(), parts.trace_id, sizeof(parts.trace_id), "trace_id");
    ToBigEndian(item(kSpanIdItem, kSpanId).ptr(), parts.span_id, sizeof(parts.span_id), "span_id");
    parts.is_remote = PyObject_IsTrue(item(kIsRemoteItem, kIsRemote).ptr()) == 1;
    parts.trace_flags = static_cast<uint8_t>(ToUint32(item(kTraceFlagsItem, kTraceFlags).ptr(), "trace_flags"));
    nb::object trace_state = item(kTraceStateItem, kTraceState);
    if (trace_state.ptr() != trace_api.default_trace_state && trace_state.ptr() != Py_None) parts.trace_state = std::move(trace_state);
    parts.is_valid = IsSet(parts.trace_id, sizeof(parts.trace_id)) && IsSet(parts.span_id, sizeof(parts.span_id));
  } catch (nb::python_error& error) {
    error.restore();
    SwallowError();
    parts.is_valid = false;
  } catch (const Fault&) {
    parts.is_valid = false;
  }
  return parts;
}

nb::object IdToInt(const uint8_t* bytes, size_t size) {
  nb::object integer = nb::steal(_PyLong_FromByteArray(bytes, size, 0, 0));
  if (!integer.is_valid()) throw nb::python_error();
  return integer;
}

nb::object MakeSpanContext(const uint8_t* trace_id, const uint8_t* span_id, bool is_remote, uint8_t trace_flags, PyObject* trace_state) {
  const bool is_valid = IsSet(trace_id, 16) && IsSet(span_id, 8);
  const nb::object items = nb::steal(PyTuple_Pack(6, IdToInt(trace_id, 16).ptr(), IdToInt(span_id, 8).ptr(), is_remote ? Py_True : Py_False,
                                                  TraceFlagsOf(trace_flags), trace_state ? trace_state : trace_api.default_trace_state,
                                                  is_valid ? Py_True : Py_False));
  if (!items.is_valid()) throw nb::python_error();
  const nb::object arguments = nb::steal(PyTuple_Pack(1, items.ptr()));
  if (!arguments.is_valid()) throw nb::python_error();
  // As SpanContext's own constructor does in the end.
  nb::object context = nb::steal(PyTuple_Type.tp_new(reinterpret_cast<PyTypeObject*>(trace_api.span_context_type), arguments.ptr(), nullptr));
  if (!context.is_valid()) throw nb::python_error();
  return context;
}

std::string TraceStateHeader(PyObject* trace_state) {
  if (!trace_state || trace_state == trace_api.default_trace_state) return {};
  const nb::object header = nb::steal(PyObject_CallMethodNoArgs(trace_state, kToHeader.get()));
  if (header.is_valid() && PyUnicode_Check(header.ptr())) return std::string(Utf8(header.ptr()).view());
  SwallowError();
  return {};
}

// --- the current context ---

nb::object CurrentContext() {
  PyObject* context = nullptr;
  if (trace_api.context_variable) [[likely]] {
    if (PyContextVar_Get(trace_api.context_variable, nullptr, &context) != 0) throw nb::python_error();
    if (context) return nb::steal(context);
  }
  nb::object current = nb::steal(PyObject_CallNoArgs(trace_api.get_current));
  if (!current.is_valid()) throw nb::python_error();
  return current;
}

namespace {

// Contexts that held nothing but a span, and that nobody has any more: most live as long as a with statement.
constexpr size_t kMostFree = 16;
PyObject* free_contexts[kMostFree];
size_t free_count = 0;

nb::object NewContext() {
  static PyObject* const no_arguments = PyTuple_New(0);
  nb::object context = nb::steal(PyDict_Type.tp_new(reinterpret_cast<PyTypeObject*>(trace_api.context_type), no_arguments, nullptr));
  if (!context.is_valid()) throw nb::python_error();
  return context;
}

void LetGo(nb::object context) {
  if (free_count == kMostFree || Py_REFCNT(context.ptr()) != 1 || PyDict_GET_SIZE(context.ptr()) != 1) return;
  if (reinterpret_cast<PyObject*>(Py_TYPE(context.ptr())) != trace_api.context_type) return;
  if (PyDict_SetItem(context.ptr(), trace_api.span_key, Py_None) != 0 || Py_REFCNT(context.ptr()) != 1) return;
  free_contexts[free_count++] = context.release().ptr();
}

}  // namespace

// The API's own class refuses changes; here the dictionary beneath it is filled.
nb::object ContextWith(PyObject* base, PyObject* span) {
  const Py_ssize_t size = base && PyDict_Check(base) ? PyDict_GET_SIZE(base) : 0;
  const bool has_others = size > 1 || (size == 1 && !PyDict_GetItemWithError(base, trace_api.span_key));
  nb::object context = !has_others && free_count > 0 ? nb::steal(free_contexts[--free_count]) : NewContext();
  if (has_others && PyDict_Merge(context.ptr(), base, 1) != 0) throw nb::python_error();
  if (PyDict_SetItem(context.ptr(), trace_api.span_key, span) != 0) throw nb::python_error();
  return context;
}

void Attachment::Attach(nb::object context) {
  if (trace_api.context_variable) [[likely]] {
    token_ = nb::steal(PyContextVar_Set(trace_api.context_variable, context.ptr()));
  } else {
    before_ = CurrentContext();
    token_ = nb::steal(PyObject_CallOneArg(trace_api.attach, context.ptr()));
  }
  if (!token_.is_valid()) throw nb::python_error();
  context_ = std::move(context);
}

void Attachment::Detach() noexcept {
  if (!token_.is_valid()) return;
  const nb::object token = std::move(token_), before = std::move(before_);
  nb::object context = std::move(context_);
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  if (trace_api.context_variable) [[likely]] {
    if (PyContextVar_Reset(trace_api.context_variable, token.ptr()) != 0) {
      PyErr_Clear();
      PyObject* current = nullptr;
      if (PyContextVar_Get(trace_api.context_variable, nullptr, &current) == 0 && current == context.ptr()) {
        const nb::object old = nb::steal(PyObject_GetAttrString(token.ptr(), "old_value"));
        if (old.is_valid() && PyDict_Check(old.ptr())) {
          Py_XDECREF(PyContextVar_Set(trace_api.context_variable, old.ptr()));
        } else {
          PyErr_Clear();
          const nb::object none = nb::steal(PyObject_CallNoArgs(trace_api.context_type));
          if (none.is_valid()) Py_XDECREF(PyContextVar_Set(trace_api.context_variable, none.ptr()));
        }
      }
      Py_XDECREF(current);
    }
  } else {
    const nb::object current = nb::steal(PyObject_CallNoArgs(trace_api.get_current));
    // A runtime context says on the log what it cannot take back.
    if (current.ptr() == context.ptr()) nb::steal(PyObject_CallOneArg(trace_api.detach, token.ptr()));
  }
  LetGo(std::move(context));
  PyErr_Clear();
  PyErr_Restore(type, value, trace);
}

uint64_t TimeNow() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<uint64_t>(now.tv_nsec);
}

uint64_t TimeOr(PyObject* given, const char* what) {
  if (!given || given == Py_None) [[likely]] return TimeNow();
  int64_t time = 0;
  if (PyLong_Check(given) && ToInt64(given, &time) && time >= 0) return static_cast<uint64_t>(time);
  if (PyFloat_Check(given) && PyFloat_AS_DOUBLE(given) >= 0 && PyFloat_AS_DOUBLE(given) < 9.2e18) return static_cast<uint64_t>(PyFloat_AS_DOUBLE(given));
  WarnOfMistake("%s is of the type %s or out of range, and must be nanoseconds since 1970, an int from 0 to 2**63 - 1: the time of now is taken", what,
                Py_TYPE(given)->tp_name);
  return TimeNow();
}

}  // namespace otlp_arrow::python
