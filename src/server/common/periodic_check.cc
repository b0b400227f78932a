#include "server/common/periodic_check.h"

#include <utility>

namespace otlp_arrow {

PeriodicCheck::PeriodicCheck(std::chrono::milliseconds every, std::function<void()> check) : check_(std::move(check)) {
  thread_ = std::thread([this, every] { Run(every); });
}

PeriodicCheck::~PeriodicCheck() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void PeriodicCheck::Run(std::chrono::milliseconds every) {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, every, [this] { return stopping_; })) {
    lock.unlock();
    check_();
    lock.lock();
  }
}

}  // namespace otlp_arrow
