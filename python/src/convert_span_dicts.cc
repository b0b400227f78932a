#include <array>

#include "convert_dicts.h"
#include "convert_spans.h"
#include "convert_values.h"

namespace otlp_arrow::python {
namespace {

inline const Name kTraceId{"trace_id"}, kSpanId{"span_id"}, kTraceState{"trace_state"}, kParentSpanId{"parent_span_id"}, kParentId{"parent_id"};
inline const Name kFlags{"flags"}, kName{"name"}, kKind{"kind"}, kStartNano{"start_time_unix_nano"}, kStart{"start_time"};
inline const Name kEndNano{"end_time_unix_nano"}, kEnd{"end_time"}, kTimeNano{"time_unix_nano"}, kTimestamp{"timestamp"};
inline const Name kAttributes{"attributes"}, kEvents{"events"}, kLinks{"links"}, kStatus{"status"}, kContext{"context"};
inline const Name kResource{"resource"}, kScope{"scope"}, kInstrumentationScope{"instrumentation_scope"};
inline const Name kDroppedAttributes{"dropped_attributes_count"}, kDroppedEvents{"dropped_events_count"}, kDroppedLinks{"dropped_links_count"};
inline const Name kCode{"code"}, kStatusCode{"status_code"}, kMessage{"message"}, kDescription{"description"};

inline const Key kTraceIdKey{kTraceId}, kSpanIdKey{kSpanId}, kTraceStateKey{kTraceState}, kParentKey{kParentSpanId, &kParentId};
inline const Key kFlagsKey{kFlags}, kNameKey{kName}, kKindKey{kKind}, kStartKey{kStartNano, &kStart}, kEndKey{kEndNano, &kEnd};
inline const Key kTimeKey{kTimeNano, &kTimestamp}, kAttributesKey{kAttributes}, kEventsKey{kEvents}, kLinksKey{kLinks};
inline const Key kStatusKey{kStatus}, kContextKey{kContext}, kResourceKey{kResource}, kScopeKey{kScope, &kInstrumentationScope};
inline const Key kDroppedAttributesKey{kDroppedAttributes}, kDroppedEventsKey{kDroppedEvents}, kDroppedLinksKey{kDroppedLinks};
inline const Key kCodeKey{kCode, &kStatusCode}, kMessageKey{kMessage, &kDescription};

// By OTLP's numbers.
constexpr std::array<std::string_view, 6> kKinds{"unspecified", "internal", "server", "client", "producer", "consumer"};
constexpr std::array<std::string_view, 3> kCodes{"unset", "ok", "error"};

template <size_t N>
int32_t NumberOf(PyObject* value, const std::array<std::string_view, N>& words, std::initializer_list<std::string_view> prefixes, const char* field) {
  if (PyUnicode_Check(value)) {
    const std::string word = LowerWord(value, prefixes);
    for (size_t i = 0; i < N; ++i) {
      if (words[i] == word) return static_cast<int32_t>(i);
    }
  } else {
    const int32_t number = ToInt32(value, field);
    if (number >= 0 && number < static_cast<int32_t>(N)) return number;
  }
  std::string allowed;
  for (std::string_view word : words) allowed += (allowed.empty() ? "" : ", ") + std::string(word);
  throw Fault(std::string(field) + " is " + ShortRepr(value) + ", and must be one of " + allowed + " or its number in OTLP");
}

bool IsWordOrNumber(PyObject* value) { return PyUnicode_Check(value) || IsInt(value); }

int32_t KindOf(PyObject* kind) {
  if (!IsWordOrNumber(kind)) return KindNumber(kind);
  return NumberOf(kind, kKinds, {"spankind.", "span_kind_"}, "kind");
}

int32_t CodeOf(PyObject* code) {
  if (code == Py_None) return 0;
  if (IsWordOrNumber(code)) return NumberOf(code, kCodes, {"statuscode.", "status_code_"}, "status");
  const nb::object value = nb::steal(PyObject_GetAttrString(code, "value"));
  if (!value.is_valid()) SwallowError();
  return NumberOf(value.is_valid() ? value.ptr() : code, kCodes, {}, "status");
}

std::string StatusOf(PyObject* status) {
  if (PyDict_Check(status)) {
    const DictView dict(status, "status", {&kCodeKey, &kMessageKey});
    return StatusMessage(CodeOf(dict.Get(kCodeKey)), TextOf(dict.Get(kMessageKey)).view());
  }
  const bool is_status = status == Py_None || OptionalAttr(status, kStatusCode).is_valid();
  return is_status ? StatusMessage(status) : StatusMessage(CodeOf(status), {});
}

// Ids and trace_state: in the dictionary itself, or in its `context`, a dictionary or a SpanContext.
struct ContextOfDict {
  nb::object trace_id, span_id, trace_state;
  bool has_is_remote = false, is_remote = false;
};

ContextOfDict ContextOf(const DictView& dict) {
  PyObject* context = dict.Get(kContextKey);
  if (context == Py_None) {
    return {nb::borrow(dict.Get(kTraceIdKey)), nb::borrow(dict.Get(kSpanIdKey)), nb::borrow(dict.Get(kTraceStateKey))};
  }
  if (dict.Has(kTraceIdKey) || dict.Has(kSpanIdKey)) throw Fault(std::string(dict.what()) + " has ids both in context and beside it");
  if (PyDict_Check(context)) {
    const DictView inner(context, "context", {&kTraceIdKey, &kSpanIdKey, &kTraceStateKey});
    PyObject* state = inner.Get(kTraceStateKey);
    // Span.to_json() writes the repr of a TraceState: "[]", or what nobody reads back.
    const bool is_repr = PyUnicode_Check(state) && Utf8(state).view().starts_with("[");
    return {nb::borrow(inner.Get(kTraceIdKey)), nb::borrow(inner.Get(kSpanIdKey)), is_repr ? nb::none() : nb::borrow(state)};
  }
  ContextParts parts = ReadContext(context);
  return {parts.trace_id, parts.span_id, parts.trace_state, true, parts.is_remote};
}

void WriteContext(wire::Writer* out, const DictView& dict, uint32_t trace_id, uint32_t span_id, uint32_t trace_state, const ContextOfDict& context) {
  for (const auto& [id, name] : {std::pair{context.trace_id.ptr(), "trace_id"}, std::pair{context.span_id.ptr(), "span_id"}}) {
    if (id == Py_None) throw Fault(std::string(dict.what()) + " has no " + name);
  }
  WriteAnyId(out, trace_id, context.trace_id.ptr(), kTraceIdSize, "trace_id");
  WriteAnyId(out, span_id, context.span_id.ptr(), kSpanIdSize, "span_id");
  out->NonEmpty(trace_state, TraceStateText(context.trace_state.ptr()));
}

void WriteEvent(wire::Writer* out, PyObject* event) {
  if (!PyDict_Check(event)) return WriteSdkEvent(out, event);
  const DictView dict(event, "event", {&kNameKey, &kTimeKey, &kAttributesKey, &kDroppedAttributesKey});
  const auto message = out->Begin(SpanField::kEvents, 2);
  out->NonZeroFixed64(EventField::kTime, TimeOf(dict.Get(kTimeKey), "an event's time_unix_nano"));
  out->NonEmpty(EventField::kName, TextOf(dict.Get(kNameKey)).view());
  WriteAttributes(out, EventField::kAttributes, dict.Get(kAttributesKey), "an event's attributes");
  out->NonZeroVarint(EventField::kDroppedAttributes, dict.Uint32(kDroppedAttributesKey));
  out->End(message);
}

void WriteLink(wire::Writer* out, PyObject* link) {
  if (!PyDict_Check(link)) return WriteSdkLink(out, link);
  const DictView dict(link, "link", {&kTraceIdKey, &kSpanIdKey, &kTraceStateKey, &kContextKey, &kAttributesKey, &kFlagsKey, &kDroppedAttributesKey});
  const ContextOfDict context = ContextOf(dict);
  const auto message = out->Begin(SpanField::kLinks);
  WriteContext(out, dict, LinkField::kTraceId, LinkField::kSpanId, LinkField::kTraceState, context);
  WriteAttributes(out, LinkField::kAttributes, dict.Get(kAttributesKey), "a link's attributes");
  out->NonZeroVarint(LinkField::kDroppedAttributes, dict.Uint32(kDroppedAttributesKey));
  out->NonZeroFixed32(LinkField::kFlags, dict.Uint32(kFlagsKey) | (context.has_is_remote ? RemoteFlags(context.is_remote) : 0));
  out->End(message);
}

void WriteEach(wire::Writer* out, PyObject* items, void (*write)(wire::Writer*, PyObject*), const char* name) {
  if (items == Py_None) return;
  const bool is_list = !PyUnicode_Check(items) && !PyDict_Check(items) && (PySequence_Check(items) || Py_TYPE(items)->tp_iter);
  if (!is_list) throw Fault(std::string(name) + " is " + ShortRepr(items) + " (" + TypeName(items) + "), and must be a list or None");
  const nb::object list = nb::steal(PySequence_Tuple(items));
  if (!list.is_valid()) throw nb::python_error();
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list.ptr()); ++i) write(out, PyTuple_GET_ITEM(list.ptr(), i));
}

}  // namespace

void WriteSpanDict(GroupedRequest* request, PyObject* span) {
  // Of our own: values run Python code when they are written, and that may change the dictionary.
  const nb::object copy = nb::steal(PyDict_Copy(span));
  if (!copy.is_valid()) throw nb::python_error();
  const DictView dict(copy.ptr(), "the dictionary",
                      {&kTraceIdKey, &kSpanIdKey, &kParentKey, &kNameKey, &kKindKey, &kStartKey, &kEndKey, &kAttributesKey, &kEventsKey,
                       &kLinksKey, &kStatusKey, &kTraceStateKey, &kFlagsKey, &kContextKey, &kResourceKey, &kScopeKey,
                       &kDroppedAttributesKey, &kDroppedEventsKey, &kDroppedLinksKey});
  const ContextOfDict context = ContextOf(dict);
  wire::Writer* out = request->For(dict.Get(kResourceKey), dict.Get(kScopeKey));
  const auto message = out->Begin(GroupedRequest::kItemsField, 2);
  WriteContext(out, dict, SpanField::kTraceId, SpanField::kSpanId, SpanField::kTraceState, context);
  WriteAnyId(out, SpanField::kParentSpanId, dict.Get(kParentKey), kSpanIdSize, "parent_span_id");
  out->NonEmpty(SpanField::kName, TextOf(dict.Get(kNameKey)).view());
  out->NonZeroInt32(SpanField::kKind, KindOf(dict.Get(kKindKey)));
  out->NonZeroFixed64(SpanField::kStart, TimeOf(dict.Get(kStartKey), "start_time_unix_nano"));
  out->NonZeroFixed64(SpanField::kEnd, TimeOf(dict.Get(kEndKey), "end_time_unix_nano"));
  WriteAttributes(out, SpanField::kAttributes, dict.Get(kAttributesKey));
  out->NonZeroVarint(SpanField::kDroppedAttributes, dict.Uint32(kDroppedAttributesKey));
  WriteEach(out, dict.Get(kEventsKey), WriteEvent, "events");
  out->NonZeroVarint(SpanField::kDroppedEvents, dict.Uint32(kDroppedEventsKey));
  WriteEach(out, dict.Get(kLinksKey), WriteLink, "links");
  out->NonZeroVarint(SpanField::kDroppedLinks, dict.Uint32(kDroppedLinksKey));
  out->Raw(StatusOf(dict.Get(kStatusKey)));
  out->NonZeroFixed32(SpanField::kFlags, dict.Uint32(kFlagsKey));
  out->End(message);
}

}  // namespace otlp_arrow::python
