#include "service/supervisor.h"

#include <algorithm>
#include <cstdlib>

#include "base/platform/notify.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStatusEvery{10'000};
// Beyond its own deadline an end may take this long.
constexpr std::chrono::seconds kSlack{10};

std::string Lines(const std::string& state, const std::string& status) { return state + "\nSTATUS=" + status.substr(0, status.find('\n')); }

}  // namespace

Supervisor::Supervisor() {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  interval_ = kStatusEvery;
  // Two signs in each period: one may be late.
  if (const auto timeout = platform::WatchdogTimeout()) {
    interval_ = std::clamp(std::chrono::duration_cast<milliseconds>(*timeout / 2), milliseconds(1), kStatusEvery);
  }
}

void Supervisor::Ready(const std::string& status) const { platform::NotifySupervisor(Lines("READY=1", status)); }

void Supervisor::Reloading() const {
  platform::NotifySupervisor("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(platform::MonotonicTime().count()) +
                             "\nSTATUS=reading the configuration again");
}

void Supervisor::Stopping(std::chrono::seconds at_most) const {
  const auto microseconds = std::chrono::microseconds(at_most + kSlack).count();
  platform::NotifySupervisor("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(microseconds) + "\nSTATUS=writing what is under way");
}

void Supervisor::Says(const std::string& status) const { platform::NotifySupervisor("STATUS=" + status.substr(0, status.find('\n'))); }

void Supervisor::Alive(const std::string& status) const { platform::NotifySupervisor(Lines("WATCHDOG=1", status)); }

}  // namespace otlp_arrow
