#include "base/platform/process_stats.h"

#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace otlp_arrow::platform {
namespace {

TEST(ProcessStats, TheStartLiesInThePastAndStays) {
  const auto start = ProcessStartTime();
  EXPECT_LE(start, std::chrono::system_clock::now());
  EXPECT_GT(start, std::chrono::system_clock::now() - std::chrono::hours(24));
  EXPECT_EQ(ProcessStartTime(), start);
}

TEST(ProcessStats, CpuTimeGrowsWithWork) {
  const double before = GetProcessStats().cpu_seconds;
  volatile unsigned work = 0;
  while (GetProcessStats().cpu_seconds <= before) work = work + 1;
}

#ifdef __linux__
TEST(ProcessStats, CountsThreadsAndFiles) {
  const ProcessStats before = GetProcessStats();
  ASSERT_TRUE(before.threads && before.open_files && before.resident_bytes && before.virtual_bytes);
  EXPECT_GT(*before.resident_bytes, 1u << 20);
  EXPECT_GE(*before.virtual_bytes, *before.resident_bytes);
  std::vector<std::ifstream> files(5);
  for (auto& file : files) file.open("/proc/self/stat");
  std::jthread thread([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  const ProcessStats after = GetProcessStats();
  EXPECT_EQ(*after.open_files, *before.open_files + 5);
  EXPECT_EQ(*after.threads, *before.threads + 1);
}
#endif

}  // namespace
}  // namespace otlp_arrow::platform
