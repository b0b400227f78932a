// OTLP to other backends, in the extension module _service.
#pragma once

#include <nanobind/nanobind.h>

namespace otlp_arrow::python {

void BindSender(nanobind::module_& m);

}  // namespace otlp_arrow::python
