// A pipeline for tests of servers: answers as told, now or later, and remembers what it was given.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

class FakePipeline final : public Pipeline {
 public:
  struct Request {
    Signal signal;
    std::string bytes;
  };
  struct Refusal {
    Signal signal;
    int64_t items;
    std::string reason;
  };

  // What every request is answered with; by default, that all is kept.
  void AnswerWith(AcceptResult result) {
    std::lock_guard lock(mutex_);
    answer_ = std::move(result);
  }
  // The next `count` requests wait until Release() answers them.
  void Defer(size_t count = SIZE_MAX) {
    std::lock_guard lock(mutex_);
    to_defer_ = count;
  }
  // Answers all that wait, on this thread, and those to come at once.
  void Release() {
    std::unique_lock lock(mutex_);
    to_defer_ = 0;
    auto waiting = std::exchange(waiting_, {});
    const AcceptResult answer = answer_;
    lock.unlock();
    for (auto& done : waiting) done(answer);
  }
  void SetNotReady(std::string why) {
    std::lock_guard lock(mutex_);
    not_ready_ = std::move(why);
  }
  void SetForwardingStats(std::vector<DestinationStats> stats) {
    std::lock_guard lock(mutex_);
    forwarding_stats_ = std::move(stats);
  }
  void SetLedger(Ledger ledger) {
    std::lock_guard lock(mutex_);
    ledger_ = std::move(ledger);
  }
  // Blocks until `n` requests came; they stay in requests().
  void WaitForRequests(size_t n) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= n; });
  }
  std::vector<Request> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  std::vector<Refusal> refusals() const {
    std::lock_guard lock(mutex_);
    return refusals_;
  }
  // The most memory that was asked for at once.
  size_t largest_allocation() const {
    std::lock_guard lock(mutex_);
    return largest_allocation_;
  }

  void Accept(Signal signal, SharedBytes bytes, AcceptCallback done) override {
    std::unique_lock lock(mutex_);
    requests_.push_back({signal, std::string(bytes.data)});
    changed_.notify_all();
    if (to_defer_ > 0) {
      --to_defer_;
      waiting_.push_back(std::move(done));
      return;
    }
    const AcceptResult answer = answer_;
    lock.unlock();
    done(answer);
  }

  WritableBytes Allocate(size_t size) override {
    {
      std::lock_guard lock(mutex_);
      largest_allocation_ = std::max(largest_allocation_, size);
    }
    std::shared_ptr<void> owner(std::malloc(size + kSlack), std::free);
    char* data = static_cast<char*>(owner.get());
    return {std::move(owner), data, size};
  }

  Status Flush(std::chrono::milliseconds) override { return Status::Ok(); }
  Status Shutdown(std::chrono::milliseconds) override { return Status::Ok(); }

  bool Ready(std::string* why) const override {
    std::lock_guard lock(mutex_);
    if (why) *why = not_ready_;
    return not_ready_.empty();
  }
  Ledger GetLedger() const override {
    std::lock_guard lock(mutex_);
    return ledger_;
  }
  void CountRefused(Signal signal, int64_t items, std::string_view reason) override {
    std::lock_guard lock(mutex_);
    refusals_.push_back({signal, items, std::string(reason)});
  }
  uint64_t QueuedBytes() const override { return 4711; }
  std::vector<DestinationStats> ForwardingStats() const override {
    std::lock_guard lock(mutex_);
    return forwarding_stats_;
  }

 private:
  static constexpr size_t kSlack = 64;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  AcceptResult answer_;
  size_t to_defer_ = 0;
  std::vector<AcceptCallback> waiting_;
  std::vector<Request> requests_;
  std::vector<Refusal> refusals_;
  std::string not_ready_;
  Ledger ledger_;
  std::vector<DestinationStats> forwarding_stats_;
  size_t largest_allocation_ = 0;
};

}  // namespace otlp_arrow
