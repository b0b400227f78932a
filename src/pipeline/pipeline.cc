#include "pipeline/pipeline.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "otlp/scan.h"
#include "otlp/split.h"
#include "pipeline/byte_pool.h"
#include "pipeline/compaction.h"
#include "pipeline/forwarding.h"
#include "pipeline/group_commit.h"
#include "pipeline/shard.h"
#include "storage/recovery.h"
#include "storage/retention.h"

namespace otlp_arrow {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kRetryAfter = std::chrono::milliseconds(500);
constexpr auto kParkedCheck = std::chrono::milliseconds(20);
constexpr auto kHouseCheck = std::chrono::seconds(1);
// The ledger of what was deleted with merged files and belongs to writers of other processes; the sum of all ledgers is right.
const std::string kCorrectionsWriter = "merged";
// A shard with this much in its queue gets company from the next one.
constexpr uint64_t kBusyBytes = 2 << 20;

AcceptResult Refusal(Status status) {
  AcceptResult result;
  result.status = std::move(status);
  if (result.status.retryable()) result.retry_after = kRetryAfter;
  return result;
}

class PipelineImpl : public Pipeline, private ShardHost {
 public:
  PipelineImpl(const Config& config, std::shared_ptr<Clock> clock, PipelineMemory memory)
      : config_(config), clock_(std::move(clock)), memory_(memory), layout_(config.output_dir),
        pool_(BytePool::Make(memory.block_bytes, memory.spare_blocks)), is_relay_(!config.store) {
    TakeSettings(config);
  }

  ~PipelineImpl() override { (void)Shutdown(std::chrono::seconds(config_.shutdown_timeout_secs)); }

  Status Start() {
    OTLP_RETURN_NOT_OK(config_.Validate());
    OTLP_ASSIGN_OR_RETURN(const auto promoted, ParsePromotedAttributes(config_.promote_attributes));
    for (Signal s : kAllSignals) OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout_.DataDir(s)));
    OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout_.JournalsDir()));
    OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout_.LedgersDir()));
    if (config_.acknowledge == Acknowledge::kFsync) {
      for (const char* parent : {"/otlp", ""}) OTLP_RETURN_NOT_OK(platform::SyncDirectory(layout_.root() + parent));
    }
    OTLP_ASSIGN_OR_RETURN(const RecoveryReport recovered, RecoverDirectory(config_, clock_));
    Report(recovered);
    OTLP_ASSIGN_OR_RETURN(forwarding_, Forwarding::Start(config_, layout_, clock_));
    Forwarder* forwarder = forwarding_ ? forwarding_->forwarder() : nullptr;
    for (unsigned i = 0; i < Forwarding::Workers(config_); ++i) {
      OTLP_ASSIGN_OR_RETURN(auto shard, Shard::Open(layout_, config_, promoted, clock_, this, i == 0, memory_.batches, forwarder));
      shards_.push_back(std::move(shard));
    }
    if (forwarding_) OTLP_RETURN_NOT_OK(forwarding_->AddShards(shards_));
    if (config_.acknowledge == Acknowledge::kFsync) commit_ = std::make_unique<GroupCommit>();
    housekeeper_ = std::thread([this] { KeepHouse(); });
    if (!is_relay_) compaction_ = std::make_unique<Compaction>(config_, layout_, clock_);
    accepting_ = true;
    return Status::Ok();
  }

  void Accept(Signal signal, SharedBytes bytes, AcceptCallback done) override {
    const ScanLimits limits = Limits();
    const ScanResult scan = ScanOtlp(signal, bytes.data, limits);
    if (!scan.ok) {
      CountUnreadable("malformed");
      return done(Refusal(Status::Export(scan.error)));
    }
    Request request;
    request.payload = {signal, std::move(bytes), scan.items, scan.rejected_items};
    // Whoever reads the request from here on, in another process too, may have other limits.
    if (scan.over_limits && scan.items > 0) {
      request.payload.bytes = SharedBytes::Take(WithoutRejectedItems(signal, request.payload.bytes.data, limits));
      request.payload.rejected_items = 0;
    }
    request.result.accepted_items = scan.items;
    request.result.rejected_items = scan.rejected_items;
    request.done = std::move(done);
    if (scan.rejected_items > 0) {
      CountInvalid(signal, scan.rejected_items, ItemFaultName(scan.fault));
      request.result.rejected_reason = std::to_string(scan.rejected_items) + " of " + std::to_string(scan.items + scan.rejected_items) +
                                       " items rejected: " + ItemFaultMessage(scan.fault, limits);
    }
    if (scan.items == 0) return request.done(std::move(request.result));
    if (!accepting_) return Refuse(std::move(request), Status::Shutdown("the service is shutting down; send to another one"), "shutdown");
    if (is_relay_) return Relay(std::move(request));
    if (parked_count_ > 0 || !TakeRoom(request.size())) return Park(std::move(request));
    Commit(std::move(request));
  }

  WritableBytes Allocate(size_t size) override {
    BytePool::Piece piece = pool_->Allocate(size);
    return {std::move(piece.owner), piece.data, size};
  }

  Status Flush(std::chrono::milliseconds timeout) override {
    if (is_relay_) return FlushRelay(timeout);
    const auto deadline = SteadyClock::now() + timeout;
    std::vector<uint64_t> tickets;
    for (auto& shard : shards_) tickets.push_back(shard->BeginFlush());
    Status first;
    for (size_t i = 0; i < shards_.size(); ++i) {
      Status status = shards_[i]->AwaitFlush(tickets[i], deadline);
      if (first.ok()) first = status;
    }
    return first;
  }

  Status Shutdown(std::chrono::milliseconds timeout) override {
    std::lock_guard once(shutdown_mutex_);
    if (shut_down_) return shutdown_status_;
    shut_down_ = true;
    accepting_ = false;
    {
      std::lock_guard lock(parked_mutex_);
      stop_house_ = true;
    }
    house_wake_.notify_all();
    if (housekeeper_.joinable()) housekeeper_.join();
    RefuseAllParked();
    if (commit_) commit_->Stop();
    const auto deadline = SteadyClock::now() + timeout;
    for (auto& shard : shards_) shard->BeginStop(deadline);
    if (compaction_) compaction_->Stop();
    for (auto& shard : shards_) shard->AwaitStop();
    if (forwarding_) forwarding_->Stop(deadline);
    for (auto& shard : shards_) {
      Status status = shard->Close();
      if (shutdown_status_.ok()) shutdown_status_ = status;
    }
    return shutdown_status_;
  }

  bool Ready(std::string* why) const override {
    Status status;
    if (!accepting_) status = Status::Shutdown("shutting down");
    for (const auto& shard : shards_) {
      if (status.ok()) status = shard->health();
    }
    if (status.ok() && is_relay_ && forwarding_->BacklogIsFull()) status = forwarding_->BacklogStatus();
    if (why && !status.ok()) *why = status.message();
    return status.ok();
  }

  Ledger GetLedger() const override {
    Ledger ledger;
    AddRefusals(&ledger);
    for (const auto& shard : shards_) shard->AddTo(&ledger);
    return ledger;
  }

  void CountRefused(Signal signal, int64_t items, std::string_view reason) override {
    if (items == 0) return CountUnreadable(reason);
    std::lock_guard lock(counts_mutex_);
    Increase(&refusals_[signal].refused, reason, items);
    refusals_[signal].received += items;
  }

  uint64_t QueuedBytes() const override { return queued_bytes_; }

  PipelineStats GetStats() const override {
    PipelineStats stats;
    stats.queued_bytes = queued_bytes_;
    stats.memory_budget = memory_budget_;
    stats.waiting_requests = parked_count_;
    stats.workers = shards_.size();
    stats.journal_max_bytes = config_.acknowledge == Acknowledge::kMemory ? 0 : config_.journal_max_bytes * shards_.size();
    for (const auto& shard : shards_) stats.journal_bytes += shard->bytes_in_use();
    if (compaction_) stats.compaction = compaction_->stats();
    return stats;
  }

  Status Reconfigure(const Config& config) override {
    OTLP_RETURN_NOT_OK(config.Validate());
    TakeSettings(config);
    if (compaction_) compaction_->Reconfigure(config);
    retention_due_ = true;
    house_wake_.notify_one();
    return Status::Ok();
  }

  std::vector<DestinationStats> ForwardingStats() const override {
    return forwarding_ ? forwarding_->forwarder()->Stats() : std::vector<DestinationStats>();
  }

 private:
  struct Request {
    OtlpPayload payload;
    AcceptResult result;
    AcceptCallback done;
    SteadyClock::time_point deadline;
    size_t size() const { return payload.bytes.data.size(); }
  };
  using Counts = std::map<std::string, int64_t, std::less<>>;

  // --- what Reconfigure can change ---

  void TakeSettings(const Config& config) {
    memory_budget_ = config.memory_budget;
    admission_timeout_ms_ = config.admission_timeout_ms;
    max_attributes_ = config.limits.max_attributes;
    max_value_depth_ = config.limits.max_value_depth;
    std::lock_guard lock(rules_mutex_);
    rules_ = RetentionRules::From(config);
  }

  ScanLimits Limits() const {
    return {max_attributes_.load(std::memory_order_relaxed), static_cast<int>(max_value_depth_.load(std::memory_order_relaxed))};
  }

  RetentionRules Rules() const {
    std::lock_guard lock(rules_mutex_);
    return rules_;
  }

  // --- admission: bytes that are accepted and not yet turned into Arrow ---

  // Requests that wait long in one shard hold on to memory that they share with those of another.
  bool PoolIsFull() const {
    const uint64_t partly_used = 2 * memory_.block_bytes;
    return pool_->bytes_in_use() > memory_budget_ + partly_used;
  }

  bool TakeRoom(uint64_t size) {
    uint64_t queued = queued_bytes_.load(std::memory_order_relaxed);
    do {
      // One request may be larger than the whole budget, alone.
      if (queued != 0 && (queued + size > memory_budget_ || PoolIsFull())) return false;
    } while (!queued_bytes_.compare_exchange_weak(queued, queued + size));
    return true;
  }

  void Park(Request request) {
    {
      std::unique_lock lock(parked_mutex_);
      // Room may have come back since the caller looked.
      const bool waits = !parked_.empty() || !TakeRoom(request.size());
      // As much may wait as the budget holds, or one request that is larger.
      const bool may_wait = parked_.empty() || parked_bytes_ + request.size() <= memory_budget_;
      if (waits && accepting_ && may_wait) {
        request.deadline = SteadyClock::now() + std::chrono::milliseconds(admission_timeout_ms_.load());
        parked_bytes_ += request.size();
        parked_.push_back(std::move(request));
        ++parked_count_;
        house_wake_.notify_one();
        // In memory alone, only what is in files makes room: none of those under way may be due.
        if (config_.acknowledge == Acknowledge::kMemory) {
          for (auto& shard : shards_) (void)shard->BeginFlush();
        }
        return;
      }
      if (waits) {
        lock.unlock();
        return RefuseForRoom(std::move(request));
      }
    }
    Commit(std::move(request));
  }

  void RefuseForRoom(Request request) {
    Status health;
    for (const auto& shard : shards_) {
      if (health.ok()) health = shard->health();
    }
    if (!health.ok()) return Refuse(std::move(request), health, "disk");
    Refuse(std::move(request),
           Status::BufferFull("no room: " + std::to_string(queued_bytes_.load()) + " bytes wait to be written, the limit is " +
                              std::to_string(memory_budget_.load()) + " (memory_budget); try again later, or raise the limit"),
           "memory_budget");
  }

  void OnReleased(uint64_t bytes) override {
    queued_bytes_ -= bytes;
    if (parked_count_ > 0) AdmitParked();
  }

  void AdmitParked() {
    std::vector<Request> admitted;
    {
      std::lock_guard lock(parked_mutex_);
      while (!parked_.empty() && TakeRoom(parked_.front().size())) admitted.push_back(Unpark());
    }
    for (Request& request : admitted) Commit(std::move(request));
  }

  // The lock is held.
  Request Unpark() {
    Request request = std::move(parked_.front());
    parked_.pop_front();
    parked_bytes_ -= request.size();
    --parked_count_;
    return request;
  }

  void RefuseOverdue() {
    std::vector<Request> overdue;
    {
      std::lock_guard lock(parked_mutex_);
      const auto now = SteadyClock::now();
      while (!parked_.empty() && parked_.front().deadline <= now) overdue.push_back(Unpark());
    }
    for (Request& request : overdue) RefuseForRoom(std::move(request));
  }

  void RefuseAllParked() {
    std::vector<Request> all;
    {
      std::lock_guard lock(parked_mutex_);
      while (!parked_.empty()) all.push_back(Unpark());
    }
    for (Request& request : all) Refuse(std::move(request), Status::Shutdown("the service is shutting down; send to another one"), "shutdown");
  }

  // --- a relay: the journal is all there is ---

  void Relay(Request request) {
    if (!forwarding_->forwarder()->Takes(request.payload.signal)) {
      const std::string name(SignalName(request.payload.signal));
      return Refuse(std::move(request), Status::Export("this relay forwards no " + name + ": no destination lists them in 'signals'; send " +
                                                       "them elsewhere"),
                    "no_destination");
    }
    if (forwarding_->BacklogIsFull()) return Refuse(std::move(request), forwarding_->BacklogStatus(), "backlog_full");
    Commit(std::move(request));
  }

  Status FlushRelay(std::chrono::milliseconds timeout) {
    if (forwarding_->forwarder()->Drain(timeout)) return Status::Ok();
    return Status::BufferFull("not all could be sent in the time given; what was accepted stays safe in '" + layout_.root() + "' and is sent later");
  }

  // --- commit: room was taken ---

  Shard& PickShard() {
    // The first one that is not busy, so that a light load makes few files; else the least busy.
    Shard* best = shards_[0].get();
    for (auto& shard : shards_) {
      const uint64_t queued = shard->queued_bytes();
      if (queued < kBusyBytes) return *shard;
      if (queued < best->queued_bytes()) best = shard.get();
    }
    return *best;
  }

  void Commit(Request request) {
    const uint64_t size = request.size();
    Shard& shard = PickShard();
    Status status = shard.Enqueue(request.payload);
    request.payload.bytes = {};
    if (!status.ok()) {
      if (!is_relay_) queued_bytes_ -= size;
      const char* reason = status.code() == StatusCode::kIo ? "disk" : status.code() == StatusCode::kShutdown ? "shutdown" : "journal_full";
      return Refuse(std::move(request), status, reason);
    }
    if (forwarding_) forwarding_->forwarder()->OnAppended();
    if (!commit_) return request.done(std::move(request.result));
    commit_->Add(&shard, [result = std::move(request.result), done = std::move(request.done)](const Status& synced) mutable {
      if (!synced.ok()) result = Refusal(synced);
      done(std::move(result));
    });
  }

  void Refuse(Request request, Status status, std::string_view reason) {
    // What is refused as a whole was not looked at: its invalid items stay counted as invalid.
    CountRefused(request.payload.signal, request.payload.items, reason);
    request.done(Refusal(std::move(status)));
  }

  // --- counts ---

  static void Increase(Counts* counts, std::string_view reason, int64_t n) {
    auto it = counts->find(reason);
    if (it == counts->end()) it = counts->emplace(std::string(reason), 0).first;
    it->second += n;
  }

  void CountInvalid(Signal signal, int64_t items, std::string_view reason) {
    std::lock_guard lock(counts_mutex_);
    Increase(&refusals_[signal].invalid, reason, items);
    refusals_[signal].received += items;
  }

  void CountUnreadable(std::string_view reason) {
    std::lock_guard lock(counts_mutex_);
    Increase(&refusals_.unreadable_requests, reason, 1);
  }

  void AddRefusals(Ledger* ledger) const override {
    std::lock_guard lock(counts_mutex_);
    *ledger += refusals_;
  }

  // --- housekeeping ---

  void KeepHouse() {
    platform::SetThreadName("otlp-house");
    auto next_retention = clock_->SteadyNow();
    std::unique_lock lock(parked_mutex_);
    while (!stop_house_) {
      lock.unlock();
      // Room may have come back just before a request was parked, or a large one in front of it was refused.
      if (parked_count_ > 0) AdmitParked();
      RefuseOverdue();
      if (forwarding_) forwarding_->TrimBacklog();
      for (auto& shard : shards_) shard->Probe();
      if (retention_due_.exchange(false) || clock_->SteadyNow() >= next_retention) {
        Expire();
        next_retention = clock_->SteadyNow() + RetentionEvery();
      }
      lock.lock();
      if (stop_house_) break;
      if (parked_.empty()) {
        house_wake_.wait_for(lock, kHouseCheck);
      } else {
        house_wake_.wait_for(lock, kParkedCheck, [this] { return stop_house_; });
      }
    }
  }

  // Often enough that no file outlives its time by more than a tenth, or by ten seconds.
  std::chrono::seconds RetentionEvery() const {
    std::chrono::seconds every(10);
    for (const auto age : Rules().max_age) {
      if (age.count() != 0) every = std::min(every, std::max(std::chrono::seconds(1), age / 10));
    }
    return every;
  }

  void LookAfterTheDead() {
    constexpr size_t kLedgersKept = 16;
    if (Status status = FoldLedgers(layout_, kLedgersKept); !status.ok()) spdlog::warn("ledgers: {}", status.message());
  }

  void Expire() {
    // What dead writers left belongs to whoever holds the lock: two that counted the same file would count it twice.
    const auto lock = platform::FileLock::TryLock(layout_.LedgersLock());
    const bool for_the_dead = lock.ok() && lock->has_value();
    if (for_the_dead) LookAfterTheDead();
    const RetentionRules rules = Rules();
    if (!rules.any()) return;
    auto own = [this](const std::string& writer) {
      return std::find_if(shards_.begin(), shards_.end(), [&](const auto& s) { return s->writer_id() == writer; });
    };
    auto may_delete = [&](const std::string& writer) {
      return own(writer) != shards_.end() || (for_the_dead && !platform::Exists(layout_.WriterDir(writer)));
    };
    const auto now = std::chrono::floor<std::chrono::seconds>(clock_->Now());
    auto expired = ExpireFiles(layout_, rules, now, may_delete);
    if (!expired.ok()) {
      spdlog::warn("retention: {}", expired.status().message());
      return;
    }
    for (const ExpiredFile& file : *expired) {
      spdlog::debug("retention deleted {}", file.path);
      if (auto shard = own(file.writer); shard != shards_.end()) {
        (*shard)->CountExpired(file);
      } else {
        // Of a merged file: another process keeps the counts of that writer, and would write over ours.
        const bool is_at_work = platform::Exists(layout_.WriterDir(file.writer));
        CountExpiredOfOthers(file, is_at_work ? kCorrectionsWriter : file.writer);
      }
    }
  }

  void CountExpiredOfOthers(const ExpiredFile& file, const std::string& writer) {
    LedgerSnapshot snapshot = ReadLedgerFile(layout_, writer);
    SignalLedger& ledger = snapshot.ledger[file.signal];
    ledger.stored -= file.items;
    ledger.expired += file.items;
    if (Status status = WriteLedgerFile(layout_, snapshot, false); !status.ok()) spdlog::warn("retention: {}", status.message());
  }

  static void Report(const RecoveryReport& recovered) {
    for (const auto& damaged : recovered.damaged) spdlog::error("recovery: {}; the segment is kept in damaged/", damaged);
    if (recovered.journals > 0) {
      spdlog::info("recovered {} items from {} journals of writers that ended without a shutdown ({} were in files already)",
                   recovered.items_recovered, recovered.journals, recovered.items_already_stored);
    }
    if (recovered.unsent > 0) spdlog::info("{} of these journals are still to be forwarded", recovered.unsent);
  }

  const Config config_;
  std::shared_ptr<Clock> clock_;
  const PipelineMemory memory_;
  const StoreLayout layout_;
  std::shared_ptr<BytePool> pool_;
  const bool is_relay_;
  std::unique_ptr<Forwarding> forwarding_;  // null where nothing is forwarded
  std::vector<std::shared_ptr<Shard>> shards_;
  std::unique_ptr<Compaction> compaction_;  // null in a relay
  std::unique_ptr<GroupCommit> commit_;  // acknowledge: fsync

  std::atomic<bool> accepting_{false};
  std::atomic<uint64_t> queued_bytes_{0};
  std::atomic<uint64_t> memory_budget_{0};
  std::atomic<uint32_t> admission_timeout_ms_{0};
  std::atomic<uint32_t> max_attributes_{0}, max_value_depth_{0};
  mutable std::mutex rules_mutex_;
  RetentionRules rules_;
  std::atomic<bool> retention_due_{false};

  std::mutex parked_mutex_;
  std::condition_variable house_wake_;
  std::deque<Request> parked_;
  uint64_t parked_bytes_ = 0;
  std::atomic<size_t> parked_count_{0};
  bool stop_house_ = false;
  std::thread housekeeper_;

  mutable std::mutex counts_mutex_;
  Ledger refusals_;

  std::mutex shutdown_mutex_;
  bool shut_down_ = false;
  Status shutdown_status_;
};

}  // namespace

Result<std::unique_ptr<Pipeline>> Pipeline::Open(const Config& config, std::shared_ptr<Clock> clock, PipelineMemory memory) {
  auto pipeline = std::make_unique<PipelineImpl>(config, clock ? std::move(clock) : Clock::System(), memory);
  OTLP_RETURN_NOT_OK(pipeline->Start());
  return std::unique_ptr<Pipeline>(std::move(pipeline));
}

AcceptResult Pipeline::AcceptAndWait(Signal signal, SharedBytes bytes) {
  std::promise<AcceptResult> promise;
  Accept(signal, std::move(bytes), [&](AcceptResult result) { promise.set_value(std::move(result)); });
  return promise.get_future().get();
}

}  // namespace otlp_arrow
