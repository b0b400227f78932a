#include "service/measured_pipeline.h"

#include <algorithm>

namespace otlp_arrow {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kRelaxed = std::memory_order_relaxed;

RequestResult ResultOf(const AcceptResult& result) {
  if (result.status.ok()) return result.rejected_items > 0 ? RequestResult::kPartial : RequestResult::kOk;
  const bool is_the_senders_fault = result.status.code() == StatusCode::kExport && !result.status.retryable();
  return is_the_senders_fault ? RequestResult::kInvalid : RequestResult::kRefused;
}

}  // namespace

std::string_view RequestResultName(RequestResult result) {
  switch (result) {
    case RequestResult::kOk: return "ok";
    case RequestResult::kPartial: return "partial";
    case RequestResult::kInvalid: return "invalid";
    case RequestResult::kRefused: break;
  }
  return "refused";
}

void MeasuredPipeline::Accept(Signal signal, SharedBytes bytes, AcceptCallback done) {
  const auto start = SteadyClock::now();
  const uint64_t size = bytes.data.size();
  Counters* counters = &counters_[static_cast<size_t>(signal)];
  pipeline_->Accept(signal, std::move(bytes), [counters, start, size, done = std::move(done)](AcceptResult result) {
    Count(counters, size, SteadyClock::now() - start, ResultOf(result));
    done(std::move(result));
  });
}

void MeasuredPipeline::CountRefused(Signal signal, int64_t items, std::string_view reason) {
  {
    std::lock_guard lock(refusals_mutex_);
    auto it = refusals_.find(reason);
    if (it == refusals_.end()) it = refusals_.emplace(std::string(reason), 0).first;
    ++it->second;
  }
  pipeline_->CountRefused(signal, items, reason);
}

void MeasuredPipeline::Count(Counters* counters, uint64_t bytes, SteadyClock::duration duration, RequestResult result) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bucket = std::lower_bound(kDurationBounds.begin(), kDurationBounds.end(), seconds) - kDurationBounds.begin();
  counters->durations[static_cast<size_t>(bucket)].fetch_add(1, kRelaxed);
  counters->duration_sum_nanos.fetch_add(static_cast<uint64_t>(std::chrono::nanoseconds(duration).count()), kRelaxed);
  counters->bytes.fetch_add(bytes, kRelaxed);
  counters->results[static_cast<size_t>(result)].fetch_add(1, kRelaxed);
}

MeasuredPipeline::Requests MeasuredPipeline::RequestsOf(Signal signal) const {
  const Counters& counters = counters_[static_cast<size_t>(signal)];
  Requests requests;
  for (size_t i = 0; i < requests.durations.size(); ++i) requests.durations[i] = counters.durations[i].load(kRelaxed);
  for (size_t i = 0; i < requests.results.size(); ++i) requests.results[i] = counters.results[i].load(kRelaxed);
  requests.duration_sum_secs = static_cast<double>(counters.duration_sum_nanos.load(kRelaxed)) / 1e9;
  requests.bytes = counters.bytes.load(kRelaxed);
  return requests;
}

std::map<std::string, uint64_t, std::less<>> MeasuredPipeline::Refusals() const {
  std::lock_guard lock(refusals_mutex_);
  return refusals_;
}

}  // namespace otlp_arrow
