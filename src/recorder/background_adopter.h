// A thread that takes over rings whose programs are gone, for services whose directory programs record into.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "collector/sink.h"

namespace otlp_arrow {

class BackgroundAdopter {
 public:
  // Looks at once and every few seconds. `sink` outlives it.
  BackgroundAdopter(const std::string& output_dir, CollectorSink* sink);
  // Ends with the piece of work that is under way; the rest waits for the next start.
  ~BackgroundAdopter();
  BackgroundAdopter(const BackgroundAdopter&) = delete;
  BackgroundAdopter& operator=(const BackgroundAdopter&) = delete;

 private:
  void Run(const std::string& output_dir, CollectorSink* sink);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace otlp_arrow
