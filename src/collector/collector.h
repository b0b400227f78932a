// Drains OTLP-MMAP files: those it is told, and those that appear in directories that it watches.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/ring_drain.h"
#include "collector/sink.h"

namespace otlp_arrow {

struct CollectorOptions {
  std::vector<std::string> inputs;                // files, which need not be there yet, and directories
  DrainOptions drain;
  std::chrono::milliseconds scan_interval{1000};  // how often is looked for new files
  std::chrono::milliseconds retry_interval{200};  // after the sink had no room
  // Otherwise Run returns when everything is handed on and nobody writes any more.
  bool follow = true;
};

struct CollectorStats {
  size_t files = 0;       // open now
  DrainCounters counters;  // of all files since the start
  uint64_t dropped = 0;    // records that producers found no room for, as far as the open files tell
};

class Collector {
 public:
  Collector(CollectorOptions options, CollectorSink* sink);
  ~Collector();

  // Works until `stop` is set, then hands on what is there. Errors: kIo and kServer of an input that is a file and cannot
  // be drained; the sink's, where it took nothing until `deadline` after the stop: the rest stays in the files.
  Status Run(const std::atomic<bool>& stop, std::chrono::milliseconds deadline);

  CollectorStats stats() const;  // any thread

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  Status Scan();
  Status ScanDirectory(const std::string& path);
  Status OpenFile(const std::string& path, bool must_be_one);
  bool StepAll();
  void Close(const std::string& path, const Status& why);
  bool IsFinished() const;
  void Rest(bool worked);
  Status FinishAll(std::chrono::milliseconds deadline);
  void UpdateStats();
  void TellOnce(const std::string& path, const std::string& text);

  const CollectorOptions options_;
  CollectorSink* sink_;
  std::map<std::string, std::unique_ptr<RingDrain>> drains_;
  std::map<std::string, std::string> told_;  // by path: why it is not drained
  DrainCounters closed_;                     // of files that are closed
  SteadyTime next_scan_{};
  std::optional<SteadyTime> retry_at_;
  bool scanned_ = false;
  mutable std::mutex mutex_;
  CollectorStats stats_;  // guarded by mutex_
};

}  // namespace otlp_arrow
