// Sends stored telemetry to a backend, in the order of time, with little in memory.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "base/clock.h"
#include "forward/otlp_sender.h"
#include "otlp_arrow/signal.h"
#include "service/command_line.h"
#include "service/replay_state.h"
#include "service/request_pool.h"

namespace otlp_arrow {

struct ReplayReport {
  int64_t files = 0;
  int64_t total = 0;     // items that the files hold, of the wanted signals
  int64_t earlier = 0;   // settled by an earlier replay (--resume-file)
  int64_t left_out = 0;  // outside --since and --until
  int64_t sent = 0;      // taken by the peer (with --dry-run: would be sent)
  int64_t rejected = 0;  // of requests that were taken, left out by the peer
  int64_t failed = 0;    // of requests that the peer refused or that ran out of attempts, and of unreadable batches
  int64_t requests = 0;
  int64_t bytes = 0;     // of requests, before compression
  bool stopped = false;  // by the stop signal
  bool gave_up = false;  // the peer is unusable or away for too long
  bool damaged = false;  // a file could not be read

  int64_t unsent() const { return total - earlier - left_out - sent - rejected - failed; }
  bool complete() const { return rejected == 0 && failed == 0 && !stopped && !gave_up && !damaged; }
};

class Replayer {
 public:
  // Those of several threads are called one at a time, but for `sleep` and `stopping`.
  struct Hooks {
    std::shared_ptr<Clock> clock;
    std::function<bool(std::chrono::milliseconds)> sleep;  // false: stop
    std::function<bool()> stopping;
    std::function<double()> random;                        // in [0, 1)
    std::function<void(const ReplayReport&)> on_progress;  // after each request
    std::function<void(const std::string&)> on_problem;    // a line for the user
  };

  // As many requests are under way as there are senders; with options.dry_run there may be none. `state` may be null.
  Replayer(const ReplayOptions& options, std::vector<OtlpSender*> senders, Hooks hooks, ReplayState* state = nullptr);

  ReplayReport Run(const std::vector<std::string>& files);

 private:
  // A request that is not settled yet, or stands behind such a one.
  struct Place {
    std::string file;
    ReplayPosition after;  // where a replay goes on once it is settled
    bool is_settled = false;
  };

  bool Wanted(Signal signal) const;
  void CountFiles(const std::vector<std::string>& files);
  void ReplayFile(const std::string& path);
  Status ReplayBatch(Signal signal, int index, const std::shared_ptr<arrow::RecordBatch>& batch);
  void AddRequest(Signal signal, std::string bytes, int64_t items, ReplayPosition after);
  void TakeAnswers(std::vector<ReplayAnswer> answers);
  void TakeAnswer(const ReplayAnswer& answer);
  // False where it is to be sent again by a later replay.
  bool Count(const ReplayAnswer& answer);
  void Settle(uint64_t number);
  void AddPlace(ReplayPosition after, bool is_settled);
  // The outcome after as many attempts as it took. From any thread.
  SendOutcome SendUntilSettled(OtlpSender* sender, const ReplayRequest& request);
  void Problem(const std::string& text);
  void Pace();
  bool Done() const { return is_stopped_ || report_.gave_up; }

  const ReplayOptions options_;
  const Hooks hooks_;
  ReplayState* const state_;
  ReplayReport report_;
  std::mutex hooks_mutex_;
  std::atomic<bool> is_stopped_{false};
  std::atomic<bool> has_given_up_{false};
  Clock::SteadyTime start_;
  int64_t paced_items_ = 0;

  std::string file_;      // being read, as the state names it
  ReplayPosition resume_;  // where it begins
  std::deque<Place> places_;
  uint64_t first_place_ = 0;  // the number of places_.front()
  RequestPool pool_;          // last: its threads use the rest
};

}  // namespace otlp_arrow
