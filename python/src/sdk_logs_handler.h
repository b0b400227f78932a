// Records of Python's `logging` as log records: what LoggingHandler does for each of them.
#pragma once

#include "sdk_logs_logger.h"

namespace otlp_arrow::python {

// False where the handler has to do it in Python. `handler` is a LoggingHandler. Raises what formatting the message raises; within
// a record that is being emitted by this thread nothing is emitted.
bool EmitLogging(Logger* logger, PyObject* handler, PyObject* record);

}  // namespace otlp_arrow::python
