// What went wrong, in the SDK's internal log: the reason, but not a line for every batch.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "otlp_arrow/status.h"

namespace otlp_arrow::exporters {

class FailureLog {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kQuietTime = std::chrono::minutes(1);

  // `subject` in the plural: "spans". Null stands for the real clock.
  explicit FailureLog(std::string subject, Clock::time_point (*now)() = nullptr) : subject_(std::move(subject)), now_(now ? now : Clock::now) {}

  // `items` were not recorded (0: nothing was lost). One line, unless there was one of this kind within the last minute;
  // the next line then counts what this one would have. Of kind kShutdown there is one line ever.
  void Report(const Status& status, int64_t items);
  // `items` of a batch were left out as invalid, the others recorded.
  void ReportRejected(const std::string& reason, int64_t items);

 private:
  struct Kind {
    Clock::time_point next_line{};  // none before this
    int64_t untold_items = 0;
  };
  // The items to tell of; negative where there is to be no line now.
  int64_t Count(int kind, int64_t items, Clock::duration quiet_time);

  const std::string subject_;
  Clock::time_point (*const now_)();
  std::mutex mutex_;
  std::map<int, Kind> kinds_;  // by StatusCode and whether trying again may help
};

}  // namespace otlp_arrow::exporters
