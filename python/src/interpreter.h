// Where an extension module may be loaded.
#pragma once

#include <Python.h>

#include <stdexcept>
#include <string>

namespace otlp_arrow::python {

// Types and what is known of Python's objects are kept once for the process: for the main interpreter, and for one copy of the
// module. Throws what becomes an ImportError.
inline void RequireMainInterpreter(const std::string& module) {
  static bool is_loaded = false;
  if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
    throw std::runtime_error(module + " works in the main interpreter alone, and this is a sub-interpreter; under mod_wsgi set "
                                      "'WSGIApplicationGroup %{GLOBAL}', elsewhere use processes or threads");
  }
  if (is_loaded) {
    throw std::runtime_error(module + " is loaded already, and cannot be loaded a second time; keep it in sys.modules, or start the "
                                      "program anew");
  }
  is_loaded = true;
}

}  // namespace otlp_arrow::python
