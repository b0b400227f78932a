// Sends stored telemetry to an OTLP backend, in the order of time, with little in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "base/clock.h"
#include "forward/backoff.h"
#include "forward/otlp_sender.h"
#include "otlp_arrow/signal.h"
#include "service/command_line.h"

namespace otlp_arrow {

struct ReplayReport {
  int64_t files = 0;
  int64_t total = 0;     // items that the files hold, of the wanted signals
  int64_t left_out = 0;  // outside --since and --until
  int64_t sent = 0;      // taken by the peer (with --dry-run: would be sent)
  int64_t rejected = 0;  // of requests that were taken, left out by the peer
  int64_t failed = 0;    // of requests that the peer refused or that ran out of attempts, and of unreadable batches
  int64_t requests = 0;
  int64_t bytes = 0;     // of requests, before compression
  bool stopped = false;  // by the stop signal
  bool gave_up = false;  // the peer is unusable or away for too long
  bool damaged = false;  // a file could not be read

  int64_t unsent() const { return total - left_out - sent - rejected - failed; }
  bool complete() const { return rejected == 0 && failed == 0 && !stopped && !gave_up && !damaged; }
};

class Replayer {
 public:
  struct Hooks {
    std::shared_ptr<Clock> clock;
    std::function<bool(std::chrono::milliseconds)> sleep;  // false: stop
    std::function<bool()> stopping;
    std::function<double()> random;                        // in [0, 1)
    std::function<void(const ReplayReport&)> on_progress;  // after each request
    std::function<void(const std::string&)> on_problem;    // a line for the user
  };

  // `sender` may be null with options.dry_run.
  Replayer(const ReplayOptions& options, OtlpSender* sender, Hooks hooks);

  ReplayReport Run(const std::vector<std::string>& files);

 private:
  bool Wanted(Signal signal) const;
  void CountFiles(const std::vector<std::string>& files);
  void ReplayFile(const std::string& path);
  Status ReplayBatch(Signal signal, const std::shared_ptr<arrow::RecordBatch>& batch);
  void SendRequest(Signal signal, const std::string& bytes, int64_t items);
  // The outcome after as many attempts as it took.
  SendOutcome SendUntilSettled(Signal signal, const std::string& bytes);
  void Pace();
  bool Done() const { return report_.stopped || report_.gave_up; }

  ReplayOptions options_;
  OtlpSender* sender_;
  Hooks hooks_;
  ReplayReport report_;
  Backoff backoff_;
  Clock::SteadyTime start_;
};

}  // namespace otlp_arrow
