// Timing of alternatives in turn: A B A B …, so that a change of the machine's speed meets both.
#pragma once

#include <algorithm>
#include <chrono>
#include <ctime>
#include <functional>
#include <vector>

namespace otlp_arrow::bench {

// CPU seconds of this thread.
inline double ThreadCpu() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// CPU seconds of the whole process.
inline double ProcessCpu() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

inline double Median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

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

}  // namespace otlp_arrow::bench
