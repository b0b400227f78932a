#include "sdk_logs_logger.h"

#include <algorithm>
#include <utility>

#include "bindings.h"
#include "mmap_arguments.h"
#include "otlp_arrow/telemetry.h"
#include "sdk_logs_handler.h"
#include "sdk_log.h"

namespace otlp_arrow::python {
namespace {

const Name kValue("value"), kLogRecord("log_record"), kContext("context"), kTraceId("trace_id"), kTimestamp("timestamp"),
    kObservedTimestamp("observed_timestamp"), kSeverityNumber("severity_number"), kSeverityText("severity_text"), kBody("body"),
    kAttributes("attributes"), kEventName("event_name"), kException("exception");

constexpr int64_t kMostSeverity = 24;

bool IsNothing(PyObject* value) { return !value || value == Py_None; }

// Nanoseconds since 1970; 0, after a warning, for what is none.
uint64_t TimeOf(PyObject* time, const char* field) {
  if (IsNothing(time)) return 0;
  int64_t nanoseconds = -1;
  if (PyLong_Check(time) && ToInt64(time, &nanoseconds) && nanoseconds >= 0) return static_cast<uint64_t>(nanoseconds);
  WarnOfMistake("a log record's %s is %R; left out, give nanoseconds since 1970 as an int", field, time);
  return 0;
}

// Of a SeverityNumber of the API, or an int.
int32_t SeverityOf(PyObject* severity) {
  if (IsNothing(severity)) return 0;
  nb::object value = PyLong_Check(severity) ? nb::borrow(severity) : OptionalAttr(severity, kValue);
  int64_t number = -1;
  if (value.is_valid() && PyLong_Check(value.ptr()) && ToInt64(value.ptr(), &number) && number >= 0 && number <= kMostSeverity) {
    return static_cast<int32_t>(number);
  }
  WarnOfMistake("a log record's severity_number is %R; left out, give a SeverityNumber", severity);
  return 0;
}

// What a text field says; str() of what is no text.
nb::object TextObject(PyObject* text) {
  if (IsNothing(text)) return {};
  return PyUnicode_CheckExact(text) ? nb::borrow(text) : SafeStr(text);
}

}  // namespace

// What the program says goes before what the exception says.
nb::object Logger::AttributesOf(const LogFields& fields, uint32_t* dropped) {
  if (IsNothing(fields.exception)) {
    if (IsNothing(fields.attributes)) return {};
    if (IsClean(fields.attributes, limits_)) return nb::borrow(fields.attributes);
    return CleanAttributes(fields.attributes, limits_, dropped);
  }
  nb::object attributes = CleanAttributes(IsNothing(fields.attributes) ? Py_None : fields.attributes, limits_, dropped);
  const nb::object described = nb::steal(PyObject_CallOneArg(describe_exception_.ptr(), fields.exception));
  if (!described.is_valid()) throw nb::python_error();
  PyObject *key, *value;
  Py_ssize_t position = 0;
  while (PyDict_Next(described.ptr(), &position, &key, &value)) {
    if (PyDict_Contains(attributes.ptr(), key) != 0) continue;
    PutAttribute(attributes.ptr(), key, CleanValue(value, limits_.max_length).ptr(), limits_, dropped);
  }
  return attributes;
}

void Logger::Emit(const LogFields& fields, const SpanIds& ids) {
  if (scope_->is_closed()) return;
  const sdk::Binding binding = scope_->definition()->Get();
  if (!binding) return;
  uint32_t dropped = 0;
  const nb::object attributes = AttributesOf(fields, &dropped);
  const nb::object body = IsNothing(fields.body) ? nb::none() : CleanValue(fields.body, -1);
  const nb::object severity_text = TextObject(fields.severity_text);
  const nb::object event_name = TextObject(fields.event_name);
  const ring::SpanContext span = ids.context();
  ring::Event event;
  event.is_log_record = true;
  event.scope = binding.ref;
  event.time_unix_nano = TimeOf(fields.timestamp, "timestamp");
  event.observed_time_unix_nano = IsNothing(fields.observed_timestamp) ? UnixNanoNow() : TimeOf(fields.observed_timestamp, "observed_timestamp");
  event.severity_number = SeverityOf(fields.severity_number);
  if (ids.is_valid()) event.context = &span;
  sink_->Put(binding.writer, ring::RingKind::kEvents, [&] {
    AttributeViews views(sink_->keys(), binding.writer);
    // The program may have changed its dictionary while this waited for room.
    uint32_t dropped_now = dropped;
    nb::object cleaned = attributes;
    if (cleaned.is_valid() && !IsClean(cleaned.ptr(), limits_)) cleaned = CleanAttributes(cleaned.ptr(), limits_, &dropped_now);
    ring::Event mine = event;
    if (severity_text.is_valid()) mine.severity_text = views.TextOf(severity_text.ptr());
    if (event_name.is_valid() && PyUnicode_GET_LENGTH(event_name.ptr()) > 0) mine.event_name = views.KeyOf(event_name.ptr());
    mine.body = views.ValueOf(body.ptr());
    mine.attributes = views.Of(cleaned.ptr());
    mine.dropped_attributes_count = dropped_now;
    return binding.writer->RecordEvent(mine);
  });
}

// --- The type of Python ---

namespace {

struct LoggerObject {
  PyObject_HEAD
  Logger* logger;        // null until _open
  PyObject* processors;  // a list; with anything in it records go to `_emit_processed`
};

LoggerObject* ObjectOf(PyObject* self) { return reinterpret_cast<LoggerObject*>(self); }

PyObject* Open(PyObject* self, PyObject* args) noexcept {
  try {
    PyObject *scope_object, *describe, *processors;
    AttributeLimits limits;
    if (!PyArg_ParseTuple(args, "OOO!nn:_open", &scope_object, &describe, &PyList_Type, &processors, &limits.max_count, &limits.max_length)) {
      return nullptr;
    }
    auto logger = std::make_unique<Logger>(nb::borrow(scope_object), nb::borrow(describe), limits);
    delete std::exchange(ObjectOf(self)->logger, logger.release());
    Py_XDECREF(std::exchange(ObjectOf(self)->processors, Py_NewRef(processors)));
    Py_RETURN_NONE;
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_TypeError, error.what());
  }
  return nullptr;
}

// The fields of a record object, kept for as long as this lives.
class RecordFields {
 public:
  explicit RecordFields(PyObject* given) : record_(nb::borrow(given)) {
    // The SDK's own record has the API's inside.
    if (nb::object inner = OptionalAttr(given, kLogRecord); inner.is_valid()) record_ = std::move(inner);
    fields.timestamp = Get(kTimestamp);
    fields.observed_timestamp = Get(kObservedTimestamp);
    fields.severity_number = Get(kSeverityNumber);
    fields.severity_text = Get(kSeverityText);
    fields.body = Get(kBody);
    fields.attributes = Get(kAttributes);
    fields.event_name = Get(kEventName);
    fields.exception = Get(kException);
  }
  SpanIds ids() const { return SpanIdsIn(record_.ptr()); }

  LogFields fields;

 private:
  PyObject* Get(const Name& name) {
    kept_[count_] = AttrOrNone(record_.ptr(), name);
    return kept_[count_++].ptr();
  }

  nb::object record_;
  std::array<nb::object, 8> kept_;
  size_t count_ = 0;
};

const Name kEmitProcessed("_emit_processed");

PyObject* Emit(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) noexcept {
  static const Parameter parameters[] = {{Name("record")},        {Name("timestamp")},     {Name("observed_timestamp")}, {Name("context")},
                                         {Name("severity_number")}, {Name("severity_text")}, {Name("body")},               {Name("attributes")},
                                         {Name("event_name")},      {Name("exception")}};
  static const Signature signature = {"emit", parameters, 1, 0};
  PyObject* given[10];
  try {
    signature.Parse(args, nargs, kwnames, given);
  } catch (nb::python_error& error) {
    error.restore();
    return nullptr;
  }
  return Guarded("a logger", [&]() -> PyObject* {
    LoggerObject* object = ObjectOf(self);
    if (!object->logger) Py_RETURN_NONE;
    if (PyList_GET_SIZE(object->processors) > 0) [[unlikely]] {
      const nb::object method = Attr(self, kEmitProcessed);
      return PyObject_Vectorcall(method.ptr(), args, static_cast<size_t>(nargs), kwnames);
    }
    if (!IsNothing(given[0])) {
      const RecordFields record(given[0]);
      object->logger->Emit(record.fields, record.ids());
    } else {
      object->logger->Emit({.timestamp = given[1], .observed_timestamp = given[2], .severity_number = given[4], .severity_text = given[5],
                            .body = given[6], .attributes = given[7], .event_name = given[8], .exception = given[9]},
                           SpanIdsOf(given[3]));
    }
    Py_RETURN_NONE;
  });
}

// Past the processors.
PyObject* EmitRecord(PyObject* self, PyObject* given) noexcept {
  return Guarded("a logger", [&]() -> PyObject* {
    const RecordFields record(given);
    if (ObjectOf(self)->logger) ObjectOf(self)->logger->Emit(record.fields, record.ids());
    Py_RETURN_NONE;
  });
}

// (handler, record): False where the handler has to do it in Python.
PyObject* EmitLogged(PyObject* self, PyObject* const* args, Py_ssize_t nargs) noexcept {
  if (nargs != 2) {
    PyErr_SetString(PyExc_TypeError, "_emit_logged takes a handler and a record");
    return nullptr;
  }
  try {
    LoggerObject* object = ObjectOf(self);
    if (!object->logger || PyList_GET_SIZE(object->processors) > 0) Py_RETURN_FALSE;
    return PyBool_FromLong(EmitLogging(object->logger, args[0], args[1]));
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

void Deallocate(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete ObjectOf(self)->logger;
  Py_XDECREF(ObjectOf(self)->processors);
  type->tp_free(self);
  Py_DECREF(type);
}

}  // namespace

void BindSdkLogs(nb::module_& m) {
  static PyMethodDef methods[] = {
      {"_open", Open, METH_VARARGS, "_open($self, scope, describe_exception, processors, max_attributes, max_attribute_length, /)\n--\n\n"},
      {"emit", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(&Emit)), METH_FASTCALL | METH_KEYWORDS,
       "emit($self, /, record=None, *, timestamp=None, observed_timestamp=None, context=None, severity_number=None, severity_text=None, "
       "body=None, attributes=None, event_name=None, exception=None)\n--\n\nRecords a log record: an object, or one of the given fields."},
      {"_emit_record", EmitRecord, METH_O, "_emit_record($self, record, /)\n--\n\nPast the processors."},
      {"_emit_logged", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(&EmitLogged)), METH_FASTCALL,
       "_emit_logged($self, handler, record, /)\n--\n\nA record of `logging`; False where the handler has to do it in Python."},
      {nullptr, nullptr, 0, nullptr}};
  static PyType_Slot slots[] = {{Py_tp_methods, methods},
                                {Py_tp_dealloc, reinterpret_cast<void*>(&Deallocate)},
                                {Py_tp_new, reinterpret_cast<void*>(&PyType_GenericNew)},
                                {Py_tp_doc, const_cast<char*>("What emits log records.")},
                                {0, nullptr}};
  static PyType_Spec spec = {"otlp_arrow_library._native.Logger", sizeof(LoggerObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  nb::object type = nb::steal(PyType_FromSpec(&spec));
  if (!type.is_valid()) throw nb::python_error();
  m.attr("Logger") = type;
}

}  // namespace otlp_arrow::python
