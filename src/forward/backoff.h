// How long to wait before the next attempt.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

namespace otlp_arrow {

struct BackoffOptions {
  std::chrono::milliseconds first{250};
  std::chrono::milliseconds longest{30000};
};

// Exponential backoff with jitter: each delay is twice the one before, shortened at random by up to half, so that
// senders that failed together do not come back together.
class Backoff {
 public:
  // `random` gives numbers in [0, 1).
  Backoff(BackoffOptions options, std::function<double()> random);

  // The next delay. A wish of the peer is the shortest delay, and is lengthened at random by up to a tenth.
  std::chrono::milliseconds Next(std::optional<std::chrono::milliseconds> retry_after);
  void Reset() { delay_ = options_.first; }

 private:
  BackoffOptions options_;
  std::function<double()> random_;
  std::chrono::milliseconds delay_;
};

}  // namespace otlp_arrow
