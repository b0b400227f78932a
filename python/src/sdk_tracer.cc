#include "sdk_tracer.h"

#include <cstring>
#include <new>
#include <utility>

#include "otlp_arrow/sdk/ids.h"
#include "sdk_arguments.h"
#include "sdk_current_span.h"
#include "sdk_log.h"
#include "sdk_span.h"

namespace otlp_arrow::python {
namespace {

const Name kGetSpanContext("get_span_context"), kGenerateTraceId("generate_trace_id"), kGenerateSpanId("generate_span_id"),
    kContext("context"), kAttributes("attributes");
constexpr uint8_t kSampledFlag = 1, kRandomTraceIdFlag = 2;

PyTypeObject* tracer_type = nullptr;

// Where a span that is about to start stands.
struct Place {
  nb::object parent_context;  // SpanContext of a parent that is no native span
  SpanContextParts parent;
  bool has_parent() const { return parent.is_valid; }
};

// The span of a context: of the current one where none is given.
nb::object SpanIn(PyObject* given) {
  nb::object context;
  if (!given || given == Py_None) {
    context = CurrentContext();
  } else {
    context = nb::borrow(given);
    if (!PyDict_Check(given)) {
      WarnOfMistake("start_span: the context is of the type %s, and must be a Context: the current one is taken", Py_TYPE(given)->tp_name);
      context = CurrentContext();
    }
  }
  PyObject* span = PyDict_Check(context.ptr()) ? PyDict_GetItemWithError(context.ptr(), trace_api.span_key) : nullptr;
  if (!span && PyErr_Occurred()) throw nb::python_error();
  return nb::borrow(span);
}

void FindPlace(PyObject* given_context, Place* place) {
  const nb::object found = SpanIn(given_context);
  if (!found.is_valid()) return;
  if (IsSpan(found.ptr())) [[likely]] {
    const auto* span = reinterpret_cast<const Span*>(found.ptr());
    std::memcpy(place->parent.trace_id, span->trace_id, sizeof(span->trace_id));
    std::memcpy(place->parent.span_id, span->span_id, sizeof(span->span_id));
    place->parent.trace_flags = span->trace_flags;
    place->parent.is_valid = true;
    if (span->trace_state) place->parent.trace_state = nb::borrow(span->trace_state);
    return;
  }
  const int is_span = PyObject_IsInstance(found.ptr(), trace_api.span_class);
  if (is_span < 0) SwallowError();
  if (is_span <= 0) return;
  nb::object context = nb::steal(PyObject_CallMethodNoArgs(found.ptr(), kGetSpanContext.get()));
  if (!context.is_valid()) {
    SwallowError();
    return;
  }
  place->parent = PartsOf(context.ptr());
  if (place->parent.is_valid) place->parent_context = std::move(context);
}

// An id of a generator that is not ours; where it fails, ours.
template <class Id>
Id AskedId(const TraceCore& core, const Name& method, Id (*otherwise)() noexcept, const char* doing) {
  const nb::object number = nb::steal(PyObject_CallMethodNoArgs(core.id_generator.ptr(), method.get()));
  try {
    if (!number.is_valid()) throw nb::python_error();
    Id id;
    ToBigEndian(number.ptr(), id.bytes.data(), id.bytes.size(), doing);
    if (!id.empty()) return id;
    WarnOfMistake("%s gave 0, which stands for no id: a random one is taken", doing);
  } catch (nb::python_error& error) {
    error.restore();
    if (!LogException(doing)) throw nb::python_error();
  } catch (const Fault& fault) {
    WarnOfMistake("%s: %s; a random one is taken", doing, fault.what());
  }
  return otherwise();
}

void MakeTraceId(const TraceCore& core, uint8_t* out) {
  const TraceId id = core.id_generator.is_valid() ? AskedId<TraceId>(core, kGenerateTraceId, &sdk::RandomTraceId, "generate_trace_id of the id generator")
                                                  : sdk::RandomTraceId();
  std::memcpy(out, id.bytes.data(), id.bytes.size());
}
void MakeSpanId(const TraceCore& core, uint8_t* out) {
  const SpanId id = core.id_generator.is_valid() ? AskedId<SpanId>(core, kGenerateSpanId, &sdk::RandomSpanId, "generate_span_id of the id generator")
                                                 : sdk::RandomSpanId();
  std::memcpy(out, id.bytes.data(), id.bytes.size());
}

nb::object NonRecording(PyObject* context) {
  nb::object span = nb::steal(PyObject_CallOneArg(trace_api.non_recording_span, context));
  if (!span.is_valid()) throw nb::python_error();
  return span;
}

// After a shutdown: what stands above goes on to be the parent of what comes.
nb::object Nothing(const Place& place) {
  if (place.parent_context.is_valid()) return NonRecording(place.parent_context.ptr());
  if (!place.has_parent()) return NonRecording(trace_api.invalid_span_context);
  const SpanContextParts& parent = place.parent;
  return NonRecording(MakeSpanContext(parent.trace_id, parent.span_id, parent.is_remote, parent.trace_flags, parent.trace_state.ptr()).ptr());
}

void AddLinks(Span* span, PyObject* links) {
  if (!links || links == Py_None || (PyTuple_CheckExact(links) && PyTuple_GET_SIZE(links) == 0)) [[likely]] return;
  const nb::object all = nb::steal(PySequence_Tuple(links));
  if (!all.is_valid()) {
    SwallowError();
    WarnOfMistake("start_span: the links are of the type %s, and must be a sequence of Link: they are left out", Py_TYPE(links)->tp_name);
    return;
  }
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(all.ptr()); ++i) {
    PyObject* link = PyTuple_GET_ITEM(all.ptr(), i);
    const nb::object context = AttrOrNone(link, kContext);
    const nb::object attributes = AttrOrNone(link, kAttributes);
    if (context.is_none()) {
      WarnOfMistake("start_span: a link is of the type %s, and must be a Link: it is left out", Py_TYPE(link)->tp_name);
    } else {
      AddLink(span, context.ptr(), attributes.ptr(), true);
    }
  }
}

nb::object SpanName(PyObject* name) {
  if (PyUnicode_CheckExact(name)) [[likely]] return nb::borrow(name);
  const nb::object text = SafeStr(name);
  if (!text.is_valid()) throw nb::python_error();
  nb::object exact = nb::steal(PyUnicode_FromObject(text.ptr()));
  if (!exact.is_valid()) throw nb::python_error();
  return exact;
}

PyObject* KindOr(PyObject* kind) {
  PyObject* const internal = PyTuple_GET_ITEM(trace_api.span_kinds, 0);
  if (!kind || kind == internal || kind == Py_None) return internal;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(trace_api.span_kinds); ++i) {
    if (PyTuple_GET_ITEM(trace_api.span_kinds, i) == kind) return kind;
  }
  WarnOfMistake("start_span: the kind is %R, and must be a SpanKind: INTERNAL is taken", kind);
  return internal;
}

PyObject* OrNone(PyObject* object) { return object ? object : Py_None; }

nb::object Start(Tracer* tracer, const StartArguments& arguments) {
  const TraceCore& core = *tracer->core;
  Place place;
  FindPlace(arguments.context, &place);
  sdk::Binding binding;
  if (tracer->scope) binding = tracer->scope->Get();
  if (core.is_shut_down || (tracer->scope && !binding && !core.processors.is_valid())) [[unlikely]] return Nothing(place);

  uint8_t trace_id[16];
  if (place.has_parent()) {
    std::memcpy(trace_id, place.parent.trace_id, sizeof(trace_id));
  } else {
    MakeTraceId(core, trace_id);
  }
  const nb::object name = SpanName(arguments.name);
  PyObject* kind = KindOr(arguments.kind);
  SamplingOutcome sampling;
  const bool is_recorded =
      place.has_parent() ? (place.parent.trace_flags & kSampledFlag) != 0 && !place.parent.is_remote && core.sampler->records_below_sampled()
                         : core.sampler->records_roots();
  if (!is_recorded) {
    static PyObject* const no_links = PyTuple_New(0);
    sampling = core.sampler->Decide({OrNone(arguments.context), place.has_parent() ? &place.parent : nullptr, trace_id, name.ptr(), kind,
                                     OrNone(arguments.attributes), arguments.links && arguments.links != Py_None ? arguments.links : no_links});
  }
  const bool is_random = place.has_parent() ? (place.parent.trace_flags & kRandomTraceIdFlag) != 0 : core.trace_ids_are_random;
  const uint8_t flags = (sampling.decision == SamplingDecision::kRecordAndSample ? kSampledFlag : 0) | (is_random ? kRandomTraceIdFlag : 0);
  PyObject* trace_state = sampling.has_own ? sampling.trace_state.ptr() : place.parent.trace_state.ptr();
  if (trace_state == Py_None || trace_state == trace_api.default_trace_state) trace_state = nullptr;
  uint8_t span_id[8];
  MakeSpanId(core, span_id);
  if (sampling.decision == SamplingDecision::kDrop) return NonRecording(MakeSpanContext(trace_id, span_id, false, flags, trace_state).ptr());

  Span* span = AllocateSpan();
  nb::object owner = nb::steal(reinterpret_cast<PyObject*>(span));
  span->tracer = reinterpret_cast<Tracer*>(Py_NewRef(reinterpret_cast<PyObject*>(tracer)));
  span->name = Py_NewRef(name.ptr());
  span->kind = Py_NewRef(kind);
  std::memcpy(span->trace_id, trace_id, sizeof(trace_id));
  std::memcpy(span->span_id, span_id, sizeof(span_id));
  span->trace_flags = flags;
  span->trace_state = Py_XNewRef(trace_state);
  span->record_exception = IsTrueOr(arguments.record_exception, true);
  span->set_status_on_exception = IsTrueOr(arguments.set_status_on_exception, true);
  if (place.has_parent()) {
    span->has_parent = true;
    span->parent_is_remote = place.parent.is_remote;
    span->parent_trace_flags = place.parent.trace_flags;
    std::memcpy(span->parent_span_id, place.parent.span_id, sizeof(span->parent_span_id));
    span->parent = place.parent_context.release().ptr();
    if (!span->parent && place.parent.trace_state.ptr() != trace_state) {
      span->parent = MakeSpanContext(trace_id, place.parent.span_id, false, place.parent.trace_flags, place.parent.trace_state.ptr()).release().ptr();
    }
  }
  PyObject* attributes = sampling.has_own ? sampling.attributes.ptr() : arguments.attributes;
  if (attributes && attributes != Py_None) span->attributes = CleanAttributes(attributes, core.limits.span, &span->dropped_attributes).release().ptr();
  span->start_time = TimeOr(arguments.start_time, "start_time");
  if (sampling.decision == SamplingDecision::kRecordAndSample && binding) {
    span->writer = binding.writer;
    span->scope = binding.ref;
    span->epoch = core.sink->epoch();
    RecordStart(span);
  }
  AddLinks(span, arguments.links);
  if (core.processors.is_valid()) [[unlikely]] core.TellStart(owner.ptr(), arguments.context);
  return owner;
}

}  // namespace

nb::object StartSpan(Tracer* tracer, const StartArguments& arguments) {
  try {
    return Start(tracer, arguments);
  } catch (nb::python_error& error) {
    error.restore();
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  }
  if (!LogException("start_span")) throw nb::python_error();
  return NonRecording(trace_api.invalid_span_context);
}

namespace {

Tracer* Of(PyObject* self) { return reinterpret_cast<Tracer*>(self); }

PyObject* MethodStartSpan(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("start_span", 1, "name", "context", "kind", "attributes", "links", "start_time", "record_exception",
                                   "set_status_on_exception");
  PyObject* given[8];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  try {
    return StartSpan(Of(self), {given[0], given[1], given[2], given[3], given[4], given[5], given[6], given[7]}).release().ptr();
  } catch (nb::python_error& error) {
    error.restore();
  }
  return nullptr;
}

PyObject* MethodStartAsCurrentSpan(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) {
  static const ArgumentNames names("start_as_current_span", 1, "name", "context", "kind", "attributes", "links", "start_time", "record_exception",
                                   "set_status_on_exception", "end_on_exit");
  PyObject* given[9];
  if (!names.Parse(args, count, keywords, given)) return nullptr;
  try {
    return MakeCurrentSpan(Of(self), {given[0], given[1], given[2], given[3], given[4], given[5], given[6], given[7], given[8]}).release().ptr();
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  }
}

PyObject* GetResource(PyObject* self, void*) { return Py_NewRef(Of(self)->core->resource.ptr()); }
PyObject* GetScope(PyObject* self, void*) { return Py_NewRef(Of(self)->instrumentation_scope); }
PyObject* GetCore(PyObject* self, void*) { return Py_NewRef(Of(self)->core_object); }

void Deallocate(PyObject* self) {
  Tracer* tracer = Of(self);
  Py_XDECREF(tracer->core_object);
  Py_XDECREF(tracer->scope_object);
  Py_XDECREF(tracer->instrumentation_scope);
  PyObject_Free(tracer);
  Py_DECREF(tracer_type);
}

#define OTLP_FAST(function) reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL | METH_KEYWORDS

PyMethodDef methods[] = {
    {"start_span", OTLP_FAST(&MethodStartSpan),
     "start_span($self, name, context=None, kind=None, attributes=None, links=None, start_time=None, record_exception=True, "
     "set_status_on_exception=True)\n--\n\nStarts a span; the current one stays the current one."},
    {"start_as_current_span", OTLP_FAST(&MethodStartAsCurrentSpan),
     "start_as_current_span($self, name, context=None, kind=None, attributes=None, links=None, start_time=None, record_exception=True, "
     "set_status_on_exception=True, end_on_exit=True)\n--\n\nA context manager, and a decorator, in which a new span is the current one."},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"resource", &GetResource, nullptr, nullptr, nullptr},
    {"instrumentation_scope", &GetScope, nullptr, nullptr, nullptr},
    {"_instrumentation_scope", &GetScope, nullptr, nullptr, nullptr},
    {"_core", &GetCore, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(&Deallocate)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_doc, const_cast<char*>("Starts spans that are recorded natively.")},
    {0, nullptr},
};

PyType_Spec spec = {
    .name = "otlp_arrow_library._native.Tracer",
    .basicsize = sizeof(Tracer),
    .itemsize = 0,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

}  // namespace

nb::object MakeTracer(nb::handle core, nb::handle scope, nb::handle instrumentation_scope) {
  auto* tracer = PyObject_New(Tracer, tracer_type);
  if (!tracer) throw nb::python_error();
  tracer->core_object = Py_NewRef(core.ptr());
  tracer->core = nb::inst_ptr<TraceCore>(core);
  tracer->scope_object = Py_NewRef(scope.ptr());
  tracer->scope = scope.is_none() ? nullptr : nb::inst_ptr<Scope>(scope)->definition().get();
  tracer->instrumentation_scope = Py_NewRef(instrumentation_scope.ptr());
  return nb::steal(reinterpret_cast<PyObject*>(tracer));
}

void AddTraceTypes(nb::module_& m) {
  tracer_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tracer_type) throw nb::python_error();
  m.attr("Tracer") = nb::handle(reinterpret_cast<PyObject*>(tracer_type));
  m.attr("Span") = nb::handle(reinterpret_cast<PyObject*>(MakeSpanType()));
  m.attr("CurrentSpan") = nb::handle(reinterpret_cast<PyObject*>(MakeCurrentSpanType()));
}

}  // namespace otlp_arrow::python
