// What a service tells the supervisor that started it: systemd's protocol of notification (sd_notify(3)), without its library.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace otlp_arrow::platform {

// Sends lines such as "READY=1\nSTATUS=…" to the socket that NOTIFY_SOCKET names. False where no supervisor listens.
bool NotifySupervisor(std::string_view lines);

// The clock that a supervisor wants to see in RELOADING=1: MONOTONIC_USEC.
std::chrono::microseconds MonotonicTime();

// How long this process may be silent before its supervisor takes it for hung (WATCHDOG_USEC); nullopt where it does not watch.
std::optional<std::chrono::microseconds> WatchdogTimeout();

// Does a terminal control this process? One that had it and has it no more was left behind by its user.
bool HasControllingTerminal();

}  // namespace otlp_arrow::platform
