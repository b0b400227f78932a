// SIGINT, SIGTERM and SIGHUP as an event to wait for. No code runs in signal handlers.
#pragma once

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>
#include <thread>

namespace otlp_arrow {

// Make one before any other thread: the signals are blocked in the threads that start after it, and taken by its own.
// The second signal that ends the process does so at once, with 128 + its number. Ignores SIGPIPE.
class SignalWatch {
 public:
  enum class Hangup {
    kEnds,     // SIGHUP is like SIGTERM; where it is ignored already (nohup) it stays so
    kReloads,  // SIGHUP is an event of its own, as often as it comes; it ends only a process whose terminal went away
  };
  explicit SignalWatch(Hangup hangup = Hangup::kEnds);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The number of the first signal that ends the process, when it has arrived; before that SIGHUP where it reloads, and 0 when the time
  // is over. Several SIGHUP that nobody waited for count as one.
  int Wait(std::optional<std::chrono::milliseconds> time = std::nullopt);
  // False, at once, when a signal that ends the process has arrived or arrives meanwhile.
  bool SleepFor(std::chrono::milliseconds time);
  // That signal's number, 0 before it.
  int received() const;

 private:
  void Run();
  bool Reloads(int signal) const;

  const Hangup hangup_;
  bool had_terminal_ = false;
  sigset_t signals_;
  sigset_t old_mask_;
  mutable std::mutex mutex_;
  std::condition_variable arrived_;
  int received_ = 0;
  bool reload_wanted_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace otlp_arrow
