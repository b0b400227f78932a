// Sends what journals hold to any number of destinations, each at its own pace.
//
// For each destination, source and signal there is a lane: a cursor in the journal, the requests under way, and behind them the
// position up to which everything is settled (sent, rejected by the peer, or given up), which alone is written down. Each
// destination has max_in_flight threads; a thread takes the next batch of the oldest lane that has one ready, and keeps it
// until it is settled. docs/forwarding.md
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "forward/forward_source.h"
#include "forward/otlp_sender.h"
#include "otlp_arrow/forwarding.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

class Forwarder {
 public:
  // Starts the threads. `clock` may be null. Errors: kConfig: a destination that is wrong, two of the same name, too many, or no
  // factory.
  static Result<std::unique_ptr<Forwarder>> Start(const std::vector<ForwardingConfig>& destinations, std::shared_ptr<SenderFactory> factory,
                                                  std::shared_ptr<Clock> clock = nullptr);
  // Stops at once what Stop() did not.
  virtual ~Forwarder() = default;

  // From now on it is sent. Left-over ones come before live ones, in the order of these calls. In a live one each destination gets
  // a place; of one that is left over, destinations without a place are owed nothing. Errors: kConfig, kIo.
  virtual Status AddSource(std::shared_ptr<ForwardSource> source) = 0;
  // Forgets a source that is settled (or no longer readable); returns when no thread uses it any more.
  virtual void RemoveSource(const ForwardSource* source) = 0;

  // Something was appended to a live source. Cheap, from any thread.
  virtual void OnAppended() = 0;
  // Looks at give_up_before of all sources soon.
  virtual void OnGiveUp() = 0;

  // The records of `source` up to which every destination that takes the signal has settled everything; UINT64_MAX where none takes it.
  virtual StoredSequences DoneUpTo(ForwardSource& source) const = 0;
  // Items of a signal that all of them have settled: the smallest number of any destination that takes it.
  virtual int64_t SettledItems(ForwardSource& source, Signal signal) const = 0;
  // Nothing is left to be sent, to any of them.
  virtual bool IsSettled(ForwardSource& source) const = 0;

  // Does any destination take it?
  virtual bool Takes(Signal signal) const = 0;

  // Waits until all sources are settled, but not for a destination that is failing. True: they are.
  virtual bool Drain(std::chrono::milliseconds timeout) = 0;
  // Stops sending: requests under way are cancelled after `grace`. Later calls do nothing.
  virtual void Stop(std::chrono::milliseconds grace) = 0;

  // In the order of the configuration; items of all sources since they were added.
  virtual std::vector<DestinationStats> Stats() const = 0;
};

}  // namespace otlp_arrow
