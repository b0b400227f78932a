// What the system knows of this process.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace otlp_arrow::platform {

// When this process started, as exactly as the system tells; without its help, when somebody first asked.
std::chrono::system_clock::time_point ProcessStartTime();

struct ProcessStats {
  double cpu_seconds = 0;
  // Where the system tells (Linux):
  std::optional<uint64_t> resident_bytes;
  std::optional<uint64_t> virtual_bytes;
  std::optional<uint64_t> threads;
  std::optional<uint64_t> open_files;
  std::optional<uint64_t> max_open_files;
};
ProcessStats GetProcessStats();

}  // namespace otlp_arrow::platform
