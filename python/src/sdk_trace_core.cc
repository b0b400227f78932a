#include "sdk_trace_core.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <optional>
#include <utility>

#include "sdk_log.h"
#include "sdk_scope.h"
#include "sdk_tracer.h"

namespace otlp_arrow::python {
namespace {

const Name kOnStart("on_start"), kOnEnding("_on_ending"), kOnEnd("on_end"), kParentContext("parent_context");

// A result of a processor's method: nothing but its exception is of interest.
void Told(PyObject* result, const char* doing) {
  if (result) {
    Py_DECREF(result);
  } else if (!LogException(doing)) {
    throw nb::python_error();
  }
}

void Init(TraceCore* self, nb::object recorder, nb::handle sampler, nb::object id_generator, bool trace_ids_are_random, nb::object resource,
          nb::handle limits) {
  auto core = std::make_unique<TraceCore>();
  if (!recorder.is_none()) core->sink = nb::cast<Sink*>(recorder);
  core->recorder = std::move(recorder);
  core->sampler = std::make_unique<Sampler>(sampler);
  if (!id_generator.is_none()) core->id_generator = std::move(id_generator);
  core->trace_ids_are_random = trace_ids_are_random;
  core->resource = std::move(resource);
  const auto limit = [&](const char* name) {
    const nb::object value = limits.attr(name);
    return value.is_none() ? Py_ssize_t{-1} : nb::cast<Py_ssize_t>(value);
  };
  core->limits.span = {limit("max_span_attributes"), limit("max_span_attribute_length")};
  core->limits.event = {limit("max_event_attributes"), limit("max_attribute_length")};
  core->limits.link = {limit("max_link_attributes"), limit("max_attribute_length")};
  core->limits.max_events = limit("max_events");
  core->limits.max_links = limit("max_links");
  new (self) TraceCore(std::move(*core));
}

}  // namespace

void TraceCore::TellStart(PyObject* span, PyObject* parent_context) const {
  static PyObject* const keywords = PyTuple_Pack(1, kParentContext.get());
  const nb::object all = processors;  // one of them may add another
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all.ptr()); ++i) {
    PyObject* arguments[] = {PyTuple_GET_ITEM(all.ptr(), i), span, parent_context ? parent_context : Py_None};
    Told(PyObject_VectorcallMethod(kOnStart.get(), arguments, 2, keywords), "on_start of a span processor");
  }
}

void TraceCore::TellEnd(PyObject* span) const {
  const nb::object all = processors;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all.ptr()); ++i) {
    PyObject* processor = PyTuple_GET_ITEM(all.ptr(), i);
    const nb::object ending = OptionalAttr(processor, kOnEnding);
    if (ending.is_valid()) Told(PyObject_CallOneArg(ending.ptr(), span), "_on_ending of a span processor");
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all.ptr()); ++i) {
    Told(PyObject_CallMethodOneArg(PyTuple_GET_ITEM(all.ptr(), i), kOnEnd.get(), span), "on_end of a span processor");
  }
}

void BindSdkTrace(nb::module_& m) {
  m.def("load_tracing", [](nb::handle names) { trace_api.Load(names.ptr()); }, nb::arg("names"), "Hands over what the native types need of Python.");
  nb::class_<TraceCore>(m, "TraceCore", "What all tracers of a provider share.")
      .def("__init__", &Init, nb::arg("recorder").none(), nb::arg("sampler"), nb::arg("id_generator").none(), nb::arg("trace_ids_are_random"),
           nb::arg("resource").none(), nb::arg("limits"))
      .def("set_processors", [](TraceCore& core, nb::object tuple) { core.processors = nb::len(tuple) > 0 ? std::move(tuple) : nb::object(); },
           nb::arg("processors"))
      .def("set_resource", [](TraceCore& core, nb::object resource) { core.resource = std::move(resource); }, nb::arg("resource"))
      .def("shut_down", [](TraceCore& core) { core.is_shut_down = true; })
      .def_prop_ro("is_shut_down", [](const TraceCore& core) { return core.is_shut_down; })
      .def_prop_ro("recorder", [](const TraceCore& core) { return core.recorder; })
      .def("tracer", &MakeTracer, nb::arg("scope").none(), nb::arg("instrumentation_scope"),
           "`scope`: the `Scope` of the recorder, None without one.");
  AddTraceTypes(m);
}

}  // namespace otlp_arrow::python
