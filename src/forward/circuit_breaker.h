// Keeps from a destination that is down or overloaded the requests that would fail anyway.
#pragma once

#include <chrono>
#include <string_view>

#include "base/clock.h"

namespace otlp_arrow {

struct CircuitBreakerOptions {
  int failures = 5;                          // in a row, that open it; 0: it never opens
  std::chrono::milliseconds open_for{10'000};  // until one request is tried
};

// Closed: requests go. Open: none does. Half open: one does, and its outcome decides. Not thread-safe.
class CircuitBreaker {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };
  using Time = Clock::SteadyTime;

  explicit CircuitBreaker(CircuitBreakerOptions options) : options_(options) {}

  // May a request go now? In the half-open state the first who asks gets it. Whoever gets a yes reports the outcome.
  bool TryEnter(Time now);
  void OnSuccess();
  // Not before `retry_after`, where the peer wished so.
  void OnFailure(Time now, std::chrono::milliseconds retry_after = std::chrono::milliseconds(0));
  // No request can succeed until something is mended: opens at once, also where it would never open by failures.
  void Trip(Time now);

  State state() const { return state_; }
  // When to ask again; for one who got a no. Time::max(): when the request under way is back.
  Time next_try() const { return state_ == State::kOpen ? open_until_ : Time::max(); }
  static std::string_view NameOf(State state);  // "closed", "open", "half_open"

 private:
  CircuitBreakerOptions options_;
  State state_ = State::kClosed;
  int failures_ = 0;
  Time open_until_{};
};

}  // namespace otlp_arrow
