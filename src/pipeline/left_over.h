// The journal of a writer that has ended, in forward/, on its way to the destinations that have not got all of it.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/platform/platform.h"
#include "forward/forwarder.h"
#include "storage/layout.h"

namespace otlp_arrow {

class LeftOver final : public ForwardSource {
 public:
  // Takes its lock, and the headers of its records. Null where another process has it, or has just finished it. Errors: kIo.
  // `forwarder` outlives it.
  static Result<std::shared_ptr<LeftOver>> Open(const StoreLayout& layout, const std::string& writer, Forwarder* forwarder);

  // When its first record arrived, nanoseconds since 1970: for the order in which they are sent, nothing else.
  int64_t first_time() const { return first_time_; }
  // The last records, as in ForwardSnapshot::HasUnsent.
  StoredSequences last() const;
  // Bytes on the disk that are not given up.
  uint64_t bytes() const { return bytes_; }
  uint64_t bytes_on_disk() const;
  // Gives up the oldest segments, up to `bytes` or a little more; returns how much.
  uint64_t GiveUp(uint64_t bytes);

  // Counts everything that is not settled as given up, for every destination. The forwarder does not know it. Errors: kIo.
  Status GiveUpAll();

  // Writes what became of it into its writer's ledger, and removes it. The forwarder does not know it any more.
  // Errors: kIo; it can be tried again.
  Status Finish();

  const std::string& writer() const override { return writer_; }
  ForwardPositions& positions() override { return *positions_; }
  const ForwardPositions& positions() const { return *positions_; }
  bool is_left_over() const override { return true; }
  End GetEnd(Signal signal) const override { return ends_[static_cast<size_t>(signal)]; }
  std::vector<JournalSegment> SegmentsFrom(uint64_t first) const override;
  uint64_t give_up_before() const override { return give_up_before_; }
  // Deletes the segments that nobody needs any more.
  void OnProgress() override;

 private:
  struct Segment {
    JournalSegment segment;
    StoredSequences last;
  };

  LeftOver(StoreLayout layout, std::string writer, Forwarder* forwarder, platform::FileLock lock)
      : layout_(std::move(layout)), writer_(std::move(writer)), forwarder_(forwarder), lock_(std::move(lock)) {}
  Status ReadSegments();
  void CountBytes();  // the lock is held

  const StoreLayout layout_;
  const std::string writer_;
  Forwarder* const forwarder_;
  platform::FileLock lock_;
  std::unique_ptr<ForwardPositions> positions_;
  std::array<End, kSignalCount> ends_{};
  int64_t first_time_ = 0;
  std::atomic<uint64_t> bytes_{0}, give_up_before_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::deque<Segment> segments_;
};

}  // namespace otlp_arrow
