#include "server/http/process_start.h"

#include <cstdint>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <unistd.h>

namespace otlp_arrow {
namespace {

// Field 22 of /proc/self/stat: clock ticks between the machine's start and the process's (proc(5)).
std::optional<int64_t> StartTicks() {
  constexpr int kFieldsBetween = 19;  // fields 3 to 21
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const size_t name_end = line.rfind(')');  // field 2 may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < kFieldsBetween; ++i) fields >> skipped;
  int64_t ticks = 0;
  if (!(fields >> ticks)) return std::nullopt;
  return ticks;
}

std::chrono::system_clock::time_point FindStartTime() {
  const auto now = std::chrono::system_clock::now();
  const auto ticks = StartTicks();
  timespec since_boot{};
  const long ticks_per_second = sysconf(_SC_CLK_TCK);
  if (!ticks || ticks_per_second <= 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return now;
  const double age = static_cast<double>(since_boot.tv_sec) + static_cast<double>(since_boot.tv_nsec) / 1e9 -
                     static_cast<double>(*ticks) / static_cast<double>(ticks_per_second);
  return now - std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::duration<double>(age));
}

}  // namespace

std::chrono::system_clock::time_point ProcessStartTime() {
  static const auto start = FindStartTime();
  return start;
}

}  // namespace otlp_arrow
