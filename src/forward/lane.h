// What one destination does with one signal of one journal: a cursor that reads on, the batches under way, and behind them the
// state up to which everything is settled.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "forward/forward_source.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"

namespace otlp_arrow {

// What became of the items of a batch; `sequence` is not looked at.
using SettledItems = ForwardState;

// Reading (Look, Read, GiveUp) is for one thread at a time; it may go on beside the rest, which the owner serialises.
class Lane {
 public:
  // Goes on where the source's positions say.
  Lane(std::shared_ptr<ForwardSource> source, size_t place, Signal signal);

  // --- the reader ---
  struct View {
    bool has_unread = false;
    uint64_t unread_bytes = 0;
    Clock::SteadyTime since{};  // when unread records were first seen
  };
  View Look(Clock::SteadyTime now);

  struct Batch {
    JournalBatch requests;
    uint64_t ticket = 0;  // for Settle
    int64_t items = 0;
  };
  // The next records, up to `bytes`; nullopt where nothing is left to be sent. What is damaged is settled as such. Errors: kIo.
  Result<std::optional<Batch>> Read(size_t bytes);

  // There are segments that the source wants to be given up.
  bool MustGiveUp() const { return source_->give_up_before() > cursor_.segment; }
  // Settles what was not read yet of them as given up. Errors: kIo.
  Status GiveUp();

  // --- serialised by the owner ---
  // Puts down what Read and GiveUp came across since the last call, and gives up batches under way that stand in segments to be
  // given up. True where the position moved.
  bool Commit();
  // The batch needs sending no more. True where the position moved.
  bool Settle(uint64_t ticket, const SettledItems& items);
  // Is the batch still to be sent? Not where it was given up, or the lane was removed.
  bool IsWanted(uint64_t ticket) const;
  // Whoever had the batch does not send it.
  void Abandon(uint64_t ticket);

  const ForwardState& state() const { return state_; }
  // Adds what was settled since this lane began.
  void AddTo(DestinationSignalStats* stats) const;
  int64_t settled_since_start() const { return state_.Items() - at_start_.Items(); }
  int64_t outstanding_items() const;
  // Read or not, what is before the end of the source and not settled.
  int64_t BacklogItems(const ForwardSource::End& end) const;
  uint64_t BacklogBytes(const ForwardSource::End& end) const;
  bool IsSettled(const ForwardSource::End& end) const { return outstanding_.empty() && read_.sequence >= end.last_sequence; }
  // Nanoseconds since 1970 at which the oldest record under way arrived; 0 where none is.
  int64_t oldest_time() const;

  ForwardSource& source() const { return *source_; }
  Signal signal() const { return signal_; }

  bool is_unreadable = false;  // the reader's: the last Read or GiveUp failed

  int users = 0;            // threads that are reading it or sending a batch of it
  bool is_removed = false;  // no more batches are to be taken from it

 private:
  // A batch that was read, or a stretch that was given up.
  struct Entry {
    uint64_t ticket = 0;
    uint64_t last_sequence = 0;
    int64_t items = 0;
    uint64_t bytes = 0;
    int64_t time = 0;      // of its first record
    uint64_t segment = 0;  // of its first record
    std::optional<SettledItems> settled;
  };
  // A batch under way that was given up.
  struct Revoked {
    uint64_t ticket = 0;
    int64_t items = 0;
  };
  // How far the cursor has come, counted as ForwardSource::End counts.
  struct Progress {
    uint64_t sequence = 0;
    int64_t items = 0;
    uint64_t bytes = 0;
  };

  Result<JournalBatch> ReadOn(const std::vector<JournalSegment>& segments, size_t bytes);
  uint64_t NextSegment(const std::vector<JournalSegment>& segments) const;
  uint64_t Add(const JournalBatch& batch, std::optional<SettledItems> settled);
  bool SettlePrefix();
  void SettleDamaged(const ForwardSource::End& end);

  const std::shared_ptr<ForwardSource> source_;
  const size_t place_;
  const Signal signal_;
  const ForwardState at_start_;  // settled by an earlier process

  // The reader's.
  JournalCursor cursor_;
  Progress reading_;
  uint64_t batch_segment_ = 0;  // in which the batch read last begins
  uint64_t next_ticket_ = 1;
  std::deque<Entry> added_;
  std::optional<Clock::SteadyTime> unread_since_;

  // The owner's.
  ForwardState state_;
  Progress read_;
  std::deque<Entry> outstanding_;
  std::vector<Revoked> revoked_;
};

}  // namespace otlp_arrow
