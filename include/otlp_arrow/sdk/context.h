// What is current on a thread: a span, whose children others become, and baggage. And how both travel between processes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

inline constexpr uint32_t kSampledFlag = 1;

// What identifies a span, here and elsewhere.
struct SpanContext {
  TraceId trace_id{};
  SpanId span_id{};
  uint32_t flags = 0;  // W3C's trace flags
  bool is_remote = false;
  std::shared_ptr<const std::string> trace_state{};  // W3C's header; null: empty

  bool IsValid() const { return !trace_id.empty() && !span_id.empty(); }
  bool IsSampled() const { return (flags & kSampledFlag) != 0; }
  std::string_view trace_state_text() const { return trace_state ? std::string_view(*trace_state) : std::string_view(); }
};

class Span;

// While it lives, a span is the current one of this thread: spans that are started become its children, log records and
// measurements belong to it. The span stays where it is meanwhile, and may end before. Scopes end on their thread.
class OTLP_ARROW_EXPORT Scope {
 public:
  explicit Scope(Span& span) noexcept;
  explicit Scope(SpanContext context) noexcept;  // of a span elsewhere
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  friend const SpanContext& CurrentContext() noexcept;
  friend Span* CurrentSpan() noexcept;

  SpanContext remote_;
  Span* span_ = nullptr;
  const SpanContext* context_;
  Scope* previous_;
};

// The current span of this thread; one that is not valid where there is none. Good as long as its scope.
OTLP_ARROW_EXPORT const SpanContext& CurrentContext() noexcept;
// Null where there is none, or it is one elsewhere.
OTLP_ARROW_EXPORT Span* CurrentSpan() noexcept;

// --- baggage ---------------------------------------------------------------------------------------------------------

// Names and values that travel along; each name once.
using Baggage = std::vector<std::pair<std::string, std::string>>;

class OTLP_ARROW_EXPORT BaggageScope {
 public:
  explicit BaggageScope(Baggage baggage) noexcept;
  ~BaggageScope();
  BaggageScope(const BaggageScope&) = delete;
  BaggageScope& operator=(const BaggageScope&) = delete;

 private:
  friend const Baggage& CurrentBaggage() noexcept;

  Baggage baggage_;
  BaggageScope* previous_;
};

OTLP_ARROW_EXPORT const Baggage& CurrentBaggage() noexcept;

// --- between processes -----------------------------------------------------------------------------------------------

// The headers `traceparent` and `tracestate`, https://www.w3.org/TR/trace-context-2. Nothing where the first one is none that
// the standard allows; a trace state that it does not allow is left out.
OTLP_ARROW_EXPORT std::optional<SpanContext> ParseTraceParent(std::string_view traceparent, std::string_view tracestate = {});
// 55 characters; empty for a context that is not valid.
OTLP_ARROW_EXPORT std::string FormatTraceParent(const SpanContext& context);

// The header `baggage`, https://www.w3.org/TR/baggage: up to 180 entries and 8192 bytes; what is more or malformed is left
// out. Properties of entries are passed over.
OTLP_ARROW_EXPORT Baggage ParseBaggage(std::string_view header);
OTLP_ARROW_EXPORT std::string FormatBaggage(const Baggage& baggage);

}  // namespace otlp_arrow::sdk
