// The extension module otlp_arrow_library._native.
#include "bindings.h"
#include "interpreter.h"

NB_MODULE(_native, m) {
  using namespace otlp_arrow::python;  // NOLINT: the Bind functions alone
  RequireMainInterpreter("otlp_arrow_library._native");
  // A library that a program's global variables hold to its end is no leak.
  nanobind::set_leak_warnings(false);
  BindConfig(m);
  BindLibrary(m);
  BindConversion(m);
  BindReader(m);
  BindMmap(m);
  BindSdk(m);
  BindSdkTrace(m);
  BindSdkScope(m);
  BindSdkMetrics(m);
  BindSdkLogs(m);
}
