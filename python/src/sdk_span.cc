#include "sdk_span.h"

#include <cstring>
#include <new>
#include <utility>

#include <structmember.h>

#include "sdk_arguments.h"
#include "sdk_log.h"

namespace otlp_arrow::python {

PyTypeObject* span_type = nullptr;

namespace {

// Spans come and go all the time: the memory of a few is kept.
constexpr size_t kMostFree = 64;
Span* free_spans[kMostFree];
size_t free_count = 0;

const Name kStatusCode("status_code"), kDescription("description"), kExceptionName("exception");

ring::SpanKey KeyOf(const Span* span) { return {span->scope, ring::TraceId(span->trace_id), ring::SpanId(span->span_id)}; }

Sink* SinkOf(const Span* span) { return span->tracer->core->sink; }

// Not in a forked child with a ring of its own, where the span has no start, and not after a shutdown.
bool IsRecorded(const Span* span) {
  if (!span->writer) return false;
  const sdk::Recorder& recorder = *SinkOf(span)->recorder();
  return recorder.epoch() == span->epoch && !recorder.is_shut_down();
}

uint32_t RemoteFlags(bool is_remote) {
  constexpr uint32_t kHasIsRemote = 0x100, kIsRemote = 0x200;  // of OTLP's SpanFlags
  return kHasIsRemote | (is_remote ? kIsRemote : 0);
}

ring::SpanKind KindOf(const Span* span) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(trace_api.span_kinds); ++i) {
    if (PyTuple_GET_ITEM(trace_api.span_kinds, i) == span->kind) return static_cast<ring::SpanKind>(i + 1);
  }
  return ring::SpanKind::kInternal;
}

void RecordAttributes(Span* span, PyObject* dict) {
  SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] {
    AttributeViews views(SinkOf(span)->keys(), span->writer);
    return span->writer->RecordSpanAttributes(KeyOf(span), views.Of(dict));
  });
}

PyObject* AttributesOf(Span* span) {
  if (!span->attributes && !(span->attributes = PyDict_New())) throw nb::python_error();
  return span->attributes;
}

void Append(PyObject** list, const nb::object& item) {
  if (!item.is_valid() || (!*list && !(*list = PyList_New(0))) || PyList_Append(*list, item.ptr()) != 0) throw nb::python_error();
}
bool IsFull(PyObject* list, Py_ssize_t most) { return most >= 0 && (list ? PyList_GET_SIZE(list) : 0) >= most; }

nb::object Text(PyObject* text) {
  if (PyUnicode_CheckExact(text)) return nb::borrow(text);
  nb::object made = SafeStr(text);
  if (!made.is_valid()) throw nb::python_error();
  nb::object exact = nb::steal(PyUnicode_FromObject(made.ptr()));
  if (!exact.is_valid()) throw nb::python_error();
  return exact;
}

void AddEvent(Span* span, PyObject* given_name, PyObject* given_attributes, PyObject* timestamp) {
  const SpanLimits& limits = span->tracer->core->limits;
  if (IsFull(span->events, limits.max_events)) {
    ++span->dropped_events;
    return;
  }
  const uint64_t time = TimeOr(timestamp, "the timestamp of an event");
  const nb::object name = Text(given_name);
  uint32_t dropped = 0;
  const nb::object attributes = CleanAttributes(given_attributes, limits.event, &dropped);
  Append(&span->events, nb::steal(Py_BuildValue("(OOKI)", name.ptr(), attributes.ptr(), static_cast<unsigned long long>(time), dropped)));
  if (!IsRecorded(span)) return;
  const ring::SpanContext context{ring::TraceId(span->trace_id), ring::SpanId(span->span_id), span->trace_flags};
  bool has_name = true;
  SinkOf(span)->Put(span->writer, ring::RingKind::kEvents, [&] {
    AttributeViews views(SinkOf(span)->keys(), span->writer);
    ring::Event event;
    event.scope = span->scope;
    event.time_unix_nano = time;
    event.event_name = views.KeyOf(name.ptr());
    event.context = &context;
    event.attributes = views.Of(attributes.ptr());
    event.dropped_attributes_count = dropped;
    has_name = event.event_name != 0;
    // Without a name it would be a log record.
    return has_name ? span->writer->RecordEvent(event) : ring::RecordResult::kRecorded;
  });
  if (!has_name) ++span->dropped_events;
}

// The status rules of the specification: OK is final, and UNSET changes nothing.
void SetStatus(Span* span, PyObject* given, PyObject* description) {
  const bool is_status = PyObject_TypeCheck(given, reinterpret_cast<PyTypeObject*>(trace_api.status_class));
  const nb::object code = is_status ? Attr(given, kStatusCode) : nb::borrow(given);
  const bool is_ok = code.ptr() == trace_api.status_ok;
  if (!is_ok && code.ptr() != trace_api.status_error) {
    if (code.ptr() != trace_api.status_unset) {
      WarnOfMistake("set_status: the status is of the type %s, and must be a Status or a StatusCode: it is left out", Py_TYPE(given)->tp_name);
    }
    return;
  }
  if (span->is_ok) return;
  nb::object status = nb::borrow(given);
  if (!is_status) {
    status = nb::steal(PyObject_CallFunctionObjArgs(trace_api.status_class, given, description ? description : Py_None, nullptr));
    if (!status.is_valid()) throw nb::python_error();
  } else if (description && description != Py_None) {
    WarnOfMistake("set_status: the description %R is left out; it goes with a StatusCode, a Status has its own", description);
  }
  Py_XSETREF(span->status, Py_NewRef(status.ptr()));
  span->is_ok = is_ok;
  if (!IsRecorded(span)) return;
  const Utf8 message = otlp_arrow::python::TextOf(AttrOrNone(status.ptr(), kDescription).ptr());
  SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] {
    return span->writer->RecordSpanStatus(KeyOf(span), {is_ok ? ring::StatusCodeOfSpan::kOk : ring::StatusCodeOfSpan::kError, message.view()});
  });
}

}  // namespace

Span* AllocateSpan() {
  Span* span = free_count > 0 ? free_spans[--free_count] : static_cast<Span*>(PyObject_Malloc(sizeof(Span)));
  if (!span) throw std::bad_alloc();
  std::memset(static_cast<void*>(span), 0, sizeof(Span));
  PyObject_Init(reinterpret_cast<PyObject*>(span), span_type);
  return span;
}

void RecordStart(Span* span) {
  const std::string trace_state = TraceStateHeader(span->trace_state);
  SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] {
    AttributeViews views(SinkOf(span)->keys(), span->writer);
    return span->writer->RecordSpanStart({
        .scope = span->scope,
        .trace_id = ring::TraceId(span->trace_id),
        .span_id = ring::SpanId(span->span_id),
        .parent_span_id = span->has_parent ? span->parent_span_id : nullptr,
        .flags = RemoteFlags(span->has_parent && span->parent_is_remote),
        .name = views.TextOf(span->name),
        .kind = KindOf(span),
        .start_time_unix_nano = span->start_time,
        .attributes = views.Of(span->attributes),
        .trace_state = trace_state,
        .dropped_attributes_count = span->dropped_attributes,
    });
  });
  span->told_dropped_attributes = span->dropped_attributes;
}

nb::object ContextOf(Span* span) {
  if (!span->context) {
    span->context = MakeSpanContext(span->trace_id, span->span_id, false, span->trace_flags, span->trace_state).release().ptr();
  }
  return nb::borrow(span->context);
}

bool NativeSpanIds(PyObject* object, SpanIds* ids) {
  if (!IsSpan(object)) return false;
  const auto* span = reinterpret_cast<const Span*>(object);
  std::memcpy(ids->trace_id.data(), span->trace_id, sizeof(span->trace_id));
  std::memcpy(ids->span_id.data(), span->span_id, sizeof(span->span_id));
  ids->flags = span->trace_flags;
  return true;
}

void AddLink(Span* span, PyObject* context, PyObject* given_attributes, bool record) {
  const SpanContextParts parts = PartsOf(context);
  const bool has_attributes = given_attributes && given_attributes != Py_None && PyObject_IsTrue(given_attributes) > 0;
  PyErr_Clear();
  if (!parts.is_valid && !has_attributes && TraceStateHeader(parts.trace_state.ptr()).empty()) return;
  const SpanLimits& limits = span->tracer->core->limits;
  if (IsFull(span->links, limits.max_links)) {
    ++span->dropped_links;
    return;
  }
  uint32_t dropped = 0;
  const nb::object attributes = CleanAttributes(given_attributes, limits.link, &dropped);
  Append(&span->links, nb::steal(Py_BuildValue("(OOI)", context, attributes.ptr(), dropped)));
  if (!record || !IsRecorded(span)) return;
  const std::string trace_state = TraceStateHeader(parts.trace_state.ptr());
  SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] {
    AttributeViews views(SinkOf(span)->keys(), span->writer);
    return span->writer->RecordSpanLink(KeyOf(span), {
                                                         .trace_id = ring::TraceId(parts.trace_id),
                                                         .span_id = ring::SpanId(parts.span_id),
                                                         .trace_state = trace_state,
                                                         .attributes = views.Of(attributes.ptr()),
                                                         .dropped_attributes_count = dropped,
                                                         .flags = RemoteFlags(parts.is_remote),
                                                     });
  });
}

void RecordException(Span* span, PyObject* exception, PyObject* attributes, PyObject* timestamp, bool escaped) {
  PyObject* arguments[] = {exception, escaped ? Py_True : Py_False, attributes ? attributes : Py_None};
  const nb::object described = nb::steal(PyObject_Vectorcall(trace_api.exception_attributes, arguments, 3, nullptr));
  if (!described.is_valid()) throw nb::python_error();
  AddEvent(span, kExceptionName.get(), described.ptr(), timestamp);
}

// As the API's use_span words it: "ValueError: text".
void SetErrorStatus(Span* span, PyObject* exception) {
  const nb::object text = SafeStr(exception);
  const nb::object type = nb::steal(PyType_GetName(Py_TYPE(exception)));
  if (!text.is_valid() || !type.is_valid()) throw nb::python_error();
  const nb::object description = nb::steal(PyUnicode_FromFormat("%U: %U", type.ptr(), text.ptr()));
  if (!description.is_valid()) throw nb::python_error();
  SetStatus(span, trace_api.status_error, description.ptr());
}

void EndSpan(Span* span, PyObject* end_time) {
  if (span->is_ended) {
    WarnOfMistake("end() was called on a span that has ended");
    return;
  }
  span->end_time = TimeOr(end_time, "end_time");
  span->is_ended = true;
  if (IsRecorded(span)) {
    const ring::SpanDropped dropped{span->dropped_attributes - span->told_dropped_attributes, span->dropped_events, span->dropped_links};
    SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] { return span->writer->RecordSpanEnd(KeyOf(span), span->end_time, {}, dropped); });
  }
  const TraceCore& core = *span->tracer->core;
  if (core.processors.is_valid()) [[unlikely]] core.TellEnd(reinterpret_cast<PyObject*>(span));
}

namespace {

// --- methods ---

bool IsOpen(const Span* span, const char* method) {
  if (!span->is_ended) [[likely]] return true;
  WarnOfMistake("%s() was called on a span that has ended: it changes nothing", method);
  return false;
}

Span* SpanOf(PyObject* self) { return reinterpret_cast<Span*>(self); }

PyObject* MethodSetAttribute(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("set_attribute", 2, "key", "value");
  PyObject* given[2];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.set_attribute", [&]() -> PyObject* {
    Span* span = SpanOf(self);
    if (!IsOpen(span, "set_attribute")) Py_RETURN_NONE;
    const AttributeLimits& limits = span->tracer->core->limits.span;
    if (!PyUnicode_Check(given[0]) || PyUnicode_GET_LENGTH(given[0]) == 0) [[unlikely]] {
      WarnOfMistake("set_attribute: the key is %R, and must be a str that is not empty: the attribute is left out", given[0]);
      ++span->dropped_attributes;
      Py_RETURN_NONE;
    }
    const nb::object key = CleanKey(given[0]);
    const nb::object value = CleanValue(given[1], limits.max_length);
    if (!PutAttribute(AttributesOf(span), key.ptr(), value.ptr(), limits, &span->dropped_attributes) || !IsRecorded(span)) Py_RETURN_NONE;
    SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] {
      AttributeViews views(SinkOf(span)->keys(), span->writer);
      const ring::Attribute attribute = views.Of(key.ptr(), value.ptr());
      if (attribute.key == 0) return ring::RecordResult::kRecorded;  // no room for its key
      return span->writer->RecordSpanAttributes(KeyOf(span), {&attribute, 1});
    });
    Py_RETURN_NONE;
  });
}

PyObject* MethodSetAttributes(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("set_attributes", 1, "attributes");
  PyObject* given[1];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.set_attributes", [&]() -> PyObject* {
    Span* span = SpanOf(self);
    if (!IsOpen(span, "set_attributes")) Py_RETURN_NONE;
    const nb::object added = nb::steal(PyDict_New());
    if (!added.is_valid()) throw nb::python_error();
    MergeAttributes(AttributesOf(span), given[0], span->tracer->core->limits.span, &span->dropped_attributes, [&](PyObject* key, PyObject* value) {
      if (PyDict_SetItem(added.ptr(), key, value) != 0) throw nb::python_error();
    });
    if (PyDict_GET_SIZE(added.ptr()) > 0 && IsRecorded(span)) RecordAttributes(span, added.ptr());
    Py_RETURN_NONE;
  });
}

PyObject* MethodAddEvent(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("add_event", 1, "name", "attributes", "timestamp");
  PyObject* given[3];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.add_event", [&]() -> PyObject* {
    if (IsOpen(SpanOf(self), "add_event")) AddEvent(SpanOf(self), given[0], given[1], given[2]);
    Py_RETURN_NONE;
  });
}

PyObject* MethodAddLink(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("add_link", 1, "context", "attributes");
  PyObject* given[2];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.add_link", [&]() -> PyObject* {
    if (IsOpen(SpanOf(self), "add_link")) AddLink(SpanOf(self), given[0], given[1], true);
    Py_RETURN_NONE;
  });
}

PyObject* MethodUpdateName(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("update_name", 1, "name");
  PyObject* given[1];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.update_name", [&]() -> PyObject* {
    Span* span = SpanOf(self);
    if (!IsOpen(span, "update_name")) Py_RETURN_NONE;
    const nb::object name = Text(given[0]);
    Py_SETREF(span->name, Py_NewRef(name.ptr()));
    if (!IsRecorded(span)) Py_RETURN_NONE;
    SinkOf(span)->Put(span->writer, ring::RingKind::kSpans, [&] {
      AttributeViews views(SinkOf(span)->keys(), span->writer);
      return span->writer->RecordSpanName(KeyOf(span), views.TextOf(name.ptr()));
    });
    Py_RETURN_NONE;
  });
}

PyObject* MethodSetStatus(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("set_status", 1, "status", "description");
  PyObject* given[2];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.set_status", [&]() -> PyObject* {
    if (IsOpen(SpanOf(self), "set_status")) SetStatus(SpanOf(self), given[0], given[1]);
    Py_RETURN_NONE;
  });
}

PyObject* MethodRecordException(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("record_exception", 1, "exception", "attributes", "timestamp", "escaped");
  PyObject* given[4];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.record_exception", [&]() -> PyObject* {
    if (IsOpen(SpanOf(self), "record_exception")) RecordException(SpanOf(self), given[0], given[1], given[2], IsTrueOr(given[3], false));
    Py_RETURN_NONE;
  });
}

PyObject* MethodEnd(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("end", 0, "end_time");
  PyObject* given[1];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  return Guarded("Span.end", [&]() -> PyObject* {
    EndSpan(SpanOf(self), given[0]);
    Py_RETURN_NONE;
  });
}

PyObject* MethodIsRecording(PyObject* self, PyObject*) { return PyBool_FromLong(!SpanOf(self)->is_ended); }

PyObject* MethodGetSpanContext(PyObject* self, PyObject*) {
  return Guarded("Span.get_span_context", [&] { return ContextOf(SpanOf(self)).release().ptr(); });
}

PyObject* MethodSelf(PyObject* self, PyObject*) { return Py_NewRef(self); }

PyObject* MethodExit(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  return Guarded("Span.__exit__", [&]() -> PyObject* {
    Span* span = SpanOf(self);
    PyObject* exception = count > 1 ? args[1] : Py_None;
    if (exception != Py_None && !span->is_ended) {
      if (span->record_exception) RecordException(span, exception, nullptr, nullptr, true);
      if (span->set_status_on_exception) SetErrorStatus(span, exception);
    }
    EndSpan(span, nullptr);
    Py_RETURN_NONE;
  });
}

PyObject* MethodToJson(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("to_json", 0, "indent");
  PyObject* given[1];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  static PyObject* const usual = PyLong_FromLong(4);
  return PyObject_CallFunctionObjArgs(trace_api.span_to_json, self, given[0] ? given[0] : usual, nullptr);
}

PyObject* Representation(PyObject* self) {
  return Guarded("Span.__repr__", [&] { return PyUnicode_FromFormat("Span(name=%R, context=%R)", SpanOf(self)->name, ContextOf(SpanOf(self)).ptr()); });
}

// --- properties ---

PyObject* GetName(PyObject* self, void*) { return Py_NewRef(SpanOf(self)->name); }
PyObject* GetContext(PyObject* self, void*) { return MethodGetSpanContext(self, nullptr); }
PyObject* GetKind(PyObject* self, void*) { return Py_NewRef(SpanOf(self)->kind); }
PyObject* GetParent(PyObject* self, void*) {
  return Guarded("Span.parent", [&]() -> PyObject* {
    Span* span = SpanOf(self);
    if (!span->has_parent) Py_RETURN_NONE;
    if (!span->parent) {
      span->parent = MakeSpanContext(span->trace_id, span->parent_span_id, span->parent_is_remote, span->parent_trace_flags, span->trace_state).release().ptr();
    }
    return Py_NewRef(span->parent);
  });
}
PyObject* GetStartTime(PyObject* self, void*) { return PyLong_FromUnsignedLongLong(SpanOf(self)->start_time); }
PyObject* GetEndTime(PyObject* self, void*) {
  if (!SpanOf(self)->is_ended) Py_RETURN_NONE;
  return PyLong_FromUnsignedLongLong(SpanOf(self)->end_time);
}
PyObject* GetStatus(PyObject* self, void*) {
  if (SpanOf(self)->status) return Py_NewRef(SpanOf(self)->status);
  return PyObject_CallOneArg(trace_api.status_class, trace_api.status_unset);
}
PyObject* GetAttributes(PyObject* self, void*) {
  return Guarded("Span.attributes", [&] { return PyObject_CallOneArg(trace_api.mapping_proxy, AttributesOf(SpanOf(self))); });
}

// Each item of a list of tuples as `make` makes it.
PyObject* MadeOf(PyObject* list, PyObject* make) {
  const Py_ssize_t size = list ? PyList_GET_SIZE(list) : 0;
  nb::object made = nb::steal(PyTuple_New(size));
  if (!made.is_valid()) return nullptr;
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* item = PyObject_Call(make, PyList_GET_ITEM(list, i), nullptr);
    if (!item) return nullptr;
    PyTuple_SET_ITEM(made.ptr(), i, item);
  }
  return made.release().ptr();
}
PyObject* GetEvents(PyObject* self, void*) { return MadeOf(SpanOf(self)->events, trace_api.make_event); }
PyObject* GetLinks(PyObject* self, void*) { return MadeOf(SpanOf(self)->links, trace_api.make_link); }

PyObject* GetResource(PyObject* self, void*) { return Py_NewRef(SpanOf(self)->tracer->core->resource.ptr()); }
PyObject* GetScope(PyObject* self, void*) { return Py_NewRef(SpanOf(self)->tracer->instrumentation_scope); }
PyObject* GetInstrumentationInfo(PyObject* self, void*) {
  return PyObject_CallOneArg(trace_api.instrumentation_info, SpanOf(self)->tracer->instrumentation_scope);
}
PyObject* GetDroppedAttributes(PyObject* self, void*) { return PyLong_FromUnsignedLong(SpanOf(self)->dropped_attributes); }
PyObject* GetDroppedEvents(PyObject* self, void*) { return PyLong_FromUnsignedLong(SpanOf(self)->dropped_events); }
PyObject* GetDroppedLinks(PyObject* self, void*) { return PyLong_FromUnsignedLong(SpanOf(self)->dropped_links); }

void Deallocate(PyObject* self) {
  Span* span = SpanOf(self);
  if (span->weak_references) PyObject_ClearWeakRefs(self);
  // One place for all, from `dict` to `status`: these are many calls otherwise.
  for (PyObject** object = &span->dict; object <= &span->status; ++object) {
    if (PyObject* owned = *object) Py_DECREF(owned);
  }
  Py_XDECREF(reinterpret_cast<PyObject*>(span->tracer));
  if (free_count < kMostFree) {
    free_spans[free_count++] = span;
  } else {
    PyObject_Free(span);
  }
  Py_DECREF(span_type);
}

#define OTLP_FAST(function) reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS

PyMethodDef methods[] = {
    {"set_attribute", OTLP_FAST(&MethodSetAttribute), "set_attribute($self, key, value)\n--\n\nSets one attribute."},
    {"set_attributes", OTLP_FAST(&MethodSetAttributes), "set_attributes($self, attributes)\n--\n\nSets the attributes of a mapping."},
    {"add_event", OTLP_FAST(&MethodAddEvent), "add_event($self, name, attributes=None, timestamp=None)\n--\n\nAdds an event."},
    {"add_link", OTLP_FAST(&MethodAddLink), "add_link($self, context, attributes=None)\n--\n\nAdds a link to a span."},
    {"update_name", OTLP_FAST(&MethodUpdateName), "update_name($self, name)\n--\n\nGives the span another name."},
    {"set_status", OTLP_FAST(&MethodSetStatus), "set_status($self, status, description=None)\n--\n\nSets the status; OK is final."},
    {"record_exception", OTLP_FAST(&MethodRecordException),
     "record_exception($self, exception, attributes=None, timestamp=None, escaped=False)\n--\n\nAdds an event that describes an exception."},
    {"end", OTLP_FAST(&MethodEnd), "end($self, end_time=None)\n--\n\nEnds the span."},
    {"is_recording", &MethodIsRecording, METH_NOARGS, "is_recording($self)\n--\n\nTrue until the end."},
    {"get_span_context", &MethodGetSpanContext, METH_NOARGS, "get_span_context($self)\n--\n\nWhat children and other processes refer to."},
    {"to_json", OTLP_FAST(&MethodToJson), "to_json($self, indent=4)\n--\n\nThe span as JSON text."},
    {"_readable_span", &MethodSelf, METH_NOARGS, "_readable_span($self)\n--\n\n"},
    {"__enter__", &MethodSelf, METH_NOARGS, "__enter__($self)\n--\n\n"},
    {"__exit__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&MethodExit)), METH_FASTCALL, "__exit__($self, /, *exception)\n--\n\n"},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"name", &GetName, nullptr, nullptr, nullptr},
    {"context", &GetContext, nullptr, nullptr, nullptr},
    {"kind", &GetKind, nullptr, nullptr, nullptr},
    {"parent", &GetParent, nullptr, nullptr, nullptr},
    {"start_time", &GetStartTime, nullptr, nullptr, nullptr},
    {"end_time", &GetEndTime, nullptr, nullptr, nullptr},
    {"status", &GetStatus, nullptr, nullptr, nullptr},
    {"attributes", &GetAttributes, nullptr, nullptr, nullptr},
    {"events", &GetEvents, nullptr, nullptr, nullptr},
    {"links", &GetLinks, nullptr, nullptr, nullptr},
    {"resource", &GetResource, nullptr, nullptr, nullptr},
    {"instrumentation_scope", &GetScope, nullptr, nullptr, nullptr},
    {"instrumentation_info", &GetInstrumentationInfo, nullptr, nullptr, nullptr},
    {"dropped_attributes", &GetDroppedAttributes, nullptr, nullptr, nullptr},
    {"dropped_events", &GetDroppedEvents, nullptr, nullptr, nullptr},
    {"dropped_links", &GetDroppedLinks, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(Span, dict), READONLY, nullptr},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Span, weak_references), READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&Deallocate)},
    {Py_tp_repr, reinterpret_cast<void*>(&Representation)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_tp_doc, const_cast<char*>("A span that is recorded natively; also what processors and exporters read.")},
    {0, nullptr},
};

PyType_Spec spec = {
    .name = "otlp_arrow_library._native.Span",
    .basicsize = sizeof(Span),
    .itemsize = 0,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

}  // namespace

PyTypeObject* MakeSpanType() {
  span_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!span_type) throw nb::python_error();
  return span_type;
}

}  // namespace otlp_arrow::python
