// A mutex that is free in a forked child. Held for short times alone, and not while something joins or leaves forks.
#pragma once

#include <mutex>

#include "base/platform/fork.h"

namespace otlp_arrow::sdk {

class ForkSafeMutex final : private platform::ForkParticipant {
 public:
  ForkSafeMutex() { platform::JoinForks(this); }
  ~ForkSafeMutex() override { platform::LeaveForks(this); }
  ForkSafeMutex(const ForkSafeMutex&) = delete;
  ForkSafeMutex& operator=(const ForkSafeMutex&) = delete;

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  void PrepareFork() override { mutex_.lock(); }
  void FinishForkInParent() override { mutex_.unlock(); }
  void FinishForkInChild() override { mutex_.unlock(); }

  std::mutex mutex_;
};

}  // namespace otlp_arrow::sdk
