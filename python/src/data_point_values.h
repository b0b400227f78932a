// The SDK's data points as OTLP's, each written as `field` of its metric's data.
#pragma once

#include "otlp_arrow/wire_writer.h"
#include "python_object.h"

namespace otlp_arrow::python {

void WriteSumPoint(wire::Writer* out, uint32_t field, PyObject* point);
void WriteGaugePoint(wire::Writer* out, uint32_t field, PyObject* point);
void WriteHistogramPoint(wire::Writer* out, uint32_t field, PyObject* point);
void WriteExponentialPoint(wire::Writer* out, uint32_t field, PyObject* point);

}  // namespace otlp_arrow::python
