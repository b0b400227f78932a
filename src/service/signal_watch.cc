#include "service/signal_watch.h"

#include <unistd.h>

namespace otlp_arrow {
namespace {

constexpr int kWakeUp = SIGUSR2;  // ends the watching thread; from elsewhere it means nothing

bool IsIgnored(int signal) {
  struct sigaction action{};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

SignalWatch::SignalWatch() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  if (!IsIgnored(SIGHUP)) sigaddset(&signals_, SIGHUP);
  sigaddset(&signals_, kWakeUp);
  pthread_sigmask(SIG_BLOCK, &signals_, &old_mask_);
  thread_ = std::thread([this] { Run(); });
}

SignalWatch::~SignalWatch() {
  {
    std::lock_guard lock(mutex_);
    ending_ = true;
  }
  pthread_kill(thread_.native_handle(), kWakeUp);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

int SignalWatch::Wait() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [this] { return received_ != 0; });
  return received_;
}

bool SignalWatch::SleepFor(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !arrived_.wait_for(lock, time, [this] { return received_ != 0; });
}

int SignalWatch::received() const {
  std::lock_guard lock(mutex_);
  return received_;
}

void SignalWatch::Run() {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0) continue;
    std::lock_guard lock(mutex_);
    if (ending_) return;
    if (signal == kWakeUp) continue;
    if (received_ != 0) _exit(128 + signal);
    received_ = signal;
    arrived_.notify_all();
  }
}

}  // namespace otlp_arrow
