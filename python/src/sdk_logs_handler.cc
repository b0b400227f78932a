#include "sdk_logs_handler.h"

#include <algorithm>
#include <cmath>
#include <string_view>

namespace otlp_arrow::python {
namespace {

const Name kDict("__dict__"), kCreated("created"), kLevelNumber("levelno"), kLevelName("levelname"), kMessage("msg"), kArguments("args"),
    kPath("pathname"), kFunction("funcName"), kLine("lineno"), kException("exc_info"), kFormatter("formatter"), kBodyOf("_body_of"),
    kHasCode("_log_code_attributes"), kNotAttributes("_not_attributes"), kEventName("otel.event.name"), kOldEventName("event.name"),
    kCodePath("code.file.path"), kCodeFunction("code.function.name"), kCodeLine("code.line.number"), kWarn("WARN"), kFatal("FATAL");

// DEBUG, INFO, WARN and ERROR have four numbers each; of the ten levels of `logging` the last seven share the fourth.
int SeverityOf(long level) {
  if (level < 10) return 0;
  if (level >= 50) return static_cast<int>(std::min(level - 50, 3L)) + 21;
  return static_cast<int>(level / 10 - 1) * 4 + 5 + static_cast<int>(std::min(level % 10, 3L));
}

PyObject* SeverityText(PyObject* level_name) {
  if (!level_name || !PyUnicode_Check(level_name)) return level_name;
  const Utf8 text(level_name);
  if (text.view() == "WARNING") return kWarn.get();
  if (text.view() == "CRITICAL") return kFatal.get();
  return level_name;
}

class Emitting {
 public:
  Emitting() : is_outermost_(!emitting_) { emitting_ = true; }
  ~Emitting() {
    if (is_outermost_) emitting_ = false;
  }
  bool is_outermost() const { return is_outermost_; }

 private:
  static thread_local bool emitting_;
  bool is_outermost_;
};
thread_local bool Emitting::emitting_ = false;

// What a formatter makes of it, or the message; what is no text and has no arguments stays what it is.
nb::object BodyOf(PyObject* handler, PyObject* record, PyObject* fields) {
  PyObject* message = Item(fields, kMessage);
  PyObject* arguments = Item(fields, kArguments);
  const bool has_arguments = arguments && arguments != Py_None && !(PyTuple_Check(arguments) && PyTuple_GET_SIZE(arguments) == 0);
  if (message && PyUnicode_CheckExact(message) && !has_arguments && Attr(handler, kFormatter).is_none()) return nb::borrow(message);
  nb::object body = nb::steal(PyObject_CallMethodOneArg(handler, kBodyOf.get(), record));
  if (!body.is_valid()) throw nb::python_error();
  return body;
}

void Set(PyObject* attributes, const Name& name, PyObject* value) {
  if (PyDict_SetItem(attributes, name.get(), value ? value : Py_None) != 0) throw nb::python_error();
}

// What `extra` brought, and where the code is.
nb::object AttributesOf(PyObject* handler, PyObject* fields, nb::object* event_name) {
  nb::object attributes = nb::steal(PyDict_New());
  const nb::object not_attributes = Attr(handler, kNotAttributes);
  if (!attributes.is_valid()) throw nb::python_error();
  PyObject *key, *value;
  Py_ssize_t position = 0;
  nb::object old_event_name;
  while (PyDict_Next(fields, &position, &key, &value)) {
    // The keys are texts whose hash is known: no Python code runs here.
    if (!PyUnicode_CheckExact(key)) continue;
    const int is_none = PySet_Contains(not_attributes.ptr(), key);
    if (is_none < 0) throw nb::python_error();
    if (is_none) continue;
    if (PyUnicode_Compare(key, kEventName.get()) == 0) {
      *event_name = nb::borrow(value);
    } else if (PyUnicode_Compare(key, kOldEventName.get()) == 0) {
      old_event_name = nb::borrow(value);
    } else if (PyDict_SetItem(attributes.ptr(), key, value) != 0) {
      throw nb::python_error();
    }
  }
  if (!event_name->is_valid()) *event_name = old_event_name;
  if (Attr(handler, kHasCode).ptr() == Py_True) {
    Set(attributes.ptr(), kCodePath, Item(fields, kPath));
    Set(attributes.ptr(), kCodeFunction, Item(fields, kFunction));
    Set(attributes.ptr(), kCodeLine, Item(fields, kLine));
  }
  return attributes;
}

}  // namespace

bool EmitLogging(Logger* logger, PyObject* handler, PyObject* record) {
  const Emitting emitting;
  if (!emitting.is_outermost()) return true;
  const nb::object fields = Attr(record, kDict);
  if (!PyDict_CheckExact(fields.ptr())) return false;
  PyObject* exception = Item(fields.ptr(), kException);
  PyObject* created = Item(fields.ptr(), kCreated);
  PyObject* level = Item(fields.ptr(), kLevelNumber);
  if (exception && exception != Py_None) return false;
  if (!created || !PyFloat_CheckExact(created) || !level || !PyLong_CheckExact(level)) return false;
  const double nanoseconds = PyFloat_AS_DOUBLE(created) * 1e9;
  if (!(nanoseconds >= 0 && nanoseconds < 9e18)) return false;
  int overflow = 0;
  const nb::object timestamp = nb::steal(PyLong_FromLongLong(static_cast<int64_t>(nanoseconds)));
  const nb::object severity = nb::steal(PyLong_FromLong(SeverityOf(PyLong_AsLongAndOverflow(level, &overflow))));
  const nb::object body = BodyOf(handler, record, fields.ptr());
  nb::object event_name;
  const nb::object attributes = AttributesOf(handler, fields.ptr(), &event_name);
  const nb::object text = nb::borrow(SeverityText(Item(fields.ptr(), kLevelName)));
  LogFields log;
  log.timestamp = timestamp.ptr();
  log.severity_number = severity.ptr();
  log.severity_text = text.ptr();
  log.body = body.ptr();
  log.attributes = attributes.ptr();
  log.event_name = event_name.ptr();
  logger->Emit(log, SpanIdsOf(nullptr));
  return true;
}

}  // namespace otlp_arrow::python
