// What a pipeline has to do with forwarding: it starts and ends it, and keeps what waits for destinations within its budget.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "forward/forwarder.h"
#include "otlp_arrow/config.h"
#include "pipeline/left_overs.h"
#include "pipeline/shard.h"
#include "storage/layout.h"

namespace otlp_arrow {

class Forwarding {
 public:
  // Starts the forwarder, with what ended writers left. Null where no destination is configured. Errors: kConfig.
  static Result<std::unique_ptr<Forwarding>> Start(const Config& config, const StoreLayout& layout, const std::shared_ptr<Clock>& clock);

  // How many journals there may be. Requests that come one after the other are sent in that order only out of one, and a relay has no
  // work for more.
  static unsigned Workers(const Config& config);

  Forwarder* forwarder() const { return forwarder_.get(); }
  // Takes the journals of this process, which outlive it.
  Status AddShards(const std::vector<std::shared_ptr<Shard>>& shards);

  // Bytes on the disk that wait to be sent.
  uint64_t BacklogBytes() const;
  bool BacklogIsFull() const { return BacklogBytes() >= config_.forward_backlog_max_bytes; }
  // What the sender of a refused request is told.
  Status BacklogStatus() const;
  // Gives up what is beyond the budget (of a relay: only what waits for others), or what the store needs on a full disk.
  void TrimBacklog();

  // Sends what can be sent until `deadline`, and ends.
  void Stop(Clock::SteadyTime deadline);

 private:
  Forwarding(const Config& config, const StoreLayout& layout) : config_(config), layout_(layout) {}
  uint64_t GiveUp(uint64_t bytes);
  bool DiskIsShort() const;

  const Config config_;
  const StoreLayout layout_;
  std::unique_ptr<Forwarder> forwarder_;
  std::unique_ptr<LeftOvers> left_overs_;
  std::vector<std::shared_ptr<Shard>> shards_;  // they know the forwarder, and go first
};

}  // namespace otlp_arrow
