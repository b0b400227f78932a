// The thread of a pipeline that merges small files into large ones. Of all processes on a directory one does it at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "compact/compactor.h"
#include "otlp_arrow/config.h"
#include "pipeline/compaction_stats.h"
#include "storage/layout.h"

namespace otlp_arrow {

class Compaction {
 public:
  Compaction(const Config& config, StoreLayout layout, std::shared_ptr<Clock> clock);
  // Stops.
  ~Compaction();

  // From the next round on; starts and ends the work as `compaction.enabled` says.
  void Reconfigure(const Config& config);
  // Returns when the thread has ended: within a batch's time. What is not published by then is dropped.
  void Stop();
  CompactionStats stats() const;

 private:
  void Run();
  void Round(Compactor* compactor, const CompactOptions& options);

  const StoreLayout layout_;
  const std::shared_ptr<Clock> clock_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> enabled_{false};

  mutable std::mutex mutex_;  // guards what follows, up to the blank line
  std::condition_variable wake_;
  CompactOptions options_;
  bool changed_ = false;
  CompactionStats stats_;

  std::string last_error_;  // the thread's
  std::thread thread_;
};

}  // namespace otlp_arrow
