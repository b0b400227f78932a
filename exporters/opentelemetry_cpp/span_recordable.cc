#include "span_recordable.h"

#include <cstring>
#include <string>

#include <opentelemetry/trace/trace_state.h>

namespace otlp_arrow::exporters {
namespace {

using opentelemetry::trace::SpanContext;
using opentelemetry::trace::SpanId;
using opentelemetry::trace::SpanKind;
using opentelemetry::trace::StatusCode;

template <class Id>
std::string_view Bytes(const Id& id) {
  return {reinterpret_cast<const char*>(id.Id().data()), Id::kSize};
}

template <size_t kSize, class Id>
void Copy(char (&to)[kSize], const Id& id) {
  static_assert(kSize == Id::kSize);
  std::memcpy(to, id.Id().data(), kSize);
}

bool HasTraceState(const SpanContext& context) { return context.trace_state() && !context.trace_state()->Empty(); }

void WriteText(RecordWriter* out, uint32_t field, std::string_view text) {
  std::string storage;
  out->NonEmpty(field, ValidText(text, &storage));
}

}  // namespace

void SpanRecordable::SetIdentity(const SpanContext& context, SpanId parent) noexcept {
  Copy(trace_id_, context.trace_id());
  Copy(span_id_, context.span_id());
  Copy(parent_id_, parent);
  has_parent_ = parent.IsValid();
  fields.TryReplace(kTraceState, [&] {
    if (HasTraceState(context)) WriteText(&fields, field::kSpanTraceState, context.trace_state()->ToHeader());
  });
}

void SpanRecordable::SetAttribute(nostd::string_view key, const AttributeValue& value) noexcept {
  const bool written = fields.TryWrite([&] { WriteAttribute(&fields, field::kSpanAttributes, View(key), value); });
  dropped_attributes_ += !written;
}

void SpanRecordable::AddEvent(nostd::string_view name, opentelemetry::common::SystemTimestamp time,
                              const KeyValueIterable& attributes) noexcept {
  const bool written = fields.TryWrite([&] {
    const auto event = fields.Begin(field::kSpanEvents);
    fields.Fixed64(field::kEventTime, static_cast<uint64_t>(time.time_since_epoch().count()));
    WriteText(&fields, field::kEventName, View(name));
    fields.WriteKeyValues(field::kEventAttributes, attributes);
    fields.End(event);
  });
  dropped_events_ += !written;
}

void SpanRecordable::AddLink(const SpanContext& target, const KeyValueIterable& attributes) noexcept {
  const bool written = fields.TryWrite([&] {
    const auto link = fields.Begin(field::kSpanLinks);
    fields.Bytes(field::kLinkTraceId, Bytes(target.trace_id()));
    fields.Bytes(field::kLinkSpanId, Bytes(target.span_id()));
    if (HasTraceState(target)) WriteText(&fields, field::kLinkTraceState, target.trace_state()->ToHeader());
    fields.WriteKeyValues(field::kLinkAttributes, attributes);
    fields.End(link);
  });
  dropped_links_ += !written;
}

// The description of an error stays when the code changes afterwards, as the SDK's exporters have it.
void SpanRecordable::SetStatus(StatusCode code, nostd::string_view description) noexcept {
  const auto number = static_cast<uint8_t>(code);
  if (code != StatusCode::kError && fields.TrySetLastByte(kStatus, number & 0x7f)) return;
  fields.TryReplace(kStatus, [&] {
    const auto status = fields.Begin(field::kSpanStatus);
    if (code == StatusCode::kError) WriteText(&fields, field::kStatusMessage, View(description));
    fields.Varint(field::kStatusCode, number & 0x7f);  // one byte, the last
    fields.End(status);
  });
}

void SpanRecordable::SetName(nostd::string_view name) noexcept {
  fields.TryReplace(kName, [&] { WriteText(&fields, field::kSpanName, View(name)); });
}

void SpanRecordable::SetSpanKind(SpanKind kind) noexcept {
  // OTLP's enumeration is the SDK's with a zero for "unspecified" before.
  static_assert(static_cast<int>(SpanKind::kInternal) == 0 && static_cast<int>(SpanKind::kServer) == 1 &&
                static_cast<int>(SpanKind::kClient) == 2 && static_cast<int>(SpanKind::kProducer) == 3 &&
                static_cast<int>(SpanKind::kConsumer) == 4);
  const auto number = static_cast<uint32_t>(kind);
  kind_ = number <= 4 ? static_cast<uint8_t>(number + 1) : 0;
}

std::string_view SpanRecordable::Seal() {
  if (is_sealed_) return fields.view();
  fields.Bytes(field::kSpanTraceId, {trace_id_, sizeof(trace_id_)});
  fields.Bytes(field::kSpanId, {span_id_, sizeof(span_id_)});
  if (has_parent_) fields.Bytes(field::kSpanParentId, {parent_id_, sizeof(parent_id_)});
  fields.NonZeroVarint(field::kSpanKind, kind_);
  fields.Fixed64(field::kSpanStart, static_cast<uint64_t>(start_));
  fields.Fixed64(field::kSpanEnd, static_cast<uint64_t>(start_) + static_cast<uint64_t>(duration_));
  fields.NonZeroFixed32(field::kSpanFlags, flags_);
  fields.NonZeroVarint(field::kSpanDroppedAttributes, dropped_attributes_);
  fields.NonZeroVarint(field::kSpanDroppedEvents, dropped_events_);
  fields.NonZeroVarint(field::kSpanDroppedLinks, dropped_links_);
  is_sealed_ = true;
  return fields.view();
}

}  // namespace otlp_arrow::exporters
