#include "convert_items.h"

namespace otlp_arrow::python {
namespace {

nb::object ExportErrorClass() { return nb::module_::import_("otlp_arrow_library._errors").attr("OtlpExportError"); }

// The exception that is set, as an object, or not valid. Clears it.
nb::object TakeError() {
  if (!PyErr_Occurred()) return {};
#if PY_VERSION_HEX >= 0x030C0000
  return nb::steal(PyErr_GetRaisedException());
#else
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  if (traceback) PyException_SetTraceback(value, traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  return nb::steal(value);
#endif
}

// The exception of an item as an OtlpExportError that names the item. What is no mistake of data goes on as it is.
[[noreturn]] void RaiseForItem(const std::string& where, nb::python_error* error) {
  const bool ours = error->matches(ExportErrorClass());
  const bool mistake = error->matches(PyExc_Exception) && !error->matches(PyExc_MemoryError);
  if (ours || !mistake) throw std::move(*error);
  const std::string said = where + ": " + TypeName(error->value().ptr()) + ": " + std::string(Utf8(SafeStr(error->value().ptr()).ptr()).view());
  error->restore();
  RaiseExportError(said);
}

void ConvertItem(PyObject* item, const std::function<std::string()>& where, const std::function<void(PyObject*)>& convert) {
  try {
    convert(item);
  } catch (const Fault& fault) {
    RaiseExportError(where() + ": " + fault.what());
  } catch (nb::python_error& error) {
    RaiseForItem(where() + " (" + TypeName(item) + ")", &error);
  }
}

bool HasItems(PyObject* items) {
  return !PyUnicode_Check(items) && !PyBytes_Check(items) && !PyDict_Check(items) && (Py_TYPE(items)->tp_iter || PySequence_Check(items));
}

}  // namespace

void RaiseExportError(const std::string& message) {
  const nb::object cause = TakeError();
  const nb::object text = nb::steal(PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
  if (!text.is_valid()) throw nb::python_error();
  const nb::object type = ExportErrorClass();
  const nb::object error = type(text);
  if (cause.is_valid()) PyException_SetCause(error.ptr(), nb::object(cause).release().ptr());
  PyErr_SetObject(type.ptr(), error.ptr());
  throw nb::python_error();
}

size_t ExpectedItems(PyObject* items) {
  if (PyList_Check(items) || PyTuple_Check(items)) return static_cast<size_t>(PySequence_Fast_GET_SIZE(items));
  return 0;
}

void ForEachItem(PyObject* items, const char* what, const char* taken, const std::function<void(PyObject*)>& convert) {
  if (!HasItems(items)) RaiseExportError(std::string(what) + "s: got " + ShortRepr(items) + " (" + TypeName(items) + "); taken is " + taken);
  const nb::object list = nb::steal(PySequence_Fast(items, "not iterable"));
  if (!list.is_valid()) throw nb::python_error();
  // Sizes are read anew: another thread may change a list while an item runs Python code.
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.ptr()); ++i) {
    const nb::object item = nb::borrow(PySequence_Fast_GET_ITEM(list.ptr(), i));
    const auto where = [&] {
      return std::string(what) + " " + std::to_string(i + 1) + " of " + std::to_string(PySequence_Fast_GET_SIZE(list.ptr()));
    };
    ConvertItem(item.ptr(), where, convert);
  }
}

}  // namespace otlp_arrow::python
