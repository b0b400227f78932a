// The native span: `_native.Span`, which is also what processors and exporters read. What a program does with it is recorded
// at once, so that it is there when the program dies; Python's view of it is kept beside. Everything here wants the GIL.
#pragma once

#include <cstdint>

#include "sdk_span_context.h"
#include "sdk_tracer.h"

namespace otlp_arrow::python {

// Without a head for the garbage collector: what it holds is plain data, in which no cycle can be.
struct Span {
  PyObject_HEAD
  Tracer* tracer;  // owned, as are all objects here; most may be null
  PyObject* weak_references;
  PyObject* dict;  // from here to `status` in a row, see Deallocate
  PyObject* name;
  PyObject* kind;
  PyObject* attributes;    // a clean dictionary
  PyObject* trace_state;   // null: the default
  PyObject* context;       // SpanContext, made when asked for
  PyObject* parent;        // SpanContext, likewise where the parent is a native span
  PyObject* events;        // a list of (name, attributes, timestamp, dropped attributes)
  PyObject* links;         // a list of (context, attributes, dropped attributes)
  PyObject* status;        // null: unset
  ring::RingWriter* writer;  // null: it is not recorded
  ring::Ref scope;
  uint64_t start_time, end_time;
  uint32_t epoch;
  uint32_t dropped_attributes, dropped_events, dropped_links;
  uint32_t told_dropped_attributes;  // those that its start told of
  uint8_t trace_id[16];
  uint8_t span_id[8];
  uint8_t parent_span_id[8];
  uint8_t trace_flags;
  uint8_t parent_trace_flags;
  bool has_parent, parent_is_remote, is_ended, is_ok, record_exception, set_status_on_exception;
};

extern PyTypeObject* span_type;
inline bool IsSpan(PyObject* object) { return Py_TYPE(object) == span_type; }

// A span of which nothing is set but its reference count; the rest is zero.
Span* AllocateSpan();
// Its start, with all that it has by now, into the ring.
void RecordStart(Span* span);
nb::object ContextOf(Span* span);

// What methods of spans do; they may throw.
void AddLink(Span* span, PyObject* context, PyObject* attributes, bool record);
void RecordException(Span* span, PyObject* exception, PyObject* attributes, PyObject* timestamp, bool escaped);
void SetErrorStatus(Span* span, PyObject* exception);
void EndSpan(Span* span, PyObject* end_time);

// The ids of a native span, for whoever refers to it; false where `object` is none.
bool NativeSpanIds(PyObject* object, SpanIds* ids);

PyTypeObject* MakeSpanType();

}  // namespace otlp_arrow::python
