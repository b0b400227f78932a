// What the conversion needs of CPython: interned names, attribute access, text and numbers of Python objects.
// Everything here wants the GIL. A Python exception travels as nanobind::python_error.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "bindings.h"

namespace otlp_arrow::python {

// What is wrong with an item, in words for the caller. Becomes an OtlpExportError that says which item.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The name of an attribute, a key or a module: interned at its first use and kept as long as the process lives.
class Name {
 public:
  constexpr explicit Name(const char* text) : text_(text) {}
  Name(const Name&) = delete;
  Name& operator=(const Name&) = delete;

  const char* text() const { return text_; }
  PyObject* get() const {
    if (!object_) [[unlikely]] object_ = Intern(text_);
    return object_;
  }

 private:
  static PyObject* Intern(const char* text);

  const char* text_;
  mutable PyObject* object_ = nullptr;
};

inline nb::object Attr(PyObject* object, const Name& name) {
  PyObject* value = PyObject_GetAttr(object, name.get());
  if (!value) [[unlikely]] throw nb::python_error();
  return nb::steal(value);
}
// Not valid where the object has no such attribute.
nb::object OptionalAttr(PyObject* object, const Name& name);
// None where the object has no such attribute.
nb::object AttrOrNone(PyObject* object, const Name& name);
// Borrowed; null where the dictionary has no such key.
PyObject* Item(PyObject* dict, const Name& key);
// Not valid where the module is not imported or has no such attribute: nothing is imported for it.
nb::object LoadedAttr(const Name& module, const Name& name);

// "str", "numpy.ndarray": what a message calls the type of a value.
std::string TypeName(PyObject* object);
// Swallows the Python exception that is set. Those that are no mistake of data, KeyboardInterrupt above all, go on.
void SwallowError();
// str(object); where that raises, a text that says so.
nb::object SafeStr(PyObject* object);
// A text as UTF-8: pairs of surrogates become the character that they stand for, lone ones U+FFFD.
class Utf8 {
 public:
  // Keeps `text`, a str, alive.
  explicit Utf8(PyObject* text) : owner_(nb::borrow(text)) {
    if (PyUnicode_IS_COMPACT_ASCII(text)) [[likely]] {
      view_ = {static_cast<const char*>(PyUnicode_DATA(text)), static_cast<size_t>(PyUnicode_GET_LENGTH(text))};
    } else {
      Encode();
    }
  }
  std::string_view view() const { return view_; }

 private:
  void Encode();

  nb::object owner_;
  std::string_view view_;
};

// The text of a field: nothing for None, str() of what is no text.
Utf8 TextOf(PyObject* object);

inline bool IsInt(PyObject* object) { return PyLong_Check(object) && !PyBool_Check(object); }
// False where it needs more than 64 bits.
inline bool ToInt64(PyObject* integer, int64_t* value) {
  int overflow = 0;
  *value = PyLong_AsLongLongAndOverflow(integer, &overflow);
  return overflow == 0;
}
// An integer of any size in decimal, or in hexadecimal where Python refuses decimal for its length.
nb::object IntegerText(PyObject* integer);

// These take an int or what has __index__, None for 0. Fault, with the field's name, at other types and values out of
// range.
uint64_t ToUint64(PyObject* object, const char* field);
uint32_t ToUint32(PyObject* object, const char* field);
int32_t ToInt32(PyObject* object, const char* field);
// An int, a float or what has __float__.
double ToDouble(PyObject* object, const char* field);
// A non-negative int as `size` bytes, the highest first.
void ToBigEndian(PyObject* object, uint8_t* bytes, size_t size, const char* field);

}  // namespace otlp_arrow::python
