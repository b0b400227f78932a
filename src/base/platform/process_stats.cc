#include "base/platform/process_stats.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace otlp_arrow::platform {
namespace {

// proc(5), counted from 1.
constexpr size_t kThreads = 20, kStartTicks = 22, kVirtualBytes = 23, kResidentPages = 24;

// The fields of /proc/self/stat from the third on; field 2 may hold anything. Empty where there is no such file.
std::vector<int64_t> StatFields() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return {};
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream words(line.substr(name_end + 1));
  std::vector<int64_t> fields;
  std::string word;
  while (words >> word) fields.push_back(std::strtoll(word.c_str(), nullptr, 10));
  return fields;
}

std::optional<int64_t> Field(const std::vector<int64_t>& fields, size_t number) {
  const size_t index = number - 3;
  if (index >= fields.size()) return std::nullopt;
  return fields[index];
}

std::optional<uint64_t> Positive(std::optional<int64_t> value, uint64_t unit = 1) {
  if (!value || *value < 0) return std::nullopt;
  return static_cast<uint64_t>(*value) * unit;
}

std::optional<uint64_t> CountOpenFiles() {
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end; entry.increment(error)) ++count;
  if (error || count == 0) return std::nullopt;
  return count - 1;  // less the one that counts
}

std::chrono::system_clock::time_point FindStartTime() {
  const auto now = std::chrono::system_clock::now();
#ifdef CLOCK_BOOTTIME
  const auto ticks = Field(StatFields(), kStartTicks);
  timespec since_boot{};
  const long ticks_per_second = sysconf(_SC_CLK_TCK);
  if (!ticks || ticks_per_second <= 0 || clock_gettime(CLOCK_BOOTTIME, &since_boot) != 0) return now;
  const double age = static_cast<double>(since_boot.tv_sec) + static_cast<double>(since_boot.tv_nsec) / 1e9 -
                     static_cast<double>(*ticks) / static_cast<double>(ticks_per_second);
  return now - std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::duration<double>(age));
#else
  return now;
#endif
}

double Seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; }

}  // namespace

std::chrono::system_clock::time_point ProcessStartTime() {
  static const auto start = FindStartTime();
  return start;
}

ProcessStats GetProcessStats() {
  ProcessStats stats;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  stats.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  const std::vector<int64_t> fields = StatFields();
  stats.threads = Positive(Field(fields, kThreads));
  stats.virtual_bytes = Positive(Field(fields, kVirtualBytes));
  stats.resident_bytes = Positive(Field(fields, kResidentPages), static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  stats.open_files = CountOpenFiles();
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY) stats.max_open_files = files.rlim_cur;
  return stats;
}

}  // namespace otlp_arrow::platform
