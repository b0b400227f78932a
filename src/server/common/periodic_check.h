// Something that is done every few seconds, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace otlp_arrow {

// How often servers look whether the files of their certificates have changed.
inline constexpr std::chrono::seconds kCertificatesReadEvery{2};

class PeriodicCheck {
 public:
  PeriodicCheck(std::chrono::milliseconds every, std::function<void()> check);
  // Waits for a check that is under way.
  ~PeriodicCheck();
  PeriodicCheck(const PeriodicCheck&) = delete;
  PeriodicCheck& operator=(const PeriodicCheck&) = delete;

 private:
  void Run(std::chrono::milliseconds every);

  const std::function<void()> check_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace otlp_arrow
