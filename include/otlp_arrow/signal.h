// The three OTLP signals.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace otlp_arrow {

enum class Signal : uint8_t { kTraces = 0, kMetrics = 1, kLogs = 2 };

inline constexpr size_t kSignalCount = 3;
inline constexpr std::array<Signal, kSignalCount> kAllSignals = {Signal::kTraces, Signal::kMetrics, Signal::kLogs};

// "traces", "metrics", "logs": the name in paths, URLs and counters.
constexpr std::string_view SignalName(Signal signal) {
  constexpr std::string_view kNames[] = {"traces", "metrics", "logs"};
  return kNames[static_cast<size_t>(signal)];
}

// "span", "data point", "log record": one item of the signal, in messages.
constexpr std::string_view ItemName(Signal signal) {
  constexpr std::string_view kNames[] = {"span", "data point", "log record"};
  return kNames[static_cast<size_t>(signal)];
}

constexpr std::optional<Signal> SignalFromName(std::string_view name) {
  for (Signal s : kAllSignals) {
    if (SignalName(s) == name) return s;
  }
  return std::nullopt;
}

}  // namespace otlp_arrow
