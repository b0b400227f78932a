#include "mmap_arguments.h"

#include <strings.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace otlp_arrow::python {
namespace {

const Name kNameAttribute("name");

[[noreturn]] void RaiseError(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw nb::python_error();
}

std::string Said(const Argument& argument) {
  return std::string(argument.function) + ": " + argument.name + " is " + ShortRepr(argument.value);
}

}  // namespace

void Argument::WrongType(const char* wanted) const {
  PyErr_Clear();
  RaiseError(PyExc_TypeError, Said(*this) + " (" + TypeName(value) + "), and must be " + wanted);
}

void Argument::WrongValue(const char* wanted) const {
  PyErr_Clear();
  RaiseError(PyExc_ValueError, Said(*this) + ", and must be " + wanted);
}

size_t Signature::IndexOf(PyObject* keyword) const {
  const auto is = [&](auto&& same) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (same(parameters[i].name) || (parameters[i].alias.text() && same(parameters[i].alias))) return i;
    }
    return parameters.size();
  };
  const size_t index = is([&](const Name& name) { return name.get() == keyword; });
  if (index < parameters.size()) [[likely]] return index;
  return is([&](const Name& name) { return PyUnicode_CompareWithASCIIString(keyword, name.text()) == 0; });
}

void Signature::ParseAll(PyObject* const* args, size_t count, PyObject* kwnames, PyObject** out) const {
  const std::string call = std::string(function) + "()";
  if (count > positional) {
    RaiseError(PyExc_TypeError, call + " takes " + std::to_string(positional) + " positional arguments, and " + std::to_string(count) + " were given");
  }
  std::fill_n(out, parameters.size(), nullptr);
  std::copy_n(args, count, out);
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t i = 0; i < keywords; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(kwnames, i);
    const size_t index = IndexOf(keyword);
    if (index == parameters.size()) RaiseError(PyExc_TypeError, call + " has no argument " + ShortRepr(keyword));
    if (out[index]) RaiseError(PyExc_TypeError, call + " got its argument '" + parameters[index].name.text() + "' twice");
    out[index] = args[count + static_cast<size_t>(i)];
  }
  for (size_t i = 0; i < required; ++i) {
    if (!out[i]) RaiseError(PyExc_TypeError, call + " lacks its argument '" + parameters[i].name.text() + "'");
  }
}

int64_t IntegerArgument(const Argument& argument, int64_t least, int64_t most, const char* wanted) {
  PyObject* value = argument.value;
  nb::object made;
  if (!PyLong_Check(value) || PyBool_Check(value)) [[unlikely]] {
    if (PyBool_Check(value) || !PyIndex_Check(value)) argument.WrongType(wanted);
    made = nb::steal(PyNumber_Index(value));
    if (!made.is_valid()) argument.WrongType(wanted);
    value = made.ptr();
  }
  int64_t integer = 0;
  if (!ToInt64(value, &integer) || integer < least || integer > most) argument.WrongValue(wanted);
  return integer;
}

Utf8 TextArgument(const Argument& argument) {
  if (IsNone(argument.value)) return TextOf(Py_None);
  if (!PyUnicode_Check(argument.value)) argument.WrongType("a str");
  return Utf8(argument.value);
}

void BytesOfOther(const Argument& argument, uint8_t* out, size_t size) {
  const std::string wanted = std::to_string(size) + " bytes";
  const auto copy = [&](const void* bytes, Py_ssize_t length) {
    if (static_cast<size_t>(length) != size) argument.WrongValue((wanted + "; it has " + std::to_string(length)).c_str());
    std::memcpy(out, bytes, size);
  };
  if (PyObject_CheckBuffer(argument.value)) {
    Py_buffer view;
    if (PyObject_GetBuffer(argument.value, &view, PyBUF_SIMPLE) != 0) argument.WrongType(wanted.c_str());
    const nb::object owner = nb::borrow(argument.value);
    uint8_t copied[16];
    const Py_ssize_t length = view.len;
    std::memcpy(copied, view.buf, std::min<size_t>(static_cast<size_t>(length), sizeof(copied)));
    PyBuffer_Release(&view);
    return copy(copied, length);
  }
  if (!PyList_Check(argument.value) && !PyTuple_Check(argument.value)) argument.WrongType(wanted.c_str());
  const nb::object bytes = nb::steal(PyBytes_FromObject(argument.value));
  if (!bytes.is_valid()) argument.WrongValue(wanted.c_str());
  copy(PyBytes_AS_STRING(bytes.ptr()), PyBytes_GET_SIZE(bytes.ptr()));
}

int32_t EnumArgument(const Argument& argument, std::span<const char* const> names, int32_t first, const char* wanted) {
  const int32_t last = first + static_cast<int32_t>(names.size()) - 1;
  if (IsInt(argument.value)) return static_cast<int32_t>(IntegerArgument(argument, first, last, wanted));
  const nb::object name = PyUnicode_Check(argument.value) ? nb::borrow(argument.value) : OptionalAttr(argument.value, kNameAttribute);
  if (!name.is_valid() || !PyUnicode_Check(name.ptr())) argument.WrongType(wanted);
  const std::string text(Utf8(name.ptr()).view());
  for (size_t i = 0; i < names.size(); ++i) {
    if (::strcasecmp(names[i], text.c_str()) == 0) return first + static_cast<int32_t>(i);
  }
  argument.WrongValue(wanted);
}

}  // namespace otlp_arrow::python
