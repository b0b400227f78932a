// One destination: its threads, its lanes, its circuit breaker and its counts.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/endpoint.h"
#include "forward/backoff.h"
#include "forward/circuit_breaker.h"
#include "forward/delivery.h"
#include "forward/lane.h"
#include "forward/otlp_sender.h"
#include "otlp_arrow/forwarding.h"

namespace otlp_arrow {

class Destination {
 public:
  // Makes the first sender, so that what is wrong with it shows at once. Errors: kConfig.
  static Result<std::unique_ptr<Destination>> Start(const ForwardingConfig& config, std::shared_ptr<SenderFactory> factory, std::shared_ptr<Clock> clock);
  ~Destination();

  const std::string& name() const { return name_; }
  bool Takes(Signal signal) const { return config_.Takes(signal); }

  // A left-over source in which the destination has no place is passed by.
  Status AddSource(const std::shared_ptr<ForwardSource>& source);
  void RemoveSource(const ForwardSource* source);

  // Something was appended.
  void Wake();
  // Looks at everything now.
  void Hurry();
  // Gives up what its sources want given up, if need be on this thread.
  void GiveUp();

  // Of a source's signal; nullopt where there is no lane for it.
  std::optional<ForwardState> StateOf(const ForwardSource& source, Signal signal) const;
  // Of `source`, or (null) of all.
  bool IsSettled(const ForwardSource* source) const;
  // Waiting for it is in vain: its last requests failed.
  bool IsFailing() const;

  void BeginDrain();
  // Requests under way go on until CancelAll.
  void BeginStop();
  bool IsIdle() const;
  void CancelAll();
  void Join();

  DestinationStats Stats() const;

 private:
  struct Work {
    std::shared_ptr<Lane> lane;
    Lane::Batch batch;
  };
  struct Worker {
    std::unique_ptr<OtlpSender> sender;
    std::mutex sender_mutex;  // guards the pointer, for CancelAll
    std::thread thread;
  };

  Destination(const ForwardingConfig& config, std::shared_ptr<SenderFactory> factory, std::shared_ptr<Clock> clock);

  void Run(Worker* worker);
  // Waits for work; nullopt when stopping.
  std::optional<Work> NextWork();
  // The batch of the first lane that has one ready; moves `look_again` to when there may be one.
  std::optional<Work> TakeWork(Clock::SteadyTime now, Clock::SteadyTime* look_again, bool* has_unread);
  std::optional<Work> TakeFrom(const std::shared_ptr<Lane>& lane);
  // Reads on in a lane, or only gives up what must be; whoever calls is the one that looks for work.
  std::optional<Lane::Batch> ReadFrom(const std::shared_ptr<Lane>& lane, bool only_give_up);
  std::vector<std::shared_ptr<Lane>> Lanes() const;
  void Deliver(Worker* worker, Work work);
  Verdict AttemptUntilVerdict(Worker* worker, const Work& work, std::string_view request);
  // Waits until a request may go; false where it must not go any more.
  bool Enter(const Work& work);
  // The lock is held.
  bool IsWanted(const Work& work) const { return !stopping_ && work.lane->IsWanted(work.batch.ticket); }
  SendOutcome SendOnce(Worker* worker, Signal signal, std::string_view request);
  void Count(const SendOutcome& outcome, size_t bytes, Clock::SteadyTime begin, Clock::SteadyTime end);
  void ReplaceSender(Worker* worker);
  // False where the request must not go any more.
  bool SleepUntil(Clock::SteadyTime time, const Work& work);
  void ReleaseUse(Lane* lane);
  double Random();

  const ForwardingConfig config_;
  const std::string name_;
  Endpoint endpoint_;
  const std::shared_ptr<SenderFactory> factory_;
  const std::shared_ptr<Clock> clock_;
  std::vector<std::unique_ptr<Worker>> workers_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Lane>> lanes_;  // left-over ones first, then live ones
  CircuitBreaker breaker_;
  Clock::SteadyTime not_before_{};  // the peer's wish
  bool stopping_ = false, draining_ = false;
  bool looking_ = false;  // a thread looks for work; only one does at a time
  size_t turn_ = 0;       // its own
  uint64_t wakes_ = 0;
  int failures_in_a_row_ = 0;
  Clock::SteadyTime failing_since_{};
  DestinationStats counts_;

  std::atomic<bool> idle_{false};  // the thread that looks for work waits for the next append
};

}  // namespace otlp_arrow
