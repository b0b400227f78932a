// Work in C++ while other Python threads go on.
#pragma once

#include <Python.h>

#include <unistd.h>

#ifdef __GLIBC__
#include <cxxabi.h>
#endif

namespace otlp_arrow::python {

// Lets go of the GIL for a scope. Where the interpreter has come to its end meanwhile, CPython before 3.14 ends the
// threads that want it back by unwinding them, which C++ turns into the death of the whole program; here such a thread
// stands still instead, as it does from 3.14 on.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() {
#ifdef __GLIBC__
    try {
      PyEval_RestoreThread(state_);
    } catch (abi::__forced_unwind&) {
      while (true) ::pause();
    }
#else
    PyEval_RestoreThread(state_);
#endif
  }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace otlp_arrow::python
