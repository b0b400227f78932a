#include "otlp/telemetry/encode.h"
#include "otlp/telemetry/encode_values.h"

namespace otlp_arrow {
namespace {

constexpr size_t kItemSize = 256;  // about that of a span on the wire

void EncodeEvent(const Span::Event& event, wire::Writer* out) {
  EncodeMessage(11, 32 + SizeOf(event.attributes), out, [&] {
    out->NonZeroFixed64(1, event.time_unix_nano);
    out->NonEmpty(2, event.name);
    EncodeAttributes(3, event.attributes, out);
    out->NonZeroVarint(4, event.dropped_attributes_count);
  });
}

void EncodeLink(const Span::Link& link, wire::Writer* out) {
  EncodeMessage(13, 32 + SizeOf(link.attributes), out, [&] {
    EncodeId(1, link.trace_id, out);
    EncodeId(2, link.span_id, out);
    out->NonEmpty(3, link.trace_state);
    EncodeAttributes(4, link.attributes, out);
    out->NonZeroVarint(5, link.dropped_attributes_count);
    out->NonZeroFixed32(6, link.flags);
  });
}

// Written also where it says nothing: then the span's status is UNSET rather than unknown.
void EncodeStatus(const Span& span, wire::Writer* out) {
  EncodeMessage(15, span.status_message.size() + 2, out, [&] {
    out->NonEmpty(2, span.status_message);
    out->NonZeroInt32(3, static_cast<int32_t>(span.status_code));
  });
}

void EncodeSpan(const Span& span, wire::Writer* out) {
  EncodeMessage(2, 128, out, [&] {
    EncodeId(1, span.trace_id, out);
    EncodeId(2, span.span_id, out);
    out->NonEmpty(3, span.trace_state);
    EncodeId(4, span.parent_span_id, out);
    out->NonEmpty(5, span.name);
    out->NonZeroInt32(6, static_cast<int32_t>(span.kind));
    out->NonZeroFixed64(7, span.start_time_unix_nano);
    out->NonZeroFixed64(8, span.end_time_unix_nano);
    EncodeAttributes(9, span.attributes, out);
    out->NonZeroVarint(10, span.dropped_attributes_count);
    for (const Span::Event& event : span.events) EncodeEvent(event, out);
    out->NonZeroVarint(12, span.dropped_events_count);
    for (const Span::Link& link : span.links) EncodeLink(link, out);
    out->NonZeroVarint(14, span.dropped_links_count);
    EncodeStatus(span, out);
    out->NonZeroFixed32(16, span.flags);
  });
}

struct ScopeSpansView {
  const InstrumentationScope& scope;
  std::span<const Span> spans;
};

template <class Scopes>
void Encode(const Resource& resource, const Scopes& scopes, wire::Writer* out) {
  EncodeContainers(
      resource, scopes, kItemSize, out, [](const auto& scope) { return scope.spans.size(); },
      [out](const auto& scope) {
        for (const Span& span : scope.spans) EncodeSpan(span, out);
      });
}

}  // namespace

void EncodeTraces(std::span<const Span> spans, const Resource& resource, const InstrumentationScope& scope, wire::Writer* out) {
  Encode(resource, std::array{ScopeSpansView{scope, spans}}, out);
}

void EncodeTraces(const ResourceSpans& spans, wire::Writer* out) { Encode(spans.resource, spans.scope_spans, out); }

}  // namespace otlp_arrow
