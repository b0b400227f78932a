// Time as a parameter, so that tests of intervals and retention never sleep.
#pragma once

#include <chrono>
#include <memory>

namespace otlp_arrow {

class Clock {
 public:
  using WallTime = std::chrono::system_clock::time_point;
  using SteadyTime = std::chrono::steady_clock::time_point;

  virtual ~Clock() = default;
  virtual WallTime Now() const = 0;
  virtual SteadyTime SteadyNow() const = 0;

  // The machine's clocks.
  static std::shared_ptr<Clock> System();
};

}  // namespace otlp_arrow
