// How the native SDK tells a program of its mistakes: on the logger otlp_arrow_library.sdk, never by an exception.
// Everything here wants the GIL.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <new>

namespace otlp_arrow::python {

// A warning; `format` as PyUnicode_FromFormat has it. An exception that is set stays set.
void WarnOfMistake(const char* format, ...);
// Logs the exception that is set, and clears it; `doing` says what went wrong. False where it is none that may be swallowed
// (KeyboardInterrupt, SystemExit): it stays set.
bool LogException(const char* doing);

// The body of a function that a program calls: what goes wrong in it is logged, and the result is None.
template <class Call>
PyObject* Guarded(const char* function, const Call& call) noexcept {
  try {
    if (PyObject* result = call()) [[likely]] return result;
  } catch (nanobind::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  if (PyErr_Occurred() && !LogException(function)) return nullptr;
  return Py_NewRef(Py_None);
}

}  // namespace otlp_arrow::python
