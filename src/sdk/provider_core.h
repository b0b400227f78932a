// What the tracers, meters and loggers of a provider share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/sdk/definitions.h"
#include "otlp_arrow/sdk/provider.h"
#include "sdk/fork_safe_mutex.h"
#include "sdk/observers.h"

namespace otlp_arrow::sdk {

class ProviderCore {
 public:
  ProviderCore(std::shared_ptr<Recorder> recorder_of_all, std::shared_ptr<const Resource> resource_of_all)
      : recorder(std::move(recorder_of_all)), resource(std::move(resource_of_all)), no_name(recorder, "(no name)") {}

  // The dictionary of the recorder's ring in this epoch.
  uint64_t dictionary_owner() const noexcept { return number_ << 32 | recorder->epoch(); }

  const std::shared_ptr<Recorder> recorder;
  const std::shared_ptr<const Resource> resource;
  StringDefinition no_name;  // of events without one
  std::shared_ptr<const Sampler> sampler;
  SpanLimits span_limits;
  LogLimits log_limits;
  std::vector<View> views;
  MetricTemporality temporality = MetricTemporality::kCumulative;
  ExemplarFilter exemplar_filter = ExemplarFilter::kTraceBased;
  bool shut_down_recorder = true;
  std::atomic<bool> is_shut_down{false};
  std::shared_ptr<Observers> observers;
  ForkSafeMutex mutex;  // of the lists of scopes and instruments

 private:
  static uint64_t NextNumber() noexcept {
    static std::atomic<uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  const uint64_t number_ = NextNumber();
};

// A call that must not fail, whatever happens: there may be no memory.
template <class Call>
void Guarded(Call&& call) noexcept {
  try {
    call();
  } catch (...) {
  }
}

// The context of what is recorded; null where there is none.
inline const SpanContext* ContextOr(const SpanContext* given) noexcept {
  const SpanContext* context = given ? given : &CurrentContext();
  return context->IsValid() ? context : nullptr;
}
inline ring::SpanContext RingContext(const SpanContext& context) { return {context.trace_id.bytes, context.span_id.bytes, context.flags}; }

}  // namespace otlp_arrow::sdk
