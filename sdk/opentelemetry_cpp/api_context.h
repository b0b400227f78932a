// Span contexts of the API and of the native SDK.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include <opentelemetry/context/context.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/span.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/trace_state.h>

#include "otlp_arrow/sdk/context.h"

namespace otlp_arrow::bridge {

namespace api = opentelemetry::trace;

inline sdk::SpanContext FromApi(const api::SpanContext& from) {
  sdk::SpanContext context;
  std::memcpy(context.trace_id.bytes.data(), from.trace_id().Id().data(), 16);
  std::memcpy(context.span_id.bytes.data(), from.span_id().Id().data(), 8);
  context.flags = from.trace_flags().flags();
  context.is_remote = from.IsRemote();
  if (from.trace_state() && !from.trace_state()->Empty()) context.trace_state = std::make_shared<const std::string>(from.trace_state()->ToHeader());
  return context;
}

inline api::SpanContext ToApi(const sdk::SpanContext& from, opentelemetry::nostd::shared_ptr<api::TraceState> state) {
  return {api::TraceId(from.trace_id.bytes), api::SpanId(from.span_id.bytes), api::TraceFlags(static_cast<uint8_t>(from.flags)), from.is_remote, std::move(state)};
}

// The span in a value of the API's context that holds one; null where it holds none.
inline const opentelemetry::nostd::shared_ptr<api::Span>* SpanIn(const opentelemetry::context::ContextValue& value) {
  return opentelemetry::nostd::get_if<opentelemetry::nostd::shared_ptr<api::Span>>(&value);
}

// The span context in a context of the API, where that has a valid one.
inline std::optional<api::SpanContext> ContextIn(const opentelemetry::context::ContextValue& value) {
  const auto* span = SpanIn(value);
  if (!span || !*span) return std::nullopt;
  const api::SpanContext context = (*span)->GetContext();
  return context.IsValid() ? std::optional<api::SpanContext>(context) : std::nullopt;
}
inline std::optional<api::SpanContext> CurrentApiContext() { return ContextIn(opentelemetry::context::RuntimeContext::GetValue(api::kSpanKey)); }

}  // namespace otlp_arrow::bridge
