#include "sdk_span_context.h"

#include <algorithm>

#include "sdk_span.h"

namespace otlp_arrow::python {
namespace {

const Name kContextModule("opentelemetry.context"), kPropagationModule("opentelemetry.trace.propagation"), kRuntimeContext("_RUNTIME_CONTEXT"),
    kCurrentContext("_current_context"), kGetCurrent("get_current"), kSpanKey("_SPAN_KEY"), kGetSpanContext("get_span_context"),
    kTraceId("trace_id"), kSpanId("span_id"), kTraceFlags("trace_flags");

// Where the API keeps its context. Looked up once; it never changes afterwards.
struct Api {
  nb::object variable;  // the ContextVar of the API's own runtime context; not valid with another one
  nb::object get_current;
  nb::object span_key;
};

const Api* FindApi() {
  static const Api* found = nullptr;
  if (found) [[likely]] return found;
  const nb::object context = nb::steal(PyImport_ImportModule(kContextModule.text()));
  const nb::object propagation = nb::steal(PyImport_ImportModule(kPropagationModule.text()));
  if (!context.is_valid() || !propagation.is_valid()) throw nb::python_error();
  auto* api = new Api;  // kept as long as the process lives
  const nb::object runtime = Attr(context.ptr(), kRuntimeContext);
  if (std::string_view(Py_TYPE(runtime.ptr())->tp_name) == "ContextVarsRuntimeContext") {
    const nb::object variable = OptionalAttr(runtime.ptr(), kCurrentContext);
    if (variable.is_valid() && PyContextVar_CheckExact(variable.ptr())) api->variable = variable;
  }
  api->get_current = Attr(context.ptr(), kGetCurrent);
  api->span_key = Attr(propagation.ptr(), kSpanKey);
  return found = api;
}

nb::object CurrentContext(const Api& api) {
  PyObject* context = nullptr;
  if (api.variable.is_valid()) {
    if (PyContextVar_Get(api.variable.ptr(), nullptr, &context) != 0) throw nb::python_error();
    return nb::steal(context);
  }
  context = PyObject_CallNoArgs(api.get_current.ptr());
  if (!context) throw nb::python_error();
  return nb::steal(context);
}

SpanIds Find(PyObject* given) {
  const Api& api = *FindApi();
  // An empty context counts as none, as in the API.
  const bool is_given = given && given != Py_None && (!PyDict_Check(given) || PyDict_GET_SIZE(given) > 0);
  const nb::object context = is_given ? nb::borrow(given) : CurrentContext(api);
  if (!PyDict_Check(context.ptr())) return {};
  PyObject* span = PyDict_GetItemWithError(context.ptr(), api.span_key.ptr());
  if (!span) {
    if (PyErr_Occurred()) throw nb::python_error();
    return {};
  }
  SpanIds ids;
  if (NativeSpanIds(span, &ids)) return ids;
  const nb::object kept = nb::borrow(span);
  const nb::object span_context = nb::steal(PyObject_CallMethodNoArgs(span, kGetSpanContext.get()));
  if (!span_context.is_valid()) throw nb::python_error();
  return SpanIdsIn(span_context.ptr());
}

template <class Call>
SpanIds Quietly(const Call& call) noexcept {
  try {
    return call();
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception&) {  // ids that are none
  }
  PyErr_Clear();
  return {};
}

}  // namespace

bool SpanIds::is_valid() const {
  const auto is_set = [](uint8_t byte) { return byte != 0; };
  return std::any_of(trace_id.begin(), trace_id.end(), is_set) && std::any_of(span_id.begin(), span_id.end(), is_set);
}

SpanIds SpanIdsIn(PyObject* object) noexcept {
  return Quietly([&] {
    SpanIds ids;
    ToBigEndian(Attr(object, kTraceId).ptr(), ids.trace_id.data(), ids.trace_id.size(), "trace_id");
    ToBigEndian(Attr(object, kSpanId).ptr(), ids.span_id.data(), ids.span_id.size(), "span_id");
    ids.flags = ToUint32(Attr(object, kTraceFlags).ptr(), "trace_flags");
    return ids;
  });
}

SpanIds SpanIdsOf(PyObject* context) noexcept {
  return Quietly([&] { return Find(context); });
}

}  // namespace otlp_arrow::python
