// What /metrics tells beyond pipeline and process: the build, the requests of each server, the files in the directory. docs/operation.md
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "otlp_arrow/signal.h"
#include "service/measured_pipeline.h"
#include "storage/layout.h"

namespace otlp_arrow {

// The data files of a directory, counted at most every few seconds: there may be many.
class FileCounts {
 public:
  struct Count {
    uint64_t files = 0;
    uint64_t bytes = 0;
  };
  using Key = std::pair<Signal, FileFormat>;

  FileCounts(const std::string& output_dir, std::shared_ptr<Clock> clock) : layout_(output_dir), clock_(std::move(clock)) {}

  // Of each signal and format, those without files too. What cannot be listed counts as nothing.
  std::map<Key, Count> Get();

 private:
  const StoreLayout layout_;
  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  std::map<Key, Count> counts_;
  Clock::SteadyTime counted_at_;
};

// How reading the configuration again went.
struct ReloadCounts {
  uint64_t good = 0;
  uint64_t failed = 0;
  std::chrono::system_clock::time_point last_good{};  // the start, before the first reload
};

std::string ServiceMetricsText(const std::vector<const MeasuredPipeline*>& servers, const std::map<FileCounts::Key, FileCounts::Count>& files,
                               const ReloadCounts& reloads);

}  // namespace otlp_arrow
