#include "service/signal_watch.h"

#include <unistd.h>

#include "base/platform/notify.h"

namespace otlp_arrow {
namespace {

constexpr int kWakeUp = SIGUSR2;  // ends the watching thread; from elsewhere it means nothing

bool IsIgnored(int signal) {
  struct sigaction action{};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

SignalWatch::SignalWatch(Hangup hangup) : hangup_(hangup) {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  const bool is_ignored = IsIgnored(SIGHUP);
  if (!is_ignored || hangup == Hangup::kReloads) sigaddset(&signals_, SIGHUP);
  had_terminal_ = !is_ignored && platform::HasControllingTerminal();
  sigaddset(&signals_, kWakeUp);
  pthread_sigmask(SIG_BLOCK, &signals_, &old_mask_);
  if (is_ignored && hangup == Hangup::kReloads) std::signal(SIGHUP, SIG_DFL);  // what is ignored does not become pending
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

int SignalWatch::Wait(std::optional<std::chrono::milliseconds> time) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return received_ != 0 || reload_wanted_; };
  if (!time) {
    arrived_.wait(lock, something);
  } else if (!arrived_.wait_for(lock, *time, something)) {
    return 0;
  }
  if (received_ != 0) return received_;
  reload_wanted_ = false;
  return SIGHUP;
}

bool SignalWatch::SleepFor(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !arrived_.wait_for(lock, time, [this] { return received_ != 0; });
}

int SignalWatch::received() const {
  std::lock_guard lock(mutex_);
  return received_;
}

bool SignalWatch::Reloads(int signal) const {
  if (signal != SIGHUP || hangup_ != Hangup::kReloads) return false;
  return !had_terminal_ || platform::HasControllingTerminal();
}

void SignalWatch::Run() {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals_, &signal) != 0) continue;
    const bool reloads = Reloads(signal);
    std::lock_guard lock(mutex_);
    if (ending_) return;
    if (signal == kWakeUp) continue;
    if (reloads) {
      reload_wanted_ = true;
    } else {
      if (received_ != 0) _exit(128 + signal);
      received_ = signal;
    }
    arrived_.notify_all();
  }
}

}  // namespace otlp_arrow
