#include "service/request_pool.h"

#include <utility>

namespace otlp_arrow {

RequestPool::RequestPool(std::vector<OtlpSender*> senders, Send send) : senders_(std::move(senders)), send_(std::move(send)) {
  if (senders_.size() < 2) return;
  for (OtlpSender* s : senders_) threads_.emplace_back([this, s] { Work(s); });
}

RequestPool::~RequestPool() {
  {
    std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  added_.notify_all();
  for (std::thread& t : threads_) t.join();
}

std::vector<ReplayAnswer> RequestPool::Add(ReplayRequest request) {
  std::vector<ReplayAnswer> answers;
  if (threads_.empty()) {
    SendOutcome outcome = send_(senders_.empty() ? nullptr : senders_.front(), request);
    answers.push_back({std::move(request), std::move(outcome)});
    return answers;
  }
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [this] { return under_way_ < threads_.size(); });
  requests_.push_back(std::move(request));
  ++under_way_;
  added_.notify_one();
  answers.swap(answers_);
  return answers;
}

std::vector<ReplayAnswer> RequestPool::Finish() {
  std::unique_lock lock(mutex_);
  answered_.wait(lock, [this] { return under_way_ == 0; });
  return std::exchange(answers_, {});
}

void RequestPool::Work(OtlpSender* sender) {
  std::unique_lock lock(mutex_);
  for (;;) {
    added_.wait(lock, [this] { return is_ending_ || !requests_.empty(); });
    if (requests_.empty()) return;
    ReplayRequest request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    SendOutcome outcome = send_(sender, request);
    lock.lock();
    answers_.push_back({std::move(request), std::move(outcome)});
    --under_way_;
    answered_.notify_one();
  }
}

}  // namespace otlp_arrow
