#include "span_parts.h"

#include <utility>
#include <vector>

#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

inline const Name kSpanModule{"opentelemetry.trace.span"}, kSpanContext{"SpanContext"}, kTraceStateClass{"TraceState"};
inline const Name kSdkTraceModule{"opentelemetry.sdk.trace"}, kEventClass{"Event"};
inline const Name kTraceId{"trace_id"}, kSpanId{"span_id"}, kIsRemoteName{"is_remote"}, kTraceStateName{"trace_state"};
inline const Name kDict{"_dict"}, kValue{"value"}, kStatusCode{"status_code"}, kDescription{"description"};
inline const Name kName{"name"}, kTimestamp{"timestamp"}, kAttributes{"attributes"}, kDropped{"dropped_attributes"};
inline const Name kOwnName{"_name"}, kOwnTimestamp{"_timestamp"}, kOwnAttributes{"_attributes"}, kContext{"context"};

// A class of the SDK, known once its module is loaded; then kept for good.
class SdkClass {
 public:
  constexpr SdkClass(const Name& module, const Name& name) : module_(module), name_(name) {}
  // Not true for classes that derive from it.
  bool IsClassOf(PyObject* object) const {
    if (!type_) [[unlikely]] type_ = LoadedAttr(module_, name_).release().ptr();
    return reinterpret_cast<PyObject*>(Py_TYPE(object)) == type_;
  }

 private:
  const Name& module_;
  const Name& name_;
  mutable PyObject* type_ = nullptr;
};

inline const SdkClass kSpanContextClass(kSpanModule, kSpanContext);
inline const SdkClass kTraceStates(kSpanModule, kTraceStateClass);
inline const SdkClass kEvents(kSdkTraceModule, kEventClass);

// Where SpanContext, a tuple, has what.
enum : Py_ssize_t { kTraceIdItem = 0, kSpanIdItem = 1, kIsRemoteItem = 2, kTraceStateItem = 4, kContextItems = 6 };

bool IsTrue(PyObject* object) {
  if (object == Py_True || object == Py_False) return object == Py_True;
  const int truth = PyObject_IsTrue(object);
  if (truth < 0) throw nb::python_error();
  return truth > 0;
}

std::string JoinTraceState(PyObject* mapping) {
  const nb::object items = nb::steal(PyMapping_Items(mapping));
  if (!items.is_valid()) throw nb::python_error();
  std::string joined;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.ptr()); ++i) {
    PyObject* entry = PyList_GET_ITEM(items.ptr(), i);
    if (!PyTuple_Check(entry) || PyTuple_GET_SIZE(entry) != 2) continue;
    if (!joined.empty()) joined += ',';
    joined.append(TextOf(PyTuple_GET_ITEM(entry, 0)).view()).append("=").append(TextOf(PyTuple_GET_ITEM(entry, 1)).view());
  }
  return joined;
}

// The members of an enumeration are few and live long: their numbers are looked up once.
class EnumNumbers {
 public:
  int32_t Of(PyObject* member, const char* field) {
    for (const auto& [known, number] : known_) {
      if (known == member) return number;
    }
    const nb::object value = OptionalAttr(member, kValue);
    if (!value.is_valid()) throw Fault(std::string(field) + " is " + ShortRepr(member) + " (" + TypeName(member) + "), and must be a member of its enumeration");
    const int32_t number = ToInt32(value.ptr(), field);
    if (known_.size() < kMostKnown) known_.emplace_back(Py_NewRef(member), number);
    return number;
  }

 private:
  static constexpr size_t kMostKnown = 16;
  std::vector<std::pair<PyObject*, int32_t>> known_;
};

}  // namespace

ContextParts ReadContext(PyObject* context) {
  if (kSpanContextClass.IsClassOf(context) && PyTuple_Check(context) && PyTuple_GET_SIZE(context) == kContextItems) [[likely]] {
    return {nb::borrow(PyTuple_GET_ITEM(context, kTraceIdItem)), nb::borrow(PyTuple_GET_ITEM(context, kSpanIdItem)),
            nb::borrow(PyTuple_GET_ITEM(context, kTraceStateItem)), IsTrue(PyTuple_GET_ITEM(context, kIsRemoteItem))};
  }
  const nb::object trace_id = OptionalAttr(context, kTraceId);
  const nb::object span_id = OptionalAttr(context, kSpanId);
  if (!trace_id.is_valid() || !span_id.is_valid()) {
    throw Fault("span context is " + ShortRepr(context) + " (" + TypeName(context) + "), and must be a SpanContext");
  }
  return {trace_id, span_id, AttrOrNone(context, kTraceStateName), IsTrue(AttrOrNone(context, kIsRemoteName).ptr())};
}

void WriteId(wire::Writer* out, uint32_t field, PyObject* id, size_t size, const char* name) {
  ToBigEndian(id, reinterpret_cast<uint8_t*>(out->BytesRoom(field, size)), size, name);
}

std::string TraceStateText(PyObject* trace_state) {
  if (trace_state == Py_None) return {};
  if (kTraceStates.IsClassOf(trace_state)) {
    const nb::object dict = OptionalAttr(trace_state, kDict);
    if (dict.is_valid() && PyDict_Check(dict.ptr())) return PyDict_GET_SIZE(dict.ptr()) ? JoinTraceState(dict.ptr()) : "";
  }
  if (PyUnicode_Check(trace_state)) return std::string(Utf8(trace_state).view());
  if (PyMapping_Check(trace_state) && !PyList_Check(trace_state) && !PyTuple_Check(trace_state)) return JoinTraceState(trace_state);
  throw Fault("trace_state is " + ShortRepr(trace_state) + " (" + TypeName(trace_state) + "), and must be a TraceState, a text or None");
}

int32_t KindNumber(PyObject* kind) {
  static auto& numbers = *new EnumNumbers;
  constexpr int32_t kConsumer = 4;
  if (kind == Py_None) return 0;
  const int32_t number = numbers.Of(kind, "kind");
  if (number < 0 || number > kConsumer) throw Fault("kind is " + ShortRepr(kind) + ", and must be a SpanKind");
  return number + 1;  // SpanKind counts from INTERNAL = 0, OTLP from SPAN_KIND_INTERNAL = 1
}

std::string StatusMessage(int32_t code, std::string_view message) {
  wire::Writer out;
  const auto status = out.Begin(SpanField::kStatus);
  out.NonEmpty(2, message);
  out.NonZeroInt32(3, code);
  out.End(status);
  return out.Take();
}

std::string StatusMessage(PyObject* status) {
  static auto& numbers = *new EnumNumbers;
  if (status == Py_None) return {};
  const nb::object code = OptionalAttr(status, kStatusCode);
  if (!code.is_valid()) throw Fault("status is " + ShortRepr(status) + " (" + TypeName(status) + "), and must be a Status");
  return StatusMessage(numbers.Of(code.ptr(), "status_code"), TextOf(AttrOrNone(status, kDescription).ptr()).view());
}

void WriteSdkEvent(wire::Writer* out, PyObject* event) {
  const bool plain = kEvents.IsClassOf(event);
  const nb::object attributes = Attr(event, plain ? kOwnAttributes : kAttributes);
  const auto message = out->Begin(SpanField::kEvents, 2);
  out->NonZeroFixed64(EventField::kTime, ToUint64(Attr(event, plain ? kOwnTimestamp : kTimestamp).ptr(), "an event's timestamp"));
  out->NonEmpty(EventField::kName, TextOf(Attr(event, plain ? kOwnName : kName).ptr()).view());
  WriteAttributes(out, EventField::kAttributes, attributes.ptr(), "an event's attributes");
  const uint32_t dropped = plain ? DroppedAttributes(attributes.ptr())
                                 : ToUint32(AttrOrNone(event, kDropped).ptr(), "an event's dropped_attributes");
  out->NonZeroVarint(EventField::kDroppedAttributes, dropped);
  out->End(message);
}

void WriteSdkLink(wire::Writer* out, PyObject* link) {
  const ContextParts context = ReadContext(Attr(link, kContext).ptr());
  const auto message = out->Begin(SpanField::kLinks);
  WriteId(out, LinkField::kTraceId, context.trace_id.ptr(), kTraceIdSize, "a link's trace_id");
  WriteId(out, LinkField::kSpanId, context.span_id.ptr(), kSpanIdSize, "a link's span_id");
  out->NonEmpty(LinkField::kTraceState, TraceStateText(context.trace_state.ptr()));
  WriteAttributes(out, LinkField::kAttributes, Attr(link, kAttributes).ptr(), "a link's attributes");
  out->NonZeroVarint(LinkField::kDroppedAttributes, ToUint32(AttrOrNone(link, kDropped).ptr(), "a link's dropped_attributes"));
  out->Fixed32(LinkField::kFlags, RemoteFlags(context.is_remote));
  out->End(message);
}

}  // namespace otlp_arrow::python
