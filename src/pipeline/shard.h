// One worker of the pipeline with all that it needs for itself: a journal, a queue, a thread, and a file under way for
// each signal. Shards share nothing, so that they scale with the cores and recover independently. To a forwarder its journal is
// a source; in a relay that is all there is, and the thread only looks after the journal.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/platform/platform.h"
#include "forward/forwarder.h"
#include "otlp/payload.h"
#include "otlp_arrow/config.h"
#include "schema/schemas.h"
#include "storage/journal.h"
#include "storage/layout.h"
#include "storage/ledger.h"
#include "storage/ledger_file.h"
#include "storage/retention.h"
#include "storage/signal_writer.h"

namespace otlp_arrow {

// What a shard tells and asks the pipeline. Called from the shard's thread.
class ShardHost {
 public:
  virtual ~ShardHost() = default;
  // These bytes of accepted requests no longer count against the memory budget.
  virtual void OnReleased(uint64_t bytes) = 0;
  // Adds what the pipeline refused and rejected to the ledger of the shard that keeps those counts.
  virtual void AddRefusals(Ledger* ledger) const = 0;
};

class Shard final : public ForwardSource {
 public:
  // Locks and creates the shard's own writer directory. `keeps_refusals`: its ledger file carries the pipeline's refusals.
  // `forwarder` (null for none) must outlive what follows Close.
  static Result<std::shared_ptr<Shard>> Open(const StoreLayout& layout, const Config& config, std::vector<PromotedAttribute> promoted,
                                             std::shared_ptr<Clock> clock, ShardHost* host, bool keeps_refusals, DecoderOptions batches = {},
                                             Forwarder* forwarder = nullptr);
  ~Shard() override;

  // Journals (unless only memory was asked for) and queues a request. Errors: those of Journal::Append; kShutdown.
  Status Enqueue(OtlpPayload payload);
  std::vector<std::shared_ptr<platform::File>> TakeUnsynced();

  // Flush in two steps, so that several shards flush at once.
  uint64_t BeginFlush();
  Status AwaitFlush(uint64_t ticket, Clock::SteadyTime deadline);

  // Stop likewise: no more is taken, and all is written to files.
  void BeginStop(std::chrono::steady_clock::time_point deadline);
  void AwaitStop();
  // Behind them. The forwarder, which has been stopped, forgets the shard. After a clean stop the writer directory is gone, or,
  // where something is left to be forwarded, moved to forward/; otherwise it waits for the next start.
  Status Close();

  uint64_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }
  const std::string& writer_id() const { return writer_id_; }
  // OK, or why files or journal cannot be written at the moment.
  Status health() const;
  // Bytes of the journal that are in no file yet.
  uint64_t bytes_in_use() const;
  // Looks again whether the journal's disk has room, if the last append failed.
  void Probe();
  void AddTo(Ledger* ledger) const;
  // A file of this shard was deleted by retention.
  void CountExpired(const ExpiredFile& file);

  // --- forwarding (shard_forwarding.cc); nothing of it without a forwarder ---

  // Gives itself to the forwarder.
  Status StartForwarding(const std::shared_ptr<Shard>& self);
  // Bytes on the disk that wait for destinations alone; those that are given up already are not among them.
  uint64_t backlog_bytes() const { return backlog_bytes_.load(std::memory_order_relaxed); }
  // Gives up the oldest of them, whole segments, up to `bytes` or a little more; returns how much.
  uint64_t GiveUp(uint64_t bytes);

  const std::string& writer() const override { return writer_id_; }
  ForwardPositions& positions() override { return *positions_; }
  bool is_left_over() const override { return false; }
  End GetEnd(Signal signal) const override;
  std::vector<JournalSegment> SegmentsFrom(uint64_t first) const override;
  uint64_t give_up_before() const override { return give_up_before_; }
  void OnProgress() override;

 private:
  struct Item {
    uint64_t sequence;
    OtlpPayload payload;
  };
  using PerSignal = std::array<std::atomic<int64_t>, kSignalCount>;

  Shard(const StoreLayout& layout, const Config& config, std::vector<PromotedAttribute> promoted, std::shared_ptr<Clock> clock,
        ShardHost* host, bool keeps_refusals, DecoderOptions batches, Forwarder* forwarder);
  Status Start();
  void Run();
  // These run on the shard's thread and return false when it has to give up (stopping, and the disk refuses).
  bool Process(Item item);
  bool PublishDue(bool all);
  bool Publish(size_t signal);
  // Repeats what failed, from the journal, until it succeeds.
  bool Retry(size_t signal, Status status, SequenceRange range, bool publish);
  Status AddAgain(size_t signal, SequenceRange range);
  Status PublishOnce(size_t signal);
  bool WaitToRetry();
  void SetWriteError(const Status& status);
  bool SaveLedger();
  void AddToLocked(Ledger* ledger) const;
  // Up to which record all are in files, as the writers stand. The shard's thread alone asks, when nothing has failed.
  uint64_t StoredThrough() const;
  // Shutdown's last words where something is not in files.
  Status LeftStatus() const;

  Status OpenPositions();
  Status SyncPositions() const;
  void RunRelay();
  // Asks the forwarder what is settled. Not under the lock.
  void CountRelayed() const;
  void CountBacklog();  // the lock is held
  bool HasUnsent() const;
  std::chrono::steady_clock::time_point NextDeadline() const;

  const StoreLayout layout_;
  const Config config_;
  std::shared_ptr<Clock> clock_;
  ShardHost* host_;
  const bool keeps_refusals_;
  Forwarder* const forwarder_;
  const bool is_relay_;
  std::string writer_id_;
  std::optional<platform::FileLock> lock_;
  std::array<std::unique_ptr<SignalWriter>, kSignalCount> writers_;
  std::array<std::vector<Item>, kSignalCount> retained_;  // acknowledge: memory; what is in no file yet
  uint64_t max_file_bytes_ = 0;

  mutable std::mutex mutex_;  // guards what follows, up to the blank line
  std::condition_variable wake_, flushed_;
  std::unique_ptr<Journal> journal_;  // null with acknowledge: memory
  uint64_t memory_sequence_ = 0;      // without a journal
  std::deque<Item> queue_;
  uint64_t flush_wanted_ = 0, flush_done_ = 0;
  bool stopping_ = false, gave_up_ = false, ended_ = false;
  bool ledger_changed_ = false;       // by retention, since the ledger was saved
  std::chrono::steady_clock::time_point stop_deadline_;
  Status write_error_, journal_error_;
  StoredSequences stored_sequences_{};
  uint64_t stored_through_ = 0;       // all records up to here are in files
  std::array<int64_t, kSignalCount> accepted_{};
  std::array<End, kSignalCount> ends_{};
  StoredSequences forwarded_{};       // by every destination
  bool release_wanted_ = false;       // relay: the journal could free something, once the counts are saved
  bool is_forwarding_ = false;        // the forwarder knows this shard

  PerSignal stored_{}, in_flight_{}, expired_{};
  std::atomic<uint64_t> queued_bytes_{0};
  uint64_t processed_ = 0;  // the shard's thread: the last record that was given to a writer

  std::unique_ptr<ForwardPositions> positions_;
  std::atomic<uint64_t> backlog_bytes_{0}, give_up_before_{0};
  mutable PerSignal relayed_{};
  std::thread thread_;
};

}  // namespace otlp_arrow
