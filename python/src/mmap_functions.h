// The functions of MmapExporter that programs call for everything that they record.
#pragma once

#include "bindings.h"

namespace otlp_arrow::python {

// Puts them into `type`, the class of MmapExporter.
void AddMmapFunctions(nb::handle type);

}  // namespace otlp_arrow::python
