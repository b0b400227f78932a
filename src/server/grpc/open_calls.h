// The calls that the pipeline is deciding on: what a shutdown waits for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace otlp_arrow {

class ExportCall;

// The pipeline's callbacks share this object, so a callback that comes after the server is gone finds it closed.
// Thread-safe.
class OpenCalls {
 public:
  // False once Drain() began: the call must be refused.
  bool Add(ExportCall* call);

  // The right to answer `call`: false where Drain() gave it up, and then it may be gone. After true, Answered() must
  // follow when the answer is on its way.
  bool BeginAnswer(ExportCall* call);
  void Answered();

  // Refuses new calls, waits until every call is answered or `deadline` passed, and gives up the rest: the caller
  // answers these.
  std::vector<ExportCall*> Drain(std::chrono::steady_clock::time_point deadline);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<ExportCall*> calls_;
  int answering_ = 0;
  bool draining_ = false;
};

}  // namespace otlp_arrow
