#include "sdk_current_span.h"

#include <new>
#include <utility>

#include "sdk_log.h"
#include "sdk_span.h"

namespace otlp_arrow::python {
namespace {

constexpr size_t kMostFree = 64;

// Arguments are owned here.
struct CurrentSpan {
  PyObject_HEAD
  Tracer* tracer;
  StartArguments arguments;
  PyObject* span;  // from the entry to the exit
  Attachment attachment;

  static constexpr PyObject* StartArguments::*kArguments[] = {
      &StartArguments::name,       &StartArguments::context,          &StartArguments::kind,
      &StartArguments::attributes, &StartArguments::links,            &StartArguments::start_time,
      &StartArguments::record_exception, &StartArguments::set_status_on_exception, &StartArguments::end_on_exit,
  };
};

PyTypeObject* current_span_type = nullptr;
CurrentSpan* free_objects[kMostFree];
size_t free_count = 0;

CurrentSpan* Of(PyObject* self) { return reinterpret_cast<CurrentSpan*>(self); }

PyObject* Enter(PyObject* self, PyObject*) {
  CurrentSpan* current = Of(self);
  if (current->span) {
    PyErr_SetString(PyExc_RuntimeError, "start_as_current_span: this context manager is entered already; call start_as_current_span for each span");
    return nullptr;
  }
  nb::object span;
  try {
    span = StartSpan(current->tracer, current->arguments);
    const nb::object before = CurrentContext();
    current->attachment.Attach(ContextWith(before.ptr(), span.ptr()));
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  // A span that could not be made the current one is a span still.
  if (PyErr_Occurred() && (!span.is_valid() || !LogException("start_as_current_span"))) return nullptr;
  current->span = Py_NewRef(span.ptr());
  return span.release().ptr();
}

// As the API's use_span: exceptions that are no Exception (GeneratorExit, KeyboardInterrupt) are no errors of the span.
void TellException(CurrentSpan* current, Span* span, PyObject* exception) {
  if (span->is_ended || !PyObject_TypeCheck(exception, reinterpret_cast<PyTypeObject*>(PyExc_Exception))) return;
  if (IsTrueOr(current->arguments.record_exception, true)) RecordException(span, exception, nullptr, nullptr, false);
  if (IsTrueOr(current->arguments.set_status_on_exception, true)) SetErrorStatus(span, exception);
}

PyObject* Exit(PyObject* self, PyObject* const* args, Py_ssize_t count) {
  CurrentSpan* current = Of(self);
  current->attachment.Detach();
  const nb::object span = nb::steal(std::exchange(current->span, nullptr));
  if (!span.is_valid()) Py_RETURN_FALSE;
  PyObject* result = Guarded("start_as_current_span", [&]() -> PyObject* {
    if (!IsSpan(span.ptr())) Py_RETURN_NONE;  // it records nothing
    auto* native = reinterpret_cast<Span*>(span.ptr());
    if (count > 1 && args[1] != Py_None) TellException(current, native, args[1]);
    if (IsTrueOr(current->arguments.end_on_exit, true)) EndSpan(native, nullptr);
    Py_RETURN_NONE;
  });
  if (!result) return nullptr;
  Py_DECREF(result);
  Py_RETURN_FALSE;
}

PyObject* Recreate(PyObject* self, PyObject*) {
  return Guarded("start_as_current_span", [&] { return MakeCurrentSpan(Of(self)->tracer, Of(self)->arguments).release().ptr(); });
}

PyObject* Decorate(PyObject* self, PyObject* args, PyObject* keywords) {
  PyObject* function = nullptr;
  static const char* names[] = {"func", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:start_as_current_span", const_cast<char**>(names), &function)) return nullptr;
  const nb::object recreate = nb::steal(PyObject_GetAttrString(self, "_recreate_cm"));
  if (!recreate.is_valid()) return nullptr;
  return PyObject_CallFunctionObjArgs(trace_api.decorate, function, recreate.ptr(), nullptr);
}

void Deallocate(PyObject* self) {
  CurrentSpan* current = Of(self);
  for (auto argument : CurrentSpan::kArguments) {
    if (PyObject* owned = current->arguments.*argument) Py_DECREF(owned);
  }
  Py_XDECREF(current->span);
  Py_DECREF(current->tracer);
  current->attachment.~Attachment();
  if (free_count < kMostFree) {
    free_objects[free_count++] = current;
  } else {
    PyObject_Free(current);
  }
  Py_DECREF(current_span_type);
}

PyMethodDef methods[] = {
    {"__enter__", &Enter, METH_NOARGS, "__enter__($self)\n--\n\nStarts the span and makes it the current one."},
    {"__exit__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&Exit)), METH_FASTCALL,
     "__exit__($self, /, *exception)\n--\n\nEnds the span; the one before is the current one again."},
    {"_recreate_cm", &Recreate, METH_NOARGS, "_recreate_cm($self)\n--\n\n"},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&Deallocate)},
    {Py_tp_call, reinterpret_cast<void*>(&Decorate)},
    {Py_tp_methods, methods},
    {Py_tp_doc, const_cast<char*>("A span that is started and made the current one by a with statement or a decorator.")},
    {0, nullptr},
};

PyType_Spec spec = {
    .name = "otlp_arrow_library._native.CurrentSpan",
    .basicsize = sizeof(CurrentSpan),
    .itemsize = 0,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

}  // namespace

nb::object MakeCurrentSpan(Tracer* tracer, const StartArguments& arguments) {
  void* memory = free_count > 0 ? free_objects[--free_count] : PyObject_Malloc(sizeof(CurrentSpan));
  if (!memory) throw std::bad_alloc();
  auto* current = new (memory) CurrentSpan{};
  PyObject_Init(reinterpret_cast<PyObject*>(current), current_span_type);
  current->tracer = reinterpret_cast<Tracer*>(Py_NewRef(reinterpret_cast<PyObject*>(tracer)));
  current->arguments = arguments;
  for (auto argument : CurrentSpan::kArguments) Py_XINCREF(current->arguments.*argument);
  return nb::steal(reinterpret_cast<PyObject*>(current));
}

PyTypeObject* MakeCurrentSpanType() {
  current_span_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!current_span_type) throw nb::python_error();
  return current_span_type;
}

}  // namespace otlp_arrow::python
