#include "otlp/telemetry/decode.h"
#include "otlp/telemetry/decode_values.h"

namespace otlp_arrow {
namespace {

using wire::Tag;

void DecodeEvent(std::string_view message, Span::Event* event) {
  ForEachField(message, [event](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kFixed64): event->time_unix_nano = value.number; break;
      case Tag(2, wire::kLen): event->name = value.AsText(); break;
      case Tag(3, wire::kLen): DecodeAttribute(value.bytes, &event->attributes); break;
      case Tag(4, wire::kVarint): event->dropped_attributes_count = value.AsUint32(); break;
      default: break;
    }
  });
}

void DecodeLink(std::string_view message, Span::Link* link) {
  ForEachField(message, [link](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kLen): DecodeId(value.bytes, &link->trace_id); break;
      case Tag(2, wire::kLen): DecodeId(value.bytes, &link->span_id); break;
      case Tag(3, wire::kLen): link->trace_state = value.AsText(); break;
      case Tag(4, wire::kLen): DecodeAttribute(value.bytes, &link->attributes); break;
      case Tag(5, wire::kVarint): link->dropped_attributes_count = value.AsUint32(); break;
      case Tag(6, wire::kFixed32): link->flags = value.AsUint32(); break;
      default: break;
    }
  });
}

void DecodeStatus(std::string_view message, Span* span) {
  ForEachField(message, [span](uint32_t tag, const FieldValue& value) {
    if (tag == Tag(2, wire::kLen)) span->status_message = value.AsText();
    if (tag == Tag(3, wire::kVarint)) span->status_code = static_cast<SpanStatusCode>(value.AsInt32());
  });
}

void DecodeSpan(std::string_view message, Span* span) {
  ForEachField(message, [span](uint32_t tag, const FieldValue& value) {
    switch (tag) {
      case Tag(1, wire::kLen): DecodeId(value.bytes, &span->trace_id); break;
      case Tag(2, wire::kLen): DecodeId(value.bytes, &span->span_id); break;
      case Tag(3, wire::kLen): span->trace_state = value.AsText(); break;
      case Tag(4, wire::kLen): DecodeId(value.bytes, &span->parent_span_id); break;
      case Tag(5, wire::kLen): span->name = value.AsText(); break;
      case Tag(6, wire::kVarint): span->kind = static_cast<SpanKind>(value.AsInt32()); break;
      case Tag(7, wire::kFixed64): span->start_time_unix_nano = value.number; break;
      case Tag(8, wire::kFixed64): span->end_time_unix_nano = value.number; break;
      case Tag(9, wire::kLen): DecodeAttribute(value.bytes, &span->attributes); break;
      case Tag(10, wire::kVarint): span->dropped_attributes_count = value.AsUint32(); break;
      case Tag(11, wire::kLen): DecodeEvent(value.bytes, &span->events.emplace_back()); break;
      case Tag(12, wire::kVarint): span->dropped_events_count = value.AsUint32(); break;
      case Tag(13, wire::kLen): DecodeLink(value.bytes, &span->links.emplace_back()); break;
      case Tag(14, wire::kVarint): span->dropped_links_count = value.AsUint32(); break;
      case Tag(15, wire::kLen): DecodeStatus(value.bytes, span); break;
      case Tag(16, wire::kFixed32): span->flags = value.AsUint32(); break;
      default: break;
    }
  });
}

}  // namespace

Result<std::vector<ResourceSpans>> DecodeTraces(std::string_view request) {
  OTLP_ASSIGN_OR_RETURN(const bool check, ScanForDecoding(Signal::kTraces, request));
  std::vector<ResourceSpans> all;
  DecodeContainers(
      request, check, [&] { return &all.emplace_back(); }, [](ResourceSpans* spans) { return &spans->scope_spans.emplace_back(); },
      [check](std::string_view bytes, ScopeSpans* scope) {
        if (!check || CheckSpan(bytes) == ItemFault::kNone) DecodeSpan(bytes, &scope->spans.emplace_back());
      });
  return all;
}

}  // namespace otlp_arrow
