#include "bindings.h"

namespace otlp_arrow::python {
namespace {

const char* ExceptionName(StatusCode code) {
  switch (code) {
    case StatusCode::kConfig: return "OtlpConfigError";
    case StatusCode::kExport: return "OtlpExportError";
    case StatusCode::kIo: return "OtlpIOError";
    case StatusCode::kServer: return "OtlpServerError";
    case StatusCode::kShutdown: return "OtlpShutdownError";
    case StatusCode::kOk: break;
  }
  return "OtlpError";
}

constexpr Py_ssize_t kMostCharacters = 100;

}  // namespace

void Raise(const Status& status) {
  // Paths in messages may be any bytes.
  nb::object message = nb::steal(PyUnicode_DecodeUTF8(status.message().data(), static_cast<Py_ssize_t>(status.message().size()), "replace"));
  if (!message.is_valid()) throw nb::python_error();
  nb::object type = nb::module_::import_("otlp_arrow_library._errors").attr(ExceptionName(status.code()));
  nb::object error = type(message, nb::arg("retryable") = status.retryable());
  PyErr_SetObject(type.ptr(), error.ptr());
  throw nb::python_error();
}

std::string ShortRepr(nb::handle object) {
  nb::object text = nb::steal(PyObject_Repr(object.ptr()));
  if (text.is_valid() && PyUnicode_GetLength(text.ptr()) > kMostCharacters) {
    text = nb::steal(PyUnicode_Substring(text.ptr(), 0, kMostCharacters)) + nb::str("…");
  }
  const char* utf8 = text.is_valid() ? PyUnicode_AsUTF8(text.ptr()) : nullptr;
  if (!utf8) {
    PyErr_Clear();
    return std::string("<") + Py_TYPE(object.ptr())->tp_name + ">";
  }
  return utf8;
}

}  // namespace otlp_arrow::python
