#include "forward/backoff.h"

#include <algorithm>
#include <utility>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

milliseconds Scale(milliseconds delay, double factor) {
  return milliseconds(static_cast<int64_t>(static_cast<double>(delay.count()) * factor));
}

}  // namespace

Backoff::Backoff(BackoffOptions options, std::function<double()> random)
    : options_(options), random_(std::move(random)), delay_(options.first) {}

milliseconds Backoff::Next(std::optional<milliseconds> retry_after) {
  const milliseconds own = Scale(delay_, 1.0 - random_() / 2);
  delay_ = std::min(delay_ * 2, options_.longest);
  if (!retry_after) return own;
  return std::max(own, Scale(*retry_after, 1.0 + random_() / 10));
}

}  // namespace otlp_arrow
