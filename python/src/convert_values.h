// Values and attributes of Python as OTLP's AnyValue and KeyValue (docs/python/values.md).
#pragma once

#include <cstdint>

#include "otlp_arrow/wire_writer.h"
#include "python_object.h"

namespace otlp_arrow::python {

// Containers within containers that are written; deeper ones become a text. Readers based on libprotobuf refuse more
// than 100 nested messages, and a mapping takes three.
inline constexpr int kMaxDepth = 30;

// Writes AnyValue{value} as `field`.
void WriteAnyValue(wire::Writer* out, uint32_t field, PyObject* value);

// Writes each entry of a mapping (None: no entries) as KeyValue `field`. Takes the SDK's BoundedAttributes by the
// dictionary inside. Fault where it is no mapping; `name` says what it is then.
void WriteAttributes(wire::Writer* out, uint32_t field, PyObject* attributes, const char* name = "attributes");

// How many attributes the SDK dropped from a BoundedAttributes; 0 for other mappings.
uint32_t DroppedAttributes(PyObject* attributes);

}  // namespace otlp_arrow::python
