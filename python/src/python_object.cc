#include "python_object.h"

#include <new>

namespace otlp_arrow::python {
namespace {

// None is 0; otherwise a Python int. Fault where there is none.
nb::object Integer(PyObject* object, const char* field) {
  if (PyLong_Check(object)) return nb::borrow(object);
  if (PyIndex_Check(object)) {
    if (PyObject* integer = PyNumber_Index(object)) return nb::steal(integer);
    SwallowError();
  }
  throw Fault(std::string(field) + " is " + ShortRepr(object) + " (" + TypeName(object) + "), and must be an int or None");
}

[[noreturn]] void OutOfRange(PyObject* object, const char* field, const char* range) {
  PyErr_Clear();
  throw Fault(std::string(field) + " is " + ShortRepr(object) + ", and must be " + range);
}

int64_t Bounded(PyObject* object, const char* field, int64_t least, int64_t most, const char* range) {
  const nb::object integer = Integer(object, field);
  int64_t value = 0;
  if (!ToInt64(integer.ptr(), &value) || value < least || value > most) OutOfRange(object, field, range);
  return value;
}

bool FitsBigEndian(PyObject* integer, uint8_t* bytes, size_t size) {
#if PY_VERSION_HEX >= 0x030D0000
  const Py_ssize_t needed = PyLong_AsNativeBytes(integer, bytes, static_cast<Py_ssize_t>(size),
                                                 Py_ASNATIVEBYTES_BIG_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER |
                                                     Py_ASNATIVEBYTES_REJECT_NEGATIVE);
  return needed >= 0 && static_cast<size_t>(needed) <= size;
#else
  return _PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(integer), bytes, size, 0, 0) == 0;
#endif
}

}  // namespace

PyObject* Name::Intern(const char* text) {
  PyObject* name = PyUnicode_InternFromString(text);
  if (!name) throw nb::python_error();
  return name;
}

nb::object OptionalAttr(PyObject* object, const Name& name) {
  PyObject* value = PyObject_GetAttr(object, name.get());
  if (!value) {
    if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw nb::python_error();
    PyErr_Clear();
  }
  return nb::steal(value);
}

nb::object AttrOrNone(PyObject* object, const Name& name) {
  nb::object value = OptionalAttr(object, name);
  return value.is_valid() ? value : nb::none();
}

PyObject* Item(PyObject* dict, const Name& key) {
  PyObject* value = PyDict_GetItemWithError(dict, key.get());
  if (!value && PyErr_Occurred()) throw nb::python_error();
  return value;
}

nb::object LoadedAttr(const Name& module, const Name& name) {
  const nb::object loaded = nb::steal(PyImport_GetModule(module.get()));
  if (loaded.is_valid()) return OptionalAttr(loaded.ptr(), name);
  if (PyErr_Occurred()) throw nb::python_error();
  return {};
}

std::string TypeName(PyObject* object) {
  PyTypeObject* type = Py_TYPE(object);
  const nb::object qualified = nb::steal(PyType_GetQualName(type));
  const nb::object module = nb::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), "__module__"));
  if (!qualified.is_valid() || !module.is_valid() || !PyUnicode_Check(module.ptr())) {
    PyErr_Clear();
    return type->tp_name;
  }
  const std::string name(Utf8(qualified.ptr()).view());
  const std::string prefix(Utf8(module.ptr()).view());
  return prefix == "builtins" ? name : prefix + "." + name;
}

void SwallowError() {
  if (!PyErr_Occurred()) return;
  if (!PyErr_ExceptionMatches(PyExc_Exception)) throw nb::python_error();
  if (PyErr_ExceptionMatches(PyExc_MemoryError)) throw nb::python_error();
  PyErr_Clear();
}

nb::object SafeStr(PyObject* object) {
  if (PyUnicode_Check(object)) return nb::borrow(object);
  if (PyObject* text = PyObject_Str(object)) return nb::steal(text);
  if (!PyErr_Occurred()) return nb::steal(PyUnicode_FromString(""));
  nb::object type = nb::borrow(PyErr_Occurred());
  SwallowError();
  const std::string said = "<" + TypeName(object) + ": str() raised " +
                           reinterpret_cast<PyTypeObject*>(type.ptr())->tp_name + ">";
  return nb::steal(PyUnicode_DecodeUTF8(said.data(), static_cast<Py_ssize_t>(said.size()), "replace"));
}

void Utf8::Encode() {
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(owner_.ptr(), &size);
  if (!bytes) {
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) throw nb::python_error();
    PyErr_Clear();
    // Through UTF-16 a pair of surrogates is one character again.
    const nb::object units = nb::steal(PyUnicode_AsEncodedString(owner_.ptr(), "utf-16-le", "surrogatepass"));
    if (!units.is_valid()) throw nb::python_error();
    int little_endian = -1;
    owner_ = nb::steal(PyUnicode_DecodeUTF16(PyBytes_AS_STRING(units.ptr()), PyBytes_GET_SIZE(units.ptr()), "replace",
                                             &little_endian));
    bytes = owner_.is_valid() ? PyUnicode_AsUTF8AndSize(owner_.ptr(), &size) : nullptr;
    if (!bytes) throw nb::python_error();
  }
  view_ = {bytes, static_cast<size_t>(size)};
}

Utf8 TextOf(PyObject* object) {
  static const Name kNothing{""};
  if (PyUnicode_Check(object)) return Utf8(object);
  if (object == Py_None) return Utf8(kNothing.get());
  const nb::object text = SafeStr(object);
  if (!text.is_valid()) throw nb::python_error();
  return Utf8(text.ptr());
}

nb::object IntegerText(PyObject* integer) {
  nb::object text = nb::steal(PyLong_Type.tp_repr(integer));
  if (text.is_valid()) return text;
  SwallowError();
  text = nb::steal(PyNumber_ToBase(integer, 16));
  if (!text.is_valid()) throw nb::python_error();
  return text;
}

uint64_t ToUint64(PyObject* object, const char* field) {
  if (object == Py_None) return 0;
  const nb::object integer = Integer(object, field);
  const unsigned long long value = PyLong_AsUnsignedLongLong(integer.ptr());
  if (value == static_cast<unsigned long long>(-1) && PyErr_Occurred()) {
    OutOfRange(object, field, "between 0 and 2**64 - 1");
  }
  return value;
}

uint32_t ToUint32(PyObject* object, const char* field) {
  if (object == Py_None) return 0;
  return static_cast<uint32_t>(Bounded(object, field, 0, UINT32_MAX, "between 0 and 2**32 - 1"));
}

int32_t ToInt32(PyObject* object, const char* field) {
  if (object == Py_None) return 0;
  return static_cast<int32_t>(Bounded(object, field, INT32_MIN, INT32_MAX, "between -2**31 and 2**31 - 1"));
}

double ToDouble(PyObject* object, const char* field) {
  if (PyFloat_Check(object)) return PyFloat_AS_DOUBLE(object);
  if (PyLong_Check(object) || (Py_TYPE(object)->tp_as_number && Py_TYPE(object)->tp_as_number->nb_float)) {
    const double value = PyFloat_AsDouble(object);
    if (value != -1.0 || !PyErr_Occurred()) return value;
    SwallowError();
    throw Fault(std::string(field) + " is " + ShortRepr(object) + ", which no float holds");
  }
  throw Fault(std::string(field) + " is " + ShortRepr(object) + " (" + TypeName(object) + "), and must be an int or a float");
}

void ToBigEndian(PyObject* object, uint8_t* bytes, size_t size, const char* field) {
  const nb::object integer = Integer(object, field);
  if (!FitsBigEndian(integer.ptr(), bytes, size)) {
    OutOfRange(object, field, size == 16 ? "between 0 and 2**128 - 1" : "between 0 and 2**64 - 1");
  }
}

}  // namespace otlp_arrow::python
