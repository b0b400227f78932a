#include "forward/circuit_breaker.h"

#include <algorithm>

namespace otlp_arrow {

bool CircuitBreaker::TryEnter(Time now) {
  switch (state_) {
    case State::kClosed: return true;
    case State::kHalfOpen: return false;
    case State::kOpen: break;
  }
  if (now < open_until_) return false;
  state_ = State::kHalfOpen;
  return true;
}

void CircuitBreaker::OnSuccess() {
  state_ = State::kClosed;
  failures_ = 0;
}

void CircuitBreaker::OnFailure(Time now, std::chrono::milliseconds retry_after) {
  ++failures_;
  const bool opens = state_ == State::kHalfOpen || (options_.failures > 0 && failures_ >= options_.failures);
  if (!opens) return;
  state_ = State::kOpen;
  open_until_ = std::max(open_until_, now + std::max(options_.open_for, retry_after));
}

void CircuitBreaker::Trip(Time now) {
  ++failures_;
  state_ = State::kOpen;
  open_until_ = std::max(open_until_, now + options_.open_for);
}

std::string_view CircuitBreaker::NameOf(State state) {
  switch (state) {
    case State::kClosed: return "closed";
    case State::kOpen: return "open";
    case State::kHalfOpen: return "half_open";
  }
  return {};
}

}  // namespace otlp_arrow
