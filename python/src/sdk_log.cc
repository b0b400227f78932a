#include "sdk_log.h"

#include <cstdarg>

#include "python_object.h"

namespace otlp_arrow::python {
namespace {

const Name kLogging("logging"), kGetLogger("getLogger"), kLoggerName("otlp_arrow_library.sdk"), kWarning("warning"), kException("exception");

nb::object Logger() {
  const nb::object module = nb::steal(PyImport_ImportModule(kLogging.text()));
  if (!module.is_valid()) throw nb::python_error();
  nb::object logger = nb::steal(PyObject_CallMethodOneArg(module.ptr(), kGetLogger.get(), kLoggerName.get()));
  if (!logger.is_valid()) throw nb::python_error();
  return logger;
}

// Logging must not fail a program either: what goes wrong is forgotten.
void Log(const Name& method, PyObject* text) {
  try {
    const nb::object logger = Logger();
    const nb::str format("%s");
    PyObject* arguments[] = {logger.ptr(), format.ptr(), text};
    nb::steal(PyObject_VectorcallMethod(method.get(), arguments, 3, nullptr));
  } catch (nb::python_error& error) {
    error.restore();
  }
  PyErr_Clear();
}

}  // namespace

void WarnOfMistake(const char* format, ...) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  va_list arguments;
  va_start(arguments, format);
  const nb::object text = nb::steal(PyUnicode_FromFormatV(format, arguments));
  va_end(arguments);
  if (text.is_valid()) Log(kWarning, text.ptr());
  PyErr_Restore(type, value, trace);
}

bool LogException(const char* doing) {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (value && trace) PyException_SetTraceback(value, trace);
  // In the words of an except clause, so that the logger finds the exception.
  PyObject *old_type, *old_value, *old_trace;
  PyErr_GetExcInfo(&old_type, &old_value, &old_trace);
  PyErr_SetExcInfo(type, value, trace);
  const nb::object text = nb::steal(PyUnicode_FromFormat("%s: failed, and the program goes on without it", doing));
  PyErr_Clear();
  if (text.is_valid()) Log(kException, text.ptr());
  PyErr_SetExcInfo(old_type, old_value, old_trace);
  return true;
}

}  // namespace otlp_arrow::python
