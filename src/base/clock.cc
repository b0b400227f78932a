#include "base/clock.h"

namespace otlp_arrow {
namespace {

class SystemClock : public Clock {
 public:
  WallTime Now() const override { return std::chrono::system_clock::now(); }
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

std::shared_ptr<Clock> Clock::System() {
  static auto clock = std::make_shared<SystemClock>();
  return clock;
}

}  // namespace otlp_arrow
