#include "mmap_values.h"

#include <new>
#include <string>
#include <utility>

#include "bindings.h"

namespace otlp_arrow::python {
namespace {

using ring::Attribute;
using ring::Attributes;
using ring::Value;

const Name kAbcModule("collections.abc"), kMapping("Mapping"), kSequence("Sequence"), kFloat("__float__");
constexpr const char* kAllowed = "str, bool, int, float, bytes, None, or a sequence or mapping of such values";
// Beyond it no record could hold them.
constexpr Py_ssize_t kMostElements = 1 << 20;

bool IsInstanceOf(PyObject* value, const Name& abc) {
  const nb::object module = nb::steal(PyImport_ImportModule(kAbcModule.text()));
  if (!module.is_valid()) throw nb::python_error();
  const int is = PyObject_IsInstance(value, Attr(module.ptr(), abc).ptr());
  if (is < 0) SwallowError();
  return is > 0;
}

}  // namespace

KeyCache::~KeyCache() {
  for (const Entry& entry : entries_) Py_XDECREF(entry.key);
}

ring::Ref KeyCache::Intern(PyObject* key, ring::RingWriter* writer) {
  const ring::Ref ref = ValueOrRaise(writer->InternString(Utf8(key).view()));
  if (PyUnicode_CheckExact(key)) {
    Entry& entry = entries_[PlaceOf(key)];
    PyObject* old = std::exchange(entry.key, Py_NewRef(key));
    entry.ref = ref;
    Py_XDECREF(old);
  }
  return ref;
}

void ValueViews::Wrong(PyObject* type, const Place& place, PyObject* value, const char* wanted) const {
  std::string where = std::string(function_) + ": " + place.name;
  if (place.key) where += "[" + ShortRepr(place.key) + "]";
  PyErr_SetString(type, (where + " is " + ShortRepr(value) + " (" + TypeName(value) + "), and must be " + wanted).c_str());
  throw nb::python_error();
}

PyObject* ValueViews::Keep(nb::object object) {
  kept_.push_back(std::move(object));
  return kept_.back().ptr();
}

std::string_view ValueViews::Text(PyObject* text) {
  if (PyUnicode_IS_COMPACT_ASCII(text)) [[likely]] {
    return {static_cast<const char*>(PyUnicode_DATA(text)), static_cast<size_t>(PyUnicode_GET_LENGTH(text))};
  }
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(text, &size);  // kept by the str itself
  if (utf8) return {utf8, static_cast<size_t>(size)};
  SwallowError();
  const Utf8 repaired(text);
  char* copy = Make<char>(repaired.view().size());
  repaired.view().copy(copy, repaired.view().size());
  return {copy, repaired.view().size()};
}

ring::Ref ValueViews::KeyOf(PyObject* key, const Place& place) {
  if (!PyUnicode_Check(key)) Wrong(PyExc_TypeError, {place.name, nullptr, nullptr, nullptr, 0}, key, "a mapping whose keys are str");
  return keys_->RefOf(key, writer_);
}

// False for what is no plain value; no Python code runs here.
bool ValueViews::Plain(PyObject* value, Value* out) {
  if (PyUnicode_Check(value)) {
    *out = Value(Text(value));
  } else if (PyBool_Check(value)) {
    *out = Value(value == Py_True);
  } else if (PyLong_Check(value)) {
    int64_t integer = 0;
    if (!ToInt64(value, &integer)) return false;
    *out = Value(integer);
  } else if (PyFloat_Check(value)) {
    *out = Value(PyFloat_AS_DOUBLE(value));
  } else if (PyBytes_Check(value)) {
    *out = Value::Bytes({PyBytes_AS_STRING(value), static_cast<size_t>(PyBytes_GET_SIZE(value))});
  } else if (value == Py_None) {
    *out = Value();
  } else {
    return false;
  }
  if (hold_) Keep(nb::borrow(value));
  return true;
}

Attributes ValueViews::AttributesOf(const char* name, PyObject* mapping) {
  if (!mapping || mapping == Py_None) return {};
  const Place place{name, nullptr, nullptr, mapping, 1};
  if (PyDict_CheckExact(mapping)) return FromDict(mapping, place);
  if (PyUnicode_Check(mapping) || (!PyDict_Check(mapping) && !IsInstanceOf(mapping, kMapping))) {
    Wrong(PyExc_TypeError, place, mapping, "a mapping or None");
  }
  return FromItems(mapping, place);
}

Attributes ValueViews::FromDict(PyObject* dict, const Place& place) {
  const auto size = static_cast<size_t>(PyDict_GET_SIZE(dict));
  auto* attributes = Make<Attribute>(size);
  size_t count = 0;
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (count < size && PyDict_Next(dict, &position, &key, &value)) {
    auto* attribute = new (&attributes[count++]) Attribute;
    // Other values may run Python code, and that may change the dictionary: they are read from a copy.
    if (!PyUnicode_CheckExact(key) || !Plain(value, &attribute->value)) [[unlikely]] return FromItems(dict, place);
    attribute->key = keys_->RefOf(key, writer_);
  }
  return {attributes, count};
}

Attributes ValueViews::FromItems(PyObject* mapping, const Place& place) {
  nb::object items = nb::steal(PyMapping_Items(mapping));
  if (!items.is_valid()) throw nb::python_error();
  const Py_ssize_t size = PyList_GET_SIZE(items.ptr());
  if (size > kMostElements) Wrong(PyExc_ValueError, place, mapping, "a mapping of at most 2**20 entries");
  PyObject* list = Keep(std::move(items));
  auto* attributes = Make<Attribute>(static_cast<size_t>(size));
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* item = PyList_GET_ITEM(list, i);
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) Wrong(PyExc_TypeError, place, mapping, "a mapping whose items() are pairs");
    PyObject* key = PyTuple_GET_ITEM(item, 0);
    auto* attribute = new (&attributes[i]) Attribute;
    attribute->key = KeyOf(key, place);
    attribute->value = Any(PyTuple_GET_ITEM(item, 1), {place.name, key, &place, nullptr, place.depth});
  }
  return {attributes, static_cast<size_t>(size)};
}

Value ValueViews::ValueOf(const char* name, PyObject* value) { return value ? Any(value, {name, nullptr, nullptr, nullptr, 0}) : Value(); }

Value ValueViews::Any(PyObject* value, const Place& place) {
  Value plain;
  if (Plain(value, &plain)) return plain;
  if (PyLong_Check(value)) Wrong(PyExc_ValueError, place, value, "an int of at most 64 bits, -2**63 to 2**63 - 1");
  for (const Place* outer = place.outer; outer; outer = outer->outer) {
    if (outer->container == value) Wrong(PyExc_ValueError, place, value, "free of containers that hold themselves");
  }
  Place inside{place.name, place.key, &place, value, place.depth + 1};
  if (inside.depth > ring::kMaxValueDepth) Wrong(PyExc_ValueError, place, value, "nested at most 32 levels deep");
  if (PyList_Check(value) || PyTuple_Check(value)) return Array(value, inside);
  if (PyDict_Check(value)) return Value::Map(PyDict_CheckExact(value) ? FromDict(value, inside) : FromItems(value, inside));
  if (PyByteArray_Check(value) || PyMemoryView_Check(value)) {
    nb::object bytes = nb::steal(PyBytes_FromObject(value));
    if (!bytes.is_valid()) throw nb::python_error();
    PyObject* copy = Keep(std::move(bytes));
    return Value::Bytes({PyBytes_AS_STRING(copy), static_cast<size_t>(PyBytes_GET_SIZE(copy))});
  }
  if (IsInstanceOf(value, kMapping)) return Value::Map(FromItems(value, inside));
  if (IsInstanceOf(value, kSequence)) return Array(value, inside);
  return Foreign(value, place);
}

// The tuple is ours: elements may run Python code, and that may change `sequence`.
Value ValueViews::Array(PyObject* sequence, const Place& place) {
  nb::object made = nb::steal(PySequence_Tuple(sequence));
  if (!made.is_valid()) throw nb::python_error();
  PyObject* tuple = Keep(std::move(made));
  const Py_ssize_t size = PyTuple_GET_SIZE(tuple);
  if (size > kMostElements) Wrong(PyExc_ValueError, place, sequence, "a sequence of at most 2**20 elements");
  auto* elements = Make<Value>(static_cast<size_t>(size));
  for (Py_ssize_t i = 0; i < size; ++i) new (&elements[i]) Value(Any(PyTuple_GET_ITEM(tuple, i), {place.name, place.key, &place, nullptr, place.depth}));
  return Value(std::span<const Value>(elements, static_cast<size_t>(size)));
}

// Numbers of other libraries count as what they are.
Value ValueViews::Foreign(PyObject* value, const Place& place) {
  Value number;
  if (PyIndex_Check(value)) {
    const nb::object integer = nb::steal(PyNumber_Index(value));
    if (!integer.is_valid()) throw nb::python_error();
    if (Plain(integer.ptr(), &number)) return number;
    Wrong(PyExc_ValueError, place, value, "an int of at most 64 bits, -2**63 to 2**63 - 1");
  }
  if (OptionalAttr(reinterpret_cast<PyObject*>(Py_TYPE(value)), kFloat).is_valid()) {
    const nb::object converted = nb::steal(PyNumber_Float(value));
    if (!converted.is_valid()) throw nb::python_error();
    return Value(PyFloat_AS_DOUBLE(converted.ptr()));
  }
  Wrong(PyExc_TypeError, place, value, kAllowed);
}

}  // namespace otlp_arrow::python
