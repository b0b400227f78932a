// The messages of the three rings as they are about to be written: each knows its size, then writes itself. They hold
// views of what the caller gave, and what of it goes into this record.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "ring/messages.h"
#include "ring/slot_writer.h"
#include "ring/value_writer.h"
#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

constexpr size_t kTraceIdBytes = 16, kSpanIdBytes = 8;

inline size_t RefBytes(uint32_t field, Ref ref) { return ref == 0 ? 0 : VarintFieldBytes(field, static_cast<uint64_t>(ref)); }
inline void PutRef(SlotWriter* out, uint32_t field, Ref ref) {
  if (ref != 0) out->VarintField(field, static_cast<uint64_t>(ref));
}
inline size_t CountBytes(uint32_t field, uint32_t count) { return count == 0 ? 0 : VarintFieldBytes(field, count); }
inline void PutCount(SlotWriter* out, uint32_t field, uint32_t count) {
  if (count != 0) out->VarintField(field, count);
}

// What every SpanEvent begins with, and the event that it is: `Content` has Bytes() and Put(SlotWriter*).
template <class Content>
struct SpanEventRecord {
  Ref scope;
  const uint8_t* trace_id;
  const uint8_t* span_id;
  uint32_t event_field;
  Content content;
  size_t content_bytes = 0;  // set by Bytes

  size_t Bytes() {
    content_bytes = content.Bytes();
    return RefBytes(field::kSpanScopeRef, scope) + LenBytes(field::kSpanTraceId, kTraceIdBytes) + LenBytes(field::kSpanId, kSpanIdBytes) +
           LenBytes(event_field, content_bytes);
  }
  void Put(SlotWriter* out) const {
    out->Bytes(field::kSpanTraceId, trace_id, kTraceIdBytes);
    out->Bytes(field::kSpanId, span_id, kSpanIdBytes);
    out->Len(event_field, content_bytes);
    content.Put(out);
    PutRef(out, field::kSpanScopeRef, scope);
  }
};

struct StartContent {
  const SpanStart& span;
  Attributes attributes;
  std::string_view name;
  std::string_view trace_state;
  uint32_t writer;
  uint32_t dropped;

  size_t Bytes() const {
    return (span.parent_span_id ? LenBytes(field::kStartParentSpanId, kSpanIdBytes) : 0) + TextBytes(field::kStartName, name) +
           VarintFieldBytes(field::kStartKind, static_cast<uint64_t>(span.kind)) + TagBytes(field::kStartTime) + 8 +
           PairsBytes(field::kStartAttributes, attributes) + (span.flags ? TagBytes(field::kStartFlags) + 4 : 0) +
           VarintFieldBytes(field::kExtWriter, writer) + TextBytes(field::kExtTraceState, trace_state) + CountBytes(field::kExtDropped, dropped);
  }
  void Put(SlotWriter* out) const {
    if (span.parent_span_id) out->Bytes(field::kStartParentSpanId, span.parent_span_id, kSpanIdBytes);
    out->Text(field::kStartName, name);
    out->VarintField(field::kStartKind, static_cast<uint64_t>(span.kind));
    out->Fixed64(field::kStartTime, span.start_time_unix_nano);
    PutPairs(out, field::kStartAttributes, attributes);
    if (span.flags) out->Fixed32(field::kStartFlags, span.flags);
    out->VarintField(field::kExtWriter, writer);
    out->Text(field::kExtTraceState, trace_state);
    PutCount(out, field::kExtDropped, dropped);
  }
};

// A Status message with its tag; nothing where it says nothing.
inline bool IsSet(const SpanStatus& status) { return status.code != StatusCodeOfSpan::kUnset || !status.message.empty(); }
inline size_t StatusContentBytes(const SpanStatus& status) {
  return TextBytes(field::kStatusMessage, status.message) + VarintFieldBytes(field::kStatusCode, static_cast<uint64_t>(status.code));
}
inline size_t StatusBytes(uint32_t field, const SpanStatus& status) { return IsSet(status) ? LenBytes(field, StatusContentBytes(status)) : 0; }
inline void PutStatus(SlotWriter* out, uint32_t field, const SpanStatus& status) {
  if (!IsSet(status)) return;
  out->Len(field, StatusContentBytes(status));
  out->Text(field::kStatusMessage, status.message);
  out->VarintField(field::kStatusCode, static_cast<uint64_t>(status.code));
}

struct EndContent {
  uint64_t end_time_unix_nano;
  SpanStatus status;
  SpanDropped dropped;
  bool is_cut = false;  // the status' message

  size_t Bytes() const {
    return TagBytes(field::kEndTime) + 8 + StatusBytes(field::kEndStatus, status) + CountBytes(field::kExtDropped, dropped.attributes) +
           CountBytes(field::kExtDroppedEvents, dropped.events) + CountBytes(field::kExtDroppedLinks, dropped.links) +
           (is_cut ? VarintFieldBytes(field::kExtIsCut, 1) : 0);
  }
  void Put(SlotWriter* out) const {
    out->Fixed64(field::kEndTime, end_time_unix_nano);
    PutStatus(out, field::kEndStatus, status);
    PutCount(out, field::kExtDropped, dropped.attributes);
    PutCount(out, field::kExtDroppedEvents, dropped.events);
    PutCount(out, field::kExtDroppedLinks, dropped.links);
    if (is_cut) out->VarintField(field::kExtIsCut, 1);
  }
};

struct NameContent {
  std::string_view name;

  size_t Bytes() const { return TextBytes(field::kChangeName, name); }
  void Put(SlotWriter* out) const { out->Text(field::kChangeName, name); }
};

struct UpdateContent {
  Attributes attributes = {};
  size_t most_text = kWholeText;
  uint32_t dropped = 0;

  size_t Bytes() const { return PairsBytes(field::kUpdateAttributes, attributes, most_text) + CountBytes(field::kExtDropped, dropped); }
  void Put(SlotWriter* out) const {
    PutPairs(out, field::kUpdateAttributes, attributes, most_text);
    PutCount(out, field::kExtDropped, dropped);
  }
};

// A further part of something, which readers of others see nothing in.
struct PieceContent {
  uint64_t part_id;
  bool more_parts;
  std::string_view piece;

  size_t Bytes() const {
    return TagBytes(field::kExtPartId) + 8 + (more_parts ? VarintFieldBytes(field::kExtMoreParts, 1) : 0) + TextBytes(field::kExtPiece, piece);
  }
  void Put(SlotWriter* out) const {
    out->Fixed64(field::kExtPartId, part_id);
    if (more_parts) out->VarintField(field::kExtMoreParts, 1);
    out->Text(field::kExtPiece, piece);
  }
};

struct StatusContent {
  SpanStatus status;

  size_t Bytes() const { return LenBytes(field::kExtStatus, StatusContentBytes(status)); }
  void Put(SlotWriter* out) const {
    out->Len(field::kExtStatus, StatusContentBytes(status));
    out->Text(field::kStatusMessage, status.message);
    out->VarintField(field::kStatusCode, static_cast<uint64_t>(status.code));
  }
};

struct LinkContent {
  const SpanLink& link;
  Attributes attributes;
  std::string_view trace_state;
  uint32_t dropped;
  size_t most_text = kWholeText;

  size_t LinkBytes() const {
    return LenBytes(field::kLinkTraceId, kTraceIdBytes) + LenBytes(field::kLinkSpanId, kSpanIdBytes) +
           TextBytes(field::kLinkTraceState, trace_state) + PairsBytes(field::kLinkAttributes, attributes, most_text) +
           CountBytes(field::kLinkDropped, dropped) + (link.flags ? TagBytes(field::kLinkFlags) + 4 : 0);
  }
  size_t Bytes() const { return LenBytes(field::kAddLinks, LinkBytes()); }
  void Put(SlotWriter* out) const {
    out->Len(field::kAddLinks, LinkBytes());
    out->Bytes(field::kLinkTraceId, link.trace_id.data(), kTraceIdBytes);
    out->Bytes(field::kLinkSpanId, link.span_id.data(), kSpanIdBytes);
    out->Text(field::kLinkTraceState, trace_state);
    PutPairs(out, field::kLinkAttributes, attributes, most_text);
    PutCount(out, field::kLinkDropped, dropped);
    if (link.flags) out->Fixed32(field::kLinkFlags, link.flags);
  }
};

// A SpanContext message with its tag; nothing for null.
inline size_t ContextContentBytes(const SpanContext& context) {
  return LenBytes(field::kContextSpanId, kSpanIdBytes) + LenBytes(field::kContextTraceId, kTraceIdBytes) +
         (context.flags ? TagBytes(field::kContextFlags) + 4 : 0);
}
inline size_t ContextBytes(uint32_t field, const SpanContext* context) {
  return context ? LenBytes(field, ContextContentBytes(*context)) : 0;
}
inline void PutContext(SlotWriter* out, uint32_t field, const SpanContext* context) {
  if (!context) return;
  out->Len(field, ContextContentBytes(*context));
  out->Bytes(field::kContextSpanId, context->span_id.data(), kSpanIdBytes);
  out->Bytes(field::kContextTraceId, context->trace_id.data(), kTraceIdBytes);
  if (context->flags) out->Fixed32(field::kContextFlags, context->flags);
}

struct MeasurementRecord {
  const Measurement& measurement;
  Attributes attributes;
  size_t most_text = kWholeText;

  size_t Bytes() const {
    const auto* integer = std::get_if<int64_t>(&measurement.value);
    return RefBytes(field::kMeasurementMetricRef, measurement.metric) + PairsBytes(field::kMeasurementAttributes, attributes, most_text) +
           TagBytes(field::kMeasurementTime) + 8 +
           (integer ? VarintFieldBytes(field::kMeasurementLong, static_cast<uint64_t>(*integer)) : TagBytes(field::kMeasurementDouble) + 8) +
           ContextBytes(field::kMeasurementContext, measurement.context);
  }
  void Put(SlotWriter* out) const {
    PutRef(out, field::kMeasurementMetricRef, measurement.metric);
    PutPairs(out, field::kMeasurementAttributes, attributes, most_text);
    out->Fixed64(field::kMeasurementTime, measurement.time_unix_nano);
    if (const auto* integer = std::get_if<int64_t>(&measurement.value)) {
      out->VarintField(field::kMeasurementLong, static_cast<uint64_t>(*integer));
    } else {
      out->Fixed64(field::kMeasurementDouble, std::bit_cast<uint64_t>(std::get<double>(measurement.value)));
    }
    PutContext(out, field::kMeasurementContext, measurement.context);
  }
};

struct EventRecord {
  const Event& event;
  Value body;
  Attributes attributes;
  std::string_view severity_text;
  uint32_t dropped;
  uint64_t part_id = 0;  // 0: the only part
  bool more_parts = false;
  bool is_cut = false;
  size_t most_text = kWholeText;  // of the body and the attributes

  size_t Bytes() const {
    return RefBytes(field::kEventScopeRef, event.scope) + TagBytes(field::kEventTime) + 8 +
           (event.severity_number ? VarintFieldBytes(field::kEventSeverityNumber, static_cast<uint64_t>(int64_t{event.severity_number})) : 0) +
           TextBytes(field::kEventSeverityText, severity_text) + BodyBytes() + RefBytes(field::kEventNameRef, event.event_name) +
           ContextBytes(field::kEventContext, event.context) + PairsBytes(field::kEventAttributes, attributes, most_text) +
           CountBytes(field::kExtDropped, dropped) + (part_id ? TagBytes(field::kExtPartId) + 8 : 0) +
           (more_parts ? VarintFieldBytes(field::kExtMoreParts, 1) : 0) +
           (event.observed_time_unix_nano ? TagBytes(field::kExtObservedTime) + 8 : 0) +
           (event.is_log_record ? VarintFieldBytes(field::kExtIsLogRecord, 1) : 0) + (is_cut ? VarintFieldBytes(field::kExtIsCut, 1) : 0);
  }
  void Put(SlotWriter* out) const {
    PutRef(out, field::kEventScopeRef, event.scope);
    out->Fixed64(field::kEventTime, event.time_unix_nano);
    if (event.severity_number) out->VarintField(field::kEventSeverityNumber, static_cast<uint64_t>(int64_t{event.severity_number}));
    out->Text(field::kEventSeverityText, severity_text);
    if (body.type != Value::Type::kEmpty) {
      out->Len(field::kEventBody, AnyBytes(body, most_text));
      PutAny(out, body, most_text);
    }
    PutRef(out, field::kEventNameRef, event.event_name);
    PutContext(out, field::kEventContext, event.context);
    PutPairs(out, field::kEventAttributes, attributes, most_text);
    PutCount(out, field::kExtDropped, dropped);
    if (part_id) out->Fixed64(field::kExtPartId, part_id);
    if (more_parts) out->VarintField(field::kExtMoreParts, 1);
    if (event.observed_time_unix_nano) out->Fixed64(field::kExtObservedTime, event.observed_time_unix_nano);
    if (event.is_log_record) out->VarintField(field::kExtIsLogRecord, 1);
    if (is_cut) out->VarintField(field::kExtIsCut, 1);
  }

 private:
  size_t BodyBytes() const { return body.type == Value::Type::kEmpty ? 0 : LenBytes(field::kEventBody, AnyBytes(body, most_text)); }
};

}  // namespace otlp_arrow::ring
