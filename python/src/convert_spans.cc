#include "convert_spans.h"

#include <algorithm>
#include <vector>

#include "convert.h"
#include "convert_items.h"
#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

inline const Name kSdkTrace{"opentelemetry.sdk.trace"}, kReadableSpan{"ReadableSpan"};
inline const Name kSdkUtil{"opentelemetry.sdk.util"}, kBoundedList{"BoundedList"}, kDeque{"_dq"}, kDroppedItems{"dropped"};
inline const Name kTraceSpan{"opentelemetry.trace.span"}, kNonRecordingSpan{"NonRecordingSpan"};
inline const Name kGetSpanContext{"get_span_context"};
inline const Name kDroppedAttributes{"dropped_attributes"}, kDroppedEvents{"dropped_events"}, kDroppedLinks{"dropped_links"};

inline const Name kOwnName{"_name"}, kOwnContext{"_context"}, kOwnParent{"_parent"}, kOwnKind{"_kind"}, kOwnStart{"_start_time"};
inline const Name kOwnEnd{"_end_time"}, kOwnAttributes{"_attributes"}, kOwnEvents{"_events"}, kOwnLinks{"_links"};
inline const Name kOwnStatus{"_status"}, kOwnResource{"_resource"}, kOwnScope{"_instrumentation_scope"};

inline const Name kName{"name"}, kContext{"context"}, kParent{"parent"}, kKind{"kind"}, kStart{"start_time"};
inline const Name kEnd{"end_time"}, kAttributes{"attributes"}, kEvents{"events"}, kLinks{"links"};
inline const Name kStatus{"status"}, kResource{"resource"}, kScope{"instrumentation_scope"};

constexpr const char* kTaken = "an iterable of spans of the OpenTelemetry SDK or dictionaries (a single span goes to export_trace)";
constexpr const char* kWanted = "a span is an OpenTelemetry SDK span (ReadableSpan, or one that is still open) or a dictionary";

bool IsBoundedList(PyObject* object) {
  static PyObject* type = nullptr;
  if (!type) type = LoadedAttr(kSdkUtil, kBoundedList).release().ptr();
  return reinterpret_cast<PyObject*>(Py_TYPE(object)) == type;
}

// Spans that the API makes where none is recorded: without an SDK, or sampled out. There is nothing in them.
bool IsNonRecording(PyObject* object) {
  static PyObject* type = nullptr;
  if (!type) type = LoadedAttr(kTraceSpan, kNonRecordingSpan).release().ptr();
  return type && PyType_Check(type) && PyObject_TypeCheck(object, reinterpret_cast<PyTypeObject*>(type));
}

// Once: a program that meant to record something would wonder.
void WarnOfNoSdk(PyObject* span) {
  static bool warned = false;
  if (warned || nb::cast<bool>(nb::handle(span).attr("get_span_context")().attr("is_valid"))) return;
  warned = true;
  nb::module_::import_("logging").attr("getLogger")("otlp_arrow_library").attr("warning")(
      "a span without content was passed and left out: no OpenTelemetry SDK is set up (trace.set_tracer_provider), or it is "
      "disabled");
}

// The events or links of a span, as they are now, and how many the SDK dropped.
struct Items {
  nb::object tuple;  // not valid where there are none
  uint32_t dropped = 0;
};

Items ItemsOf(PyObject* list) {
  Items items;
  nb::object source = nb::borrow(list);
  if (IsBoundedList(list)) {
    items.dropped = ToUint32(Attr(list, kDroppedItems).ptr(), "dropped items");
    source = Attr(list, kDeque);
    const Py_ssize_t size = PyObject_Size(source.ptr());
    if (size < 0) throw nb::python_error();
    if (size == 0) return items;
  }
  if (source.ptr() == Py_None || (PyTuple_Check(source.ptr()) && PyTuple_GET_SIZE(source.ptr()) == 0)) return items;
  items.tuple = nb::steal(PySequence_Tuple(source.ptr()));
  if (!items.tuple.is_valid()) throw nb::python_error();
  return items;
}

void WriteItems(wire::Writer* out, const Items& items, void (*write)(wire::Writer*, PyObject*)) {
  if (!items.tuple.is_valid()) return;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items.tuple.ptr()); ++i) write(out, PyTuple_GET_ITEM(items.tuple.ptr(), i));
}

}  // namespace

struct SdkSpanWriter::Fields {
  const Name &name, &context, &parent, &kind, &start, &end, &attributes, &events, &links, &status, &resource, &scope;
};

const SdkSpanWriter::Fields SdkSpanWriter::kOwn{kOwnName,       kOwnContext, kOwnParent, kOwnKind,   kOwnStart,    kOwnEnd,
                                                kOwnAttributes, kOwnEvents,  kOwnLinks,  kOwnStatus, kOwnResource, kOwnScope};
const SdkSpanWriter::Fields SdkSpanWriter::kProperties{kName,       kContext, kParent, kKind,   kStart,    kEnd,
                                                       kAttributes, kEvents,  kLinks,  kStatus, kResource, kScope};

namespace {

// True where the properties of a type are those of ReadableSpan: what they return then stands in the instance. Who
// overrides one (to leave out secrets, say) is asked through it.
bool HasSdkProperties(PyTypeObject* type, PyObject* span) {
  const nb::object readable = LoadedAttr(kSdkTrace, kReadableSpan);
  if (!readable.is_valid() || !PyType_Check(readable.ptr())) return false;
  if (!PyType_IsSubtype(type, reinterpret_cast<PyTypeObject*>(readable.ptr()))) return false;
  if (type->tp_getattro != PyObject_GenericGetAttr) return false;
  for (const Name* property : {&kName, &kContext, &kParent, &kKind, &kStart, &kEnd, &kAttributes, &kEvents, &kLinks, &kStatus,
                               &kResource, &kScope, &kDroppedAttributes, &kDroppedEvents, &kDroppedLinks}) {
    const nb::object theirs = OptionalAttr(reinterpret_cast<PyObject*>(type), *property);
    const nb::object sdks = OptionalAttr(readable.ptr(), *property);
    if (!theirs.is_valid() || theirs.ptr() != sdks.ptr()) return false;
  }
  for (const Name* own : {&kOwnName, &kOwnContext, &kOwnParent, &kOwnKind, &kOwnStart, &kOwnEnd, &kOwnAttributes, &kOwnEvents,
                          &kOwnLinks, &kOwnStatus, &kOwnResource, &kOwnScope}) {
    if (!OptionalAttr(span, *own).is_valid()) return false;
  }
  return true;
}

// The same, remembered for the types that programs use; these live for good then.
bool IsKnownSdkType(PyObject* span) {
  static auto& known = *new std::vector<PyObject*>;
  constexpr size_t kMostKnown = 8;
  PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(span));
  if (std::find(known.begin(), known.end(), type) != known.end()) return true;
  if (!HasSdkProperties(Py_TYPE(span), span)) return false;
  if (known.size() < kMostKnown) known.push_back(Py_NewRef(type));
  return true;
}

nb::object ContextOf(PyObject* span) {
  const nb::object method = OptionalAttr(span, kGetSpanContext);
  if (!method.is_valid()) throw Fault("got " + ShortRepr(span) + " (" + TypeName(span) + "); " + kWanted);
  nb::object context = nb::steal(PyObject_CallNoArgs(method.ptr()));
  if (!context.is_valid()) throw nb::python_error();
  return context;
}

}  // namespace

const SdkSpanWriter::Fields& SdkSpanWriter::FieldsOf(PyObject* span) {
  PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(span));
  if (type != type_.ptr()) [[unlikely]] {
    fields_ = IsKnownSdkType(span) ? &kOwn : &kProperties;
    type_ = nb::borrow(type);
  }
  return *fields_;
}

void SdkSpanWriter::Write(PyObject* span) {
  if (IsNonRecording(span)) return WarnOfNoSdk(span);
  WriteFields(span, FieldsOf(span));
}

void SdkSpanWriter::WriteFields(PyObject* span, const Fields& fields) {
  const bool own = &fields == &kOwn;
  const nb::object context = own ? Attr(span, fields.context) : ContextOf(span);
  if (context.ptr() == Py_None) throw Fault("the span has no context, and so no trace_id and span_id");
  const nb::object parent = Attr(span, fields.parent);
  const nb::object attributes = Attr(span, fields.attributes);
  const Items events = ItemsOf(Attr(span, fields.events).ptr());
  const Items links = ItemsOf(Attr(span, fields.links).ptr());
  const nb::object resource = AttrOrNone(span, fields.resource);
  const nb::object scope = AttrOrNone(span, fields.scope);

  wire::Writer* out = request_->For(resource.ptr(), scope.ptr());
  const auto message = out->Begin(GroupedRequest::kItemsField, 2);
  WriteContexts(out, context.ptr(), parent.ptr());
  out->NonEmpty(SpanField::kName, TextOf(Attr(span, fields.name).ptr()).view());
  out->NonZeroInt32(SpanField::kKind, KindNumber(Attr(span, fields.kind).ptr()));
  out->NonZeroFixed64(SpanField::kStart, ToUint64(Attr(span, fields.start).ptr(), "start_time"));
  out->NonZeroFixed64(SpanField::kEnd, ToUint64(Attr(span, fields.end).ptr(), "end_time"));
  WriteAttributes(out, SpanField::kAttributes, attributes.ptr());
  out->NonZeroVarint(SpanField::kDroppedAttributes,
                     own ? DroppedAttributes(attributes.ptr()) : ToUint32(AttrOrNone(span, kDroppedAttributes).ptr(), "dropped_attributes"));
  WriteItems(out, events, WriteSdkEvent);
  out->NonZeroVarint(SpanField::kDroppedEvents,
                     own ? events.dropped : ToUint32(AttrOrNone(span, kDroppedEvents).ptr(), "dropped_events"));
  WriteItems(out, links, WriteSdkLink);
  out->NonZeroVarint(SpanField::kDroppedLinks,
                     own ? links.dropped : ToUint32(AttrOrNone(span, kDroppedLinks).ptr(), "dropped_links"));
  out->Raw(Status(Attr(span, fields.status)));
  out->End(message);
}

void SdkSpanWriter::WriteContexts(wire::Writer* out, PyObject* context, PyObject* parent) {
  const ContextParts own = ReadContext(context);
  WriteId(out, SpanField::kTraceId, own.trace_id.ptr(), kTraceIdSize, "trace_id");
  WriteId(out, SpanField::kSpanId, own.span_id.ptr(), kSpanIdSize, "span_id");
  out->NonEmpty(SpanField::kTraceState, TraceState(own.trace_state));
  bool is_remote = false;
  if (parent != Py_None) {
    const ContextParts parts = ReadContext(parent);
    WriteId(out, SpanField::kParentSpanId, parts.span_id.ptr(), kSpanIdSize, "the parent's span_id");
    is_remote = parts.is_remote;
  }
  out->Fixed32(SpanField::kFlags, RemoteFlags(is_remote));
}

const std::string& SdkSpanWriter::TraceState(const nb::object& trace_state) {
  if (trace_state_.ptr() != trace_state.ptr()) {
    trace_state_text_ = TraceStateText(trace_state.ptr());
    trace_state_ = trace_state;
  }
  return trace_state_text_;
}

const std::string& SdkSpanWriter::Status(const nb::object& status) {
  if (status_.ptr() != status.ptr()) {
    status_message_ = StatusMessage(status.ptr());
    status_ = status;
  }
  return status_message_;
}

std::string ConvertSpans(nb::handle spans) {
  static SizeGuess guess;
  const size_t expected = ExpectedItems(spans.ptr());
  GroupedRequest request(guess.For(expected));
  SdkSpanWriter sdk_spans(&request);
  ForEachItem(spans.ptr(), "span", kTaken, [&](PyObject* span) {
    if (PyDict_Check(span)) {
      WriteSpanDict(&request, span);
    } else {
      sdk_spans.Write(span);
    }
  });
  std::string bytes = request.Finish();
  guess.Learn(expected, bytes.size());
  return bytes;
}

}  // namespace otlp_arrow::python
