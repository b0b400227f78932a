// SIGINT, SIGTERM and SIGHUP as an event to wait for. No code runs in signal handlers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <thread>

namespace otlp_arrow {

// Make one before any other thread: the signals are blocked in the threads that start after it, and taken by its own.
// The second signal ends the process at once with 128 + its number. Ignores SIGPIPE; leaves SIGHUP alone where it is
// ignored already (nohup).
class SignalWatch {
 public:
  SignalWatch();
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // Returns the first signal's number when it has arrived.
  int Wait();
  // False, at once, when a signal has arrived or arrives meanwhile.
  bool SleepFor(std::chrono::milliseconds time);
  // The first signal's number, 0 before it.
  int received() const;

 private:
  void Run();

  sigset_t signals_;
  sigset_t old_mask_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  int received_ = 0;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace otlp_arrow
