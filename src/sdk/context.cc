#include "otlp_arrow/sdk/context.h"

#include "otlp_arrow/sdk/tracer.h"

namespace otlp_arrow::sdk {
namespace {

thread_local Scope* current_scope = nullptr;
thread_local BaggageScope* current_baggage = nullptr;

const SpanContext kNoContext;
const Baggage kNoBaggage;

}  // namespace

Scope::Scope(Span& span) noexcept : span_(&span), context_(&span.context()), previous_(current_scope) { current_scope = this; }

Scope::Scope(SpanContext context) noexcept : remote_(std::move(context)), context_(&remote_), previous_(current_scope) { current_scope = this; }

// Scopes end in any order; one that is not the innermost is taken out from between the others.
Scope::~Scope() {
  for (Scope** at = &current_scope; *at; at = &(*at)->previous_) {
    if (*at != this) continue;
    *at = previous_;
    return;
  }
}

const SpanContext& CurrentContext() noexcept { return current_scope ? *current_scope->context_ : kNoContext; }
Span* CurrentSpan() noexcept { return current_scope ? current_scope->span_ : nullptr; }

BaggageScope::BaggageScope(Baggage baggage) noexcept : baggage_(std::move(baggage)), previous_(current_baggage) { current_baggage = this; }

BaggageScope::~BaggageScope() {
  for (BaggageScope** at = &current_baggage; *at; at = &(*at)->previous_) {
    if (*at != this) continue;
    *at = previous_;
    return;
  }
}

const Baggage& CurrentBaggage() noexcept { return current_baggage ? current_baggage->baggage_ : kNoBaggage; }

}  // namespace otlp_arrow::sdk
