#include "mmap_functions.h"

#include <exception>
#include <new>

#include "mmap_arguments.h"
#include "mmap_exporter.h"

namespace otlp_arrow::python {
namespace {

using ring::EntryKind;
using Use = MmapExporter::Use;

#define OTLP_SCOPE \
  { Name("insturmentation_scope_ref"), Name("instrumentation_scope_ref") }
#define OTLP_PARAMETER(name) \
  { Name(name) }

constexpr const char* kKinds[] = {"unspecified", "internal", "server", "client", "producer", "consumer"};
constexpr const char* kCodes[] = {"unset", "ok", "error"};
const Name kTraceIdKey("trace_id"), kSpanIdKey("span_id"), kFlagsKey("flags");

// A span context: a mapping of trace_id, span_id and, where given, flags.
class ContextArgument {
 public:
  explicit ContextArgument(const Argument& argument) {
    if (IsNone(argument.value)) return;
    if (!PyDict_Check(argument.value)) argument.WrongType("a dictionary of trace_id, span_id and flags, or None");
    if (PyDict_GET_SIZE(argument.value) == 0) return;
    PyObject* trace_id = Item(argument.value, kTraceIdKey);
    PyObject* span_id = Item(argument.value, kSpanIdKey);
    PyObject* flags = Item(argument.value, kFlagsKey);
    if (!trace_id || !span_id || PyDict_GET_SIZE(argument.value) != (flags ? 3 : 2)) {
      argument.WrongValue("a dictionary with trace_id and span_id, and maybe flags");
    }
    trace_id_ = IdArgument<16>({argument.function, "span_context['trace_id']", trace_id});
    span_id_ = IdArgument<8>({argument.function, "span_context['span_id']", span_id});
    context_.emplace(ring::TraceId(trace_id_), ring::SpanId(span_id_), Uint32Argument({argument.function, "span_context['flags']", flags}));
  }
  ContextArgument(const ContextArgument&) = delete;
  ContextArgument& operator=(const ContextArgument&) = delete;
  const ring::SpanContext* get() const { return context_ ? &*context_ : nullptr; }

 private:
  std::array<uint8_t, 16> trace_id_;
  std::array<uint8_t, 8> span_id_;
  std::optional<ring::SpanContext> context_;
};

// Scope, trace id and span id, with which every function for a span begins.
struct KeyArguments {
  KeyArguments(const char* function, MmapExporter* exporter, PyObject* const* args)
      : scope(exporter->RefArgument({function, "insturmentation_scope_ref", args[0]}, EntryKind::kScope)),
        trace_id(IdArgument<16>({function, "trace_id", args[1]})),
        span_id(IdArgument<8>({function, "span_id", args[2]})) {}
  ring::SpanKey key() const { return {scope, ring::TraceId(trace_id), ring::SpanId(span_id)}; }

  ring::Ref scope;
  std::array<uint8_t, 16> trace_id;
  std::array<uint8_t, 8> span_id;
};

// A status: its code and message.
struct StatusArguments {
  StatusArguments(const char* function, PyObject* code_argument, PyObject* message_argument)
      : message(TextArgument({function, "status_message", message_argument})) {
    if (IsNone(code_argument)) return;
    code = static_cast<ring::StatusCodeOfSpan>(
        EnumArgument({function, "status_code", code_argument}, kCodes, 0, "a StatusCode: 0 or 'unset', 1 or 'ok', 2 or 'error'"));
  }
  ring::SpanStatus status() const { return {code, message.view()}; }

  Utf8 message;
  ring::StatusCodeOfSpan code = ring::StatusCodeOfSpan::kUnset;
};

PyObject* RecordString(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_PARAMETER("string")};
  static const Signature signature = {"record_string", parameters, 1, 1};
  PyObject* given[1];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, signature.function);
  const Argument argument{signature.function, "string", given[0]};
  if (!PyUnicode_Check(given[0])) argument.WrongType("a str");
  return PyLong_FromLongLong(exporter->keys()->RefOf(given[0], writer.get()));
}

PyObject* RecordMeasurement(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_PARAMETER("metric_ref"), OTLP_PARAMETER("attributes"), OTLP_PARAMETER("time_unix_nano"),
                                         OTLP_PARAMETER("value"), OTLP_PARAMETER("span_context")};
  static const Signature signature = {"record_measurement", parameters, 5, 4};
  const char* function = signature.function;
  PyObject* given[5];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, function);
  ValueViews views(function, exporter->keys(), writer.get(), exporter->may_wait());
  const ContextArgument context({function, "span_context", given[4]});
  ring::Measurement measurement;
  measurement.metric = exporter->RefArgument({function, "metric_ref", given[0]}, EntryKind::kMetric);
  measurement.attributes = views.AttributesOf("attributes", given[1]);
  measurement.time_unix_nano = TimeArgument({function, "time_unix_nano", given[2]});
  const ring::Value value = PyFloat_CheckExact(given[3]) ? ring::Value(PyFloat_AS_DOUBLE(given[3])) : views.ValueOf("value", given[3]);
  if (value.type == ring::Value::Type::kDouble) {
    measurement.value = value.number;
  } else if (value.type == ring::Value::Type::kInt) {
    measurement.value = value.integer;
  } else {
    Argument{function, "value", given[3]}.WrongType("a float or an int");
  }
  measurement.context = context.get();
  exporter->Put(function, [&] { return writer->RecordMeasurement(measurement); });
  Py_RETURN_NONE;
}

PyObject* RecordEvent(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE,
                                         OTLP_PARAMETER("span_context"),
                                         OTLP_PARAMETER("event_name_ref"),
                                         OTLP_PARAMETER("time_unix_nano"),
                                         OTLP_PARAMETER("attributes"),
                                         OTLP_PARAMETER("severity_number"),
                                         OTLP_PARAMETER("severity_text"),
                                         OTLP_PARAMETER("body"),
                                         OTLP_PARAMETER("observed_time_unix_nano"),
                                         OTLP_PARAMETER("dropped_attributes_count")};
  static const Signature signature = {"record_event", parameters, 5, 4};
  const char* function = signature.function;
  PyObject* given[10];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, function);
  ValueViews views(function, exporter->keys(), writer.get(), exporter->may_wait());
  const ContextArgument context({function, "span_context", given[1]});
  const Utf8 severity_text = TextArgument({function, "severity_text", given[6]});
  ring::Event event;
  event.scope = exporter->RefArgument({function, "insturmentation_scope_ref", given[0]}, EntryKind::kScope);
  event.context = context.get();
  event.event_name = exporter->RefArgument({function, "event_name_ref", given[2]}, EntryKind::kString);
  event.time_unix_nano = TimeArgument({function, "time_unix_nano", given[3]});
  event.attributes = views.AttributesOf("attributes", given[4]);
  if (!IsNone(given[5])) {
    event.severity_number = static_cast<int32_t>(IntegerArgument({function, "severity_number", given[5]}, 0, 24, "an int from 0 to 24, as OTLP numbers severities"));
  }
  event.severity_text = severity_text.view();
  event.body = views.ValueOf("body", given[7]);
  if (!IsNone(given[8])) event.observed_time_unix_nano = TimeArgument({function, "observed_time_unix_nano", given[8]});
  event.dropped_attributes_count = Uint32Argument({function, "dropped_attributes_count", given[9]});
  exporter->Put(function, [&] { return writer->RecordEvent(event); });
  Py_RETURN_NONE;
}

ring::SpanKind KindArgument(const Argument& argument) {
  if (IsNone(argument.value)) return ring::SpanKind::kInternal;
  return static_cast<ring::SpanKind>(EnumArgument(argument, kKinds, 0, "a SpanKind: 0 to 5, or 'internal', 'server', 'client', 'producer', 'consumer'"));
}

PyObject* RecordSpanStart(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE,
                                         OTLP_PARAMETER("trace_id"),
                                         OTLP_PARAMETER("span_id"),
                                         OTLP_PARAMETER("parent_span_id"),
                                         OTLP_PARAMETER("flags"),
                                         OTLP_PARAMETER("name"),
                                         OTLP_PARAMETER("kind"),
                                         OTLP_PARAMETER("start_time_unix_nano"),
                                         OTLP_PARAMETER("attributes"),
                                         OTLP_PARAMETER("trace_state"),
                                         OTLP_PARAMETER("dropped_attributes_count")};
  static const Signature signature = {"record_span_start", parameters, 9, 8};
  const char* function = signature.function;
  PyObject* given[11];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, function);
  ValueViews views(function, exporter->keys(), writer.get(), exporter->may_wait());
  const KeyArguments key(function, exporter, given);
  uint8_t parent[8] = {};
  if (!IsNone(given[3]) && !(PyBytes_Check(given[3]) && PyBytes_GET_SIZE(given[3]) == 0)) {
    BytesArgument({function, "parent_span_id", given[3]}, parent, sizeof(parent));
  }
  const Argument name_argument{function, "name", given[5]};
  if (given[5] == Py_None) name_argument.WrongType("a str");
  const Utf8 name = TextArgument(name_argument);
  const Utf8 trace_state = TextArgument({function, "trace_state", given[9]});
  const ring::SpanStart start = {
      .scope = key.scope,
      .trace_id = ring::TraceId(key.trace_id),
      .span_id = ring::SpanId(key.span_id),
      .parent_span_id = IsZero(parent, sizeof(parent)) ? nullptr : parent,
      .flags = Uint32Argument({function, "flags", given[4]}),
      .name = name.view(),
      .kind = KindArgument({function, "kind", given[6]}),
      .start_time_unix_nano = TimeArgument({function, "start_time_unix_nano", given[7]}),
      .attributes = views.AttributesOf("attributes", given[8]),
      .trace_state = trace_state.view(),
      .dropped_attributes_count = Uint32Argument({function, "dropped_attributes_count", given[10]}),
  };
  exporter->Put(function, [&] { return writer->RecordSpanStart(start); });
  Py_RETURN_NONE;
}

PyObject* RecordSpanEnd(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE, OTLP_PARAMETER("trace_id"), OTLP_PARAMETER("span_id"), OTLP_PARAMETER("end_time_unix_nano"),
                                         OTLP_PARAMETER("status_code"), OTLP_PARAMETER("status_message")};
  static const Signature signature = {"record_span_end", parameters, 4, 4};
  PyObject* given[6];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, signature.function);
  const KeyArguments key(signature.function, exporter, given);
  const uint64_t end = TimeArgument({signature.function, "end_time_unix_nano", given[3]});
  const StatusArguments status(signature.function, given[4], given[5]);
  exporter->Put(signature.function, [&] { return writer->RecordSpanEnd(key.key(), end, status.status()); });
  Py_RETURN_NONE;
}

PyObject* RecordSpanName(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE, OTLP_PARAMETER("trace_id"), OTLP_PARAMETER("span_id"), OTLP_PARAMETER("name")};
  static const Signature signature = {"record_span_name", parameters, 4, 4};
  PyObject* given[4];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, signature.function);
  const KeyArguments key(signature.function, exporter, given);
  const Argument argument{signature.function, "name", given[3]};
  if (given[3] == Py_None) argument.WrongType("a str");
  const Utf8 name = TextArgument(argument);
  exporter->Put(signature.function, [&] { return writer->RecordSpanName(key.key(), name.view()); });
  Py_RETURN_NONE;
}

PyObject* RecordSpanAttributes(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE, OTLP_PARAMETER("trace_id"), OTLP_PARAMETER("span_id"), OTLP_PARAMETER("attributes")};
  static const Signature signature = {"record_span_attributes", parameters, 4, 4};
  PyObject* given[4];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, signature.function);
  ValueViews views(signature.function, exporter->keys(), writer.get(), exporter->may_wait());
  const KeyArguments key(signature.function, exporter, given);
  const ring::Attributes attributes = views.AttributesOf("attributes", given[3]);
  if (!attributes.empty()) exporter->Put(signature.function, [&] { return writer->RecordSpanAttributes(key.key(), attributes); });
  Py_RETURN_NONE;
}

PyObject* RecordSpanLink(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE,
                                         OTLP_PARAMETER("trace_id"),
                                         OTLP_PARAMETER("span_id"),
                                         OTLP_PARAMETER("linked_trace_id"),
                                         OTLP_PARAMETER("linked_span_id"),
                                         OTLP_PARAMETER("attributes"),
                                         OTLP_PARAMETER("trace_state"),
                                         OTLP_PARAMETER("flags"),
                                         OTLP_PARAMETER("dropped_attributes_count")};
  static const Signature signature = {"record_span_link", parameters, 6, 5};
  const char* function = signature.function;
  PyObject* given[9];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, function);
  ValueViews views(function, exporter->keys(), writer.get(), exporter->may_wait());
  const KeyArguments key(function, exporter, given);
  const auto trace_id = IdArgument<16>({function, "linked_trace_id", given[3]});
  const auto span_id = IdArgument<8>({function, "linked_span_id", given[4]});
  const Utf8 trace_state = TextArgument({function, "trace_state", given[6]});
  const ring::SpanLink link = {
      .trace_id = ring::TraceId(trace_id),
      .span_id = ring::SpanId(span_id),
      .trace_state = trace_state.view(),
      .attributes = views.AttributesOf("attributes", given[5]),
      .dropped_attributes_count = Uint32Argument({function, "dropped_attributes_count", given[8]}),
      .flags = Uint32Argument({function, "flags", given[7]}),
  };
  exporter->Put(function, [&] { return writer->RecordSpanLink(key.key(), link); });
  Py_RETURN_NONE;
}

PyObject* RecordSpanStatus(MmapExporter* exporter, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  static const Parameter parameters[] = {OTLP_SCOPE, OTLP_PARAMETER("trace_id"), OTLP_PARAMETER("span_id"), OTLP_PARAMETER("status_code"),
                                         OTLP_PARAMETER("status_message")};
  static const Signature signature = {"record_span_status", parameters, 5, 4};
  PyObject* given[5];
  signature.Parse(args, nargs, kwnames, given);
  const Use writer(exporter, signature.function);
  const KeyArguments key(signature.function, exporter, given);
  const StatusArguments status(signature.function, given[3], given[4]);
  exporter->Put(signature.function, [&] { return writer->RecordSpanStatus(key.key(), status.status()); });
  Py_RETURN_NONE;
}

#undef OTLP_SCOPE
#undef OTLP_PARAMETER

using Function = PyObject* (*)(MmapExporter*, PyObject* const*, Py_ssize_t, PyObject*);

// CPython's side of a function: finds the exporter, and turns C++ exceptions into those of Python.
template <Function kFunction>
PyObject* Call(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) noexcept {
  try {
    if (!nb::inst_ready(self)) [[unlikely]] {
      PyErr_SetString(PyExc_TypeError, "the exporter was not initialised: its __init__ has not been called");
      return nullptr;
    }
    return kFunction(nb::inst_ptr<MmapExporter>(self), args, nargs, kwnames);
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

template <Function kFunction>
PyMethodDef Method(const char* name, const char* doc) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(&Call<kFunction>)), METH_FASTCALL | METH_KEYWORDS, doc};
}

PyMethodDef kMethods[] = {
    Method<RecordString>("record_string", R"(record_string($self, /, string)
--

The reference of a text in the file's dictionary: for event names. The same text has the same reference, 0 if it is empty.)"),
    Method<RecordMeasurement>("record_measurement", R"(record_measurement($self, /, metric_ref, attributes, time_unix_nano, value, span_context=None)
--

Records a float or an int for a metric of create_metric_stream. What finds no room in the file is dropped and counted.

span_context: {"trace_id": 16 bytes, "span_id": 8 bytes, "flags": int (may be left out)}, or None.)"),
    Method<RecordEvent>("record_event", R"(record_event($self, /, insturmentation_scope_ref, span_context, event_name_ref, time_unix_nano, attributes=None, *, severity_number=None, severity_text=None, body=None, observed_time_unix_nano=None, dropped_attributes_count=0)
--

Records a log record or, with the context of a span that is open and without severity and body, an event of that span.

event_name_ref: of record_string; 0 or None: no name. severity_number: 1 to 24, as in OTLP. body: any value.)"),
    Method<RecordSpanStart>("record_span_start", R"(record_span_start($self, /, insturmentation_scope_ref, trace_id, span_id, parent_span_id, flags, name, kind, start_time_unix_nano, attributes=None, *, trace_state=None, dropped_attributes_count=0)
--

Records that a span begins. It is in the file when this returns, whatever becomes of the program.

parent_span_id: None, b"" or eight zeros at a root. kind: a SpanKind, its number (0 to 5) or name.)"),
    Method<RecordSpanEnd>("record_span_end", R"(record_span_end($self, /, insturmentation_scope_ref, trace_id, span_id, end_time_unix_nano, *, status_code=None, status_message=None)
--

Records that a span has ended; a status that is given here stands above one of record_span_status.)"),
    Method<RecordSpanName>("record_span_name", R"(record_span_name($self, /, insturmentation_scope_ref, trace_id, span_id, name)
--

Gives an open span another name.)"),
    Method<RecordSpanAttributes>("record_span_attributes", R"(record_span_attributes($self, /, insturmentation_scope_ref, trace_id, span_id, attributes)
--

Sets attributes of an open span; one that is set again has its last value.)"),
    Method<RecordSpanLink>("record_span_link", R"(record_span_link($self, /, insturmentation_scope_ref, trace_id, span_id, linked_trace_id, linked_span_id, attributes=None, *, trace_state=None, flags=0, dropped_attributes_count=0)
--

Links an open span to another one.)"),
    Method<RecordSpanStatus>("record_span_status", R"(record_span_status($self, /, insturmentation_scope_ref, trace_id, span_id, status_code, status_message=None)
--

Sets the status of an open span: a StatusCode, its number (0 to 2) or name.)"),
};

}  // namespace

void AddMmapFunctions(nb::handle type) {
  for (PyMethodDef& method : kMethods) {
    nb::object descriptor = nb::steal(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(type.ptr()), &method));
    if (!descriptor.is_valid()) throw nb::python_error();
    nb::setattr(type, method.ml_name, descriptor);
  }
}

}  // namespace otlp_arrow::python
