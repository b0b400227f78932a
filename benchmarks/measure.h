// Timing of alternatives in turn: A B A B …, so that a change of the machine's speed meets both.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <string_view>
#include <vector>

namespace otlp_arrow::bench {

inline double SecondsOf(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}
// CPU seconds of this thread.
inline double ThreadCpu() { return SecondsOf(CLOCK_THREAD_CPUTIME_ID); }
// CPU seconds of the whole process.
inline double ProcessCpu() { return SecondsOf(CLOCK_PROCESS_CPUTIME_ID); }
inline double WallTime() { return SecondsOf(CLOCK_MONOTONIC); }

// The value below which a part `q` (0 to 1) of the values lies.
inline double Quantile(std::vector<double> v, double q) {
  if (v.empty()) return 0;
  std::sort(v.begin(), v.end());
  return v[static_cast<size_t>(q * static_cast<double>(v.size() - 1))];
}
inline double Median(const std::vector<double>& v) { return Quantile(v, 0.5); }

// Median CPU seconds of each alternative over `rounds` rounds, after one round that does not count.
inline std::vector<double> InTurn(int rounds, const std::vector<std::function<void()>>& alternatives) {
  std::vector<std::vector<double>> times(alternatives.size());
  for (int r = 0; r <= rounds; ++r) {
    for (size_t a = 0; a < alternatives.size(); ++a) {
      const double begin = ThreadCpu();
      alternatives[a]();
      if (r > 0) times[a].push_back(ThreadCpu() - begin);
    }
  }
  std::vector<double> medians;
  for (auto& t : times) medians.push_back(Median(t));
  return medians;
}

// What has several threads, or something to do before each run that does not count.
struct Alternative {
  std::function<void()> run;
  std::function<void()> prepare = [] {};
};
struct Cost {
  double cpu = 0;   // seconds of the whole process
  double wall = 0;  // seconds
};

// The same with CPU seconds of the whole process.
inline std::vector<Cost> CostsInTurn(int rounds, const std::vector<Alternative>& alternatives) {
  std::vector<std::vector<double>> cpu(alternatives.size()), wall(alternatives.size());
  for (int r = 0; r <= rounds; ++r) {
    for (size_t a = 0; a < alternatives.size(); ++a) {
      alternatives[a].prepare();
      const double cpu_begin = ProcessCpu(), wall_begin = WallTime();
      alternatives[a].run();
      if (r == 0) continue;
      cpu[a].push_back(ProcessCpu() - cpu_begin);
      wall[a].push_back(WallTime() - wall_begin);
    }
  }
  std::vector<Cost> medians;
  for (size_t a = 0; a < alternatives.size(); ++a) medians.push_back({Median(cpu[a]), Median(wall[a])});
  return medians;
}

// Was --quick given: fewer rounds, to see that a benchmark works.
inline bool IsQuick(int argc, char** argv) {
  return std::any_of(argv, argv + argc, [](std::string_view argument) { return argument == "--quick"; });
}

}  // namespace otlp_arrow::bench
