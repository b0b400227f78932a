// The observable instruments of a provider, and the thread that asks them.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/platform/fork.h"
#include "otlp_arrow/sdk/meter.h"

namespace otlp_arrow::sdk {

// How far the sums of an observable are recorded, by stream and attribute set.
using ObservedSums = std::map<std::string, std::variant<int64_t, double>>;

class Observers;

// An observable instrument. Its list of callbacks is guarded by the lock of the observers.
class ObservableCore : public std::enable_shared_from_this<ObservableCore> {
 public:
  ObservableCore(std::shared_ptr<Observers> all, std::shared_ptr<const InstrumentCore> recorded) : observers(std::move(all)), instrument(std::move(recorded)) {}

  const std::shared_ptr<Observers> observers;
  const std::shared_ptr<const InstrumentCore> instrument;
  std::vector<std::pair<uint64_t, std::shared_ptr<ObservableCallback>>> callbacks;
  std::unique_ptr<ObservedSums> sums = std::make_unique<ObservedSums>();  // of the thread that asks
};

class Observers final : public std::enable_shared_from_this<Observers>, private platform::ForkParticipant {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Observers(std::chrono::milliseconds interval);
  ~Observers() override;

  uint64_t Add(const std::shared_ptr<ObservableCore>& observable, ObservableCallback callback);
  // 0: all of its callbacks.
  void Remove(ObservableCore* observable, uint64_t callback);

  // Asks all of them on their thread, and waits for that; false where that took longer. Within a callback it does nothing.
  bool ObserveAll(Clock::time_point deadline) noexcept;
  // Ends the thread; one that hangs in a callback is left alone at the deadline.
  void Stop(Clock::time_point deadline) noexcept;

 private:
  // Of one process: a forked child leaves its parent's where it is, since others may have held its lock.
  struct Worker {
    std::mutex mutex;
    std::condition_variable changed;
    uint64_t wanted = 0, done = 0;  // rounds
    bool is_asking = false, is_stopping = false, has_ended = false;
    std::thread thread;
  };

  std::shared_ptr<Worker> StartWorker();
  static void Run(const std::shared_ptr<Worker>& worker, const std::weak_ptr<Observers>& observers, std::chrono::milliseconds interval);
  void AskAll();
  void PrepareFork() override { mutex_.lock(); }
  void FinishForkInParent() override { mutex_.unlock(); }
  void FinishForkInChild() override;

  const std::chrono::milliseconds interval_;
  std::mutex mutex_;  // of all below; held for short times alone
  std::vector<std::weak_ptr<ObservableCore>> observables_;
  std::shared_ptr<Worker> worker_;
  uint64_t last_callback_ = 0;
  bool is_stopped_ = false;
};

}  // namespace otlp_arrow::sdk
