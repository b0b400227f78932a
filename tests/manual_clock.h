// A clock that moves only when told.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace otlp_arrow {

class ManualClock final : public Clock {
 public:
  WallTime Now() const override { return WallTime(std::chrono::nanoseconds(now_ + offset_)); }
  SteadyTime SteadyNow() const override { return SteadyTime(std::chrono::nanoseconds(now_.load())); }
  void Advance(std::chrono::nanoseconds time) { now_ += time.count(); }
  // Somebody sets the wall clock, forward or back.
  void Turn(std::chrono::nanoseconds time) { offset_ += time.count(); }

 private:
  std::atomic<int64_t> now_{std::chrono::nanoseconds(std::chrono::hours(24)).count()};
  std::atomic<int64_t> offset_{0};
};

}  // namespace otlp_arrow
