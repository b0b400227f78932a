// Looks after forward/: finds what ended writers left, gives it to the forwarder, and tidies up when it is sent.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "forward/forwarder.h"
#include "otlp_arrow/forwarding.h"
#include "pipeline/left_over.h"
#include "storage/layout.h"

namespace otlp_arrow {

class LeftOvers {
 public:
  // `forwarder` outlives it.
  LeftOvers(const StoreLayout& layout, const std::vector<ForwardingConfig>& destinations, Forwarder* forwarder);
  ~LeftOvers() { Close(); }

  // Takes what nobody has taken yet, the oldest first.
  void Scan();
  // Scans and tidies up every second, on a thread of its own, until EndLooking.
  void Start();
  // Ends the thread; what is there by now is taken.
  void EndLooking();
  // The forwarder has been stopped. What is not sent by now waits for others.
  void Close();

  uint64_t bytes() const;
  // Gives up what waits, up to `bytes` or a little more, first what waits for destinations that are not configured here; returns
  // how much.
  uint64_t GiveUp(uint64_t bytes);
  uint64_t GiveUpParked(uint64_t bytes);

 private:
  void Run();
  void Take(std::shared_ptr<LeftOver> left_over);
  // Those that are sent are written down and removed.
  void FinishSettled();
  bool Finish(const std::shared_ptr<LeftOver>& left_over);
  // What is left is for destinations that are not configured here: it waits for a process that has them.
  void Park(const LeftOver& left_over);
  std::vector<std::shared_ptr<LeftOver>> Taken() const;

  const StoreLayout layout_;
  std::vector<std::string> names_;  // of the destinations
  Forwarder* const forwarder_;
  std::set<std::string> unreadable_;   // that were complained about
  std::set<std::string> finishing_;    // that the forwarder has forgotten

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable stop_wake_;
  bool stop_ = false;
  std::vector<std::shared_ptr<LeftOver>> taken_;  // oldest first
  std::map<std::string, uint64_t> parked_;        // bytes by writer
  std::thread thread_;
};

}  // namespace otlp_arrow
