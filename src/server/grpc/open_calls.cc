#include "server/grpc/open_calls.h"

namespace otlp_arrow {

bool OpenCalls::Add(ExportCall* call) {
  std::lock_guard lock(mutex_);
  if (draining_) return false;
  calls_.insert(call);
  return true;
}

bool OpenCalls::BeginAnswer(ExportCall* call) {
  std::lock_guard lock(mutex_);
  if (calls_.erase(call) == 0) return false;
  ++answering_;
  return true;
}

void OpenCalls::Answered() {
  std::lock_guard lock(mutex_);
  --answering_;
  if (draining_) changed_.notify_all();
}

std::vector<ExportCall*> OpenCalls::Drain(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  draining_ = true;
  changed_.wait_until(lock, deadline, [this] { return calls_.empty() && answering_ == 0; });
  std::vector<ExportCall*> given_up(calls_.begin(), calls_.end());
  calls_.clear();
  // An answer that has begun touches the server: it must end first, and takes no time.
  changed_.wait(lock, [this] { return answering_ == 0; });
  return given_up;
}

}  // namespace otlp_arrow
