#include "sdk_scope.h"

#include <nanobind/stl/string.h>

#include <string>
#include <utility>

#include "python_object.h"
#include "sdk_attributes.h"
#include "sdk_sink.h"

namespace otlp_arrow::python {
namespace {

// Of a value that CleanValue gave.
Value PlainValue(PyObject* value) {
  if (PyUnicode_Check(value)) return Value(Utf8(value).view());
  if (PyBool_Check(value)) return Value(value == Py_True);
  if (PyFloat_Check(value)) return Value(PyFloat_AS_DOUBLE(value));
  if (PyBytes_Check(value)) return Value(Bytes{std::string(PyBytes_AS_STRING(value), static_cast<size_t>(PyBytes_GET_SIZE(value)))});
  if (PyLong_Check(value)) {
    int64_t integer = 0;
    if (ToInt64(value, &integer)) return Value(integer);
    return Value(Utf8(IntegerText(value).ptr()).view());
  }
  if (PyDict_Check(value)) return Value(PlainAttributes(value));
  if (!PyTuple_Check(value)) return Value();
  Array elements;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i) elements.push_back(PlainValue(PyTuple_GET_ITEM(value, i)));
  return Value(std::move(elements));
}

void Init(Scope* scope, nb::object recorder, nb::handle resource_attributes, const std::string& resource_schema_url, std::string name,
          std::string version, std::string schema_url, nb::handle attributes) {
  auto* sink = nb::cast<Sink*>(recorder);
  auto resource = std::make_shared<Resource>();
  resource->attributes = PlainAttributes(resource_attributes);
  resource->schema_url = resource_schema_url;
  InstrumentationScope described;
  described.name = std::move(name);
  described.version = std::move(version);
  described.schema_url = std::move(schema_url);
  described.attributes = PlainAttributes(attributes);
  auto definition = std::make_shared<sdk::ScopeDefinition>(sink->recorder(), std::move(resource), std::move(described));
  new (scope) Scope(std::move(recorder), std::move(definition));
}

}  // namespace

Attributes PlainAttributes(nb::handle mapping) {
  uint32_t dropped = 0;
  const nb::object cleaned = CleanAttributes(mapping.ptr(), {}, &dropped);
  Attributes attributes;
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(cleaned.ptr(), &position, &key, &value)) attributes.push_back({std::string(Utf8(key).view()), PlainValue(value)});
  return attributes;
}

void BindSdkScope(nb::module_& m) {
  nb::class_<Scope>(m, "Scope", "An instrumentation scope of a resource.")
      .def("__init__", &Init, nb::arg("recorder"), nb::arg("resource_attributes").none(), nb::arg("resource_schema_url"), nb::arg("name"),
           nb::arg("version"), nb::arg("schema_url"), nb::arg("attributes").none())
      .def(
          "set_resource",
          [](Scope& scope, nb::handle attributes, const std::string& schema_url) {
            auto resource = std::make_shared<Resource>();
            resource->attributes = PlainAttributes(attributes);
            resource->schema_url = schema_url;
            scope.definition()->SetResource(std::move(resource));
          },
          nb::arg("attributes"), nb::arg("schema_url"), "What a forked child is, before it records.")
      .def("close", &Scope::Close, "Nothing is recorded under it any more.");
}

}  // namespace otlp_arrow::python
