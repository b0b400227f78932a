#include "recorder/background_adopter.h"

#include <chrono>

#include "base/platform/platform.h"
#include "recorder/ring_adopter.h"

namespace otlp_arrow {
namespace {

constexpr auto kScanInterval = std::chrono::seconds(5);
constexpr auto kRetryPause = std::chrono::milliseconds(50);  // after the sink had no room

}  // namespace

BackgroundAdopter::BackgroundAdopter(const std::string& output_dir, CollectorSink* sink) : thread_([this, output_dir, sink] { Run(output_dir, sink); }) {}

BackgroundAdopter::~BackgroundAdopter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundAdopter::Run(const std::string& output_dir, CollectorSink* sink) {
  platform::SetThreadName("otlp-adopter");
  RingAdopter adopter(output_dir, sink);
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    if (adopter.is_done()) adopter.Scan();
    const bool worked = adopter.Step();
    const bool done = adopter.is_done();
    lock.lock();
    if (worked && !done) continue;
    changed_.wait_for(lock, done ? std::chrono::milliseconds(kScanInterval) : kRetryPause, [&] { return stopping_; });
  }
}

}  // namespace otlp_arrow
