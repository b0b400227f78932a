#include "sdk/tracer_core.h"

#include <algorithm>

#include "otlp_arrow/sdk/ids.h"
#include "sdk/attribute_buffer.h"

namespace otlp_arrow::sdk {

Span Tracer::Start(std::string_view name, const SpanOptions& options) const noexcept {
  return core_ ? core_->Start(name, options) : Span();
}

Span TracerCore::Start(std::string_view name, const SpanOptions& options) const noexcept {
  static const SpanContext kRoot;
  Span span;
  const SpanContext& parent = options.is_root ? kRoot : options.parent ? *options.parent : CurrentContext();
  const Binding binding = provider_->is_shut_down.load(std::memory_order_relaxed) ? Binding() : scope_.Get();
  if (!binding) {  // what comes from elsewhere goes on its way
    span.context_ = parent;
    return span;
  }
  const bool has_parent = parent.IsValid();
  span.context_.trace_id = has_parent ? parent.trace_id : options.trace_id.empty() ? RandomTraceId() : options.trace_id;
  span.context_.span_id = RandomSpanId();
  Guarded([&] {
    SamplingResult decision;
    if (options.decision) {
      decision = *options.decision;
    } else {
      decision = provider_->sampler->ShouldSample({has_parent ? parent : kRoot, span.context_.trace_id, name, options.kind, options.attributes});
    }
    const uint32_t kept = has_parent ? parent.flags & 0xffu & ~kSampledFlag : 0;
    span.context_.flags = kept | (decision.sampled ? kSampledFlag : 0);
    span.context_.trace_state = decision.trace_state;
    if (decision.sampled) Begin(binding, name, options, has_parent ? parent : kRoot, decision, &span);
  });
  return span;
}

void TracerCore::Begin(const Binding& binding, std::string_view name, const SpanOptions& options, const SpanContext& parent,
                       const SamplingResult&, Span* span) const {
  span->tracer_ = this;
  span->writer_ = binding.writer;
  span->scope_ = binding.ref;
  span->epoch_ = recorder().epoch();
  span->start_ = options.start_time_unix_nano != 0 ? options.start_time_unix_nano : UnixNanoNow();
  AttributeBuffer attributes;
  attributes.Add({binding.writer, provider_->dictionary_owner()}, options.attributes, UINT32_MAX, limits().attribute_value_length, [span](ring::Ref key) { return span->Admit(key); });
  span->dropped_.attributes += attributes.dropped();
  std::string storage;
  ring::SpanStart start{.scope = binding.ref, .trace_id = span->context_.trace_id.bytes, .span_id = span->context_.span_id.bytes,
                        .name = ValidText(name, &storage)};
  start.parent_span_id = parent.span_id.empty() ? nullptr : parent.span_id.bytes.data();
  start.flags = span->context_.flags;
  start.kind = static_cast<ring::SpanKind>(options.kind);
  start.start_time_unix_nano = span->start_;
  start.attributes = attributes.view();
  start.trace_state = span->context_.trace_state_text();
  (void)binding.writer->RecordSpanStart(start);  // what finds no room is counted by the ring
  for (const LinkView& link : options.links) span->AddLink(link.context, link.attributes);
}

}  // namespace otlp_arrow::sdk
