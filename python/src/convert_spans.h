// The two forms of a span that are taken.
#pragma once

#include "convert_groups.h"
#include "python_object.h"
#include "span_parts.h"

namespace otlp_arrow::python {

// Spans of the SDK: ReadableSpan, spans that are still open, and what has the same properties.
class SdkSpanWriter {
 public:
  explicit SdkSpanWriter(GroupedRequest* request) : request_(request) {}
  void Write(PyObject* span);

 private:
  // Where a span's fields are: in its instance, or behind its properties.
  struct Fields;
  static const Fields kOwn;
  static const Fields kProperties;

  const Fields& FieldsOf(PyObject* span);
  void WriteFields(PyObject* span, const Fields& fields);
  void WriteContexts(wire::Writer* out, PyObject* context, PyObject* parent);
  const std::string& TraceState(const nb::object& trace_state);
  const std::string& Status(const nb::object& status);

  GroupedRequest* request_;
  nb::object type_;  // of the last span; its fields are at fields_
  const Fields* fields_ = nullptr;
  // Neighbours often share these objects: what was written for the last one is written again.
  nb::object trace_state_;
  std::string trace_state_text_;
  nb::object status_;
  std::string status_message_;
};

// A span as a dictionary; keys in docs/python/values.md.
void WriteSpanDict(GroupedRequest* request, PyObject* dict);

}  // namespace otlp_arrow::python
