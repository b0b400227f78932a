// What Tracer.start_as_current_span returns: a context manager that starts a span when it is entered, and a decorator.
#pragma once

#include "sdk_tracer.h"

namespace otlp_arrow::python {

nb::object MakeCurrentSpan(Tracer* tracer, const StartArguments& arguments);
PyTypeObject* MakeCurrentSpanType();

}  // namespace otlp_arrow::python
