// What the files of the extension module _native share.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <memory>

#include "otlp_arrow/config.h"
#include "otlp_arrow/library.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow::python {

namespace nb = nanobind;

// Each puts its part into the module; bind_<part>.cc.
void BindConfig(nb::module_& m);
void BindLibrary(nb::module_& m);
void BindConversion(nb::module_& m);
void BindReader(nb::module_& m);
void BindMmap(nb::module_& m);
void BindSdk(nb::module_& m);
void BindSdkTrace(nb::module_& m);
void BindSdkScope(nb::module_& m);
void BindSdkMetrics(nb::module_& m);
void BindSdkLogs(nb::module_& m);

// Raises the Python exception of a status that is not OK: OtlpConfigError, OtlpExportError, ... with the message.
// The GIL is held.
[[noreturn]] void Raise(const Status& status);
inline void RaiseIfFailed(const Status& status) {
  if (!status.ok()) Raise(status);
}

// The value of a result, or its exception.
template <class T>
T ValueOrRaise(Result<T> result) {
  if (!result.ok()) Raise(result.status());
  return *std::move(result);
}

// A Python object's text for a message: repr(), shortened; "<type>" where that fails. The GIL is held.
std::string ShortRepr(nb::handle object);

// The library behind a `_native.Library`. Raises TypeError for anything else.
std::shared_ptr<OtlpLibrary> LibraryFromPython(nb::handle library);

// The settings of a Python Config (any object with attributes of the same names), checked. Raises OtlpConfigError.
Config ConfigFromPython(nb::handle object);

}  // namespace otlp_arrow::python
