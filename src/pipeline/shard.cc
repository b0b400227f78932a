#include "pipeline/shard.h"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

#include "storage/writer_directory.h"

namespace otlp_arrow {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kRetryEvery = std::chrono::milliseconds(500);
constexpr auto kNever = SteadyClock::time_point::max();

// What waits to be forwarded is counted, given up and let go of in whole segments: a small budget needs small ones.
uint64_t ForwardedSegmentBytes(uint64_t budget, uint64_t most) {
  constexpr uint64_t kLeast = 256 << 10;
  return std::clamp(budget / 8, kLeast, most);
}

}  // namespace

Result<std::shared_ptr<Shard>> Shard::Open(const StoreLayout& layout, const Config& config, std::vector<PromotedAttribute> promoted,
                                           std::shared_ptr<Clock> clock, ShardHost* host, bool keeps_refusals, DecoderOptions batches,
                                           Forwarder* forwarder) {
  std::shared_ptr<Shard> shard(new Shard(layout, config, std::move(promoted), std::move(clock), host, keeps_refusals, batches, forwarder));
  OTLP_RETURN_NOT_OK(shard->Start());
  return shard;
}

Shard::Shard(const StoreLayout& layout, const Config& config, std::vector<PromotedAttribute> promoted, std::shared_ptr<Clock> clock,
             ShardHost* host, bool keeps_refusals, DecoderOptions batches, Forwarder* forwarder)
    : layout_(layout),
      config_(config),
      clock_(std::move(clock)),
      host_(host),
      keeps_refusals_(keeps_refusals),
      forwarder_(forwarder),
      is_relay_(!config.store),
      writer_id_(NewWriterId()) {
  if (is_relay_) return;
  SignalWriterOptions options;
  options.format = config_.format;
  options.compression = config_.compression;
  options.row_group_rows = config_.parquet.row_group_rows;
  options.sync = config_.acknowledge == Acknowledge::kFsync;
  options.promoted = std::move(promoted);
  options.batches = batches;
  options.resources = std::make_shared<TableFileResources>();
  for (Signal s : kAllSignals) {
    writers_[static_cast<size_t>(s)] = std::make_unique<SignalWriter>(s, layout_, writer_id_, options, clock_);
  }
  max_file_bytes_ = config_.max_file_bytes;
  // Without a journal the requests themselves are kept until they are in a file, on the memory budget.
  if (config_.acknowledge == Acknowledge::kMemory) max_file_bytes_ = std::min(max_file_bytes_, config_.memory_budget / 4);
}

Status Shard::Start() {
  OTLP_ASSIGN_OR_RETURN(lock_, CreateWriterDirectory(layout_, writer_id_));
  if (config_.acknowledge == Acknowledge::kFsync) OTLP_RETURN_NOT_OK(platform::SyncDirectory(layout_.JournalsDir()));
  if (config_.acknowledge != Acknowledge::kMemory) {
    JournalOptions options;
    if (forwarder_) options.segment_bytes = ForwardedSegmentBytes(config_.forward_backlog_max_bytes, options.segment_bytes);
    options.max_bytes = std::max<uint64_t>(config_.journal_max_bytes, options.segment_bytes);
    options.sync_new_segments = config_.acknowledge == Acknowledge::kFsync;
    OTLP_ASSIGN_OR_RETURN(journal_, Journal::Create(layout_.WriterDir(writer_id_), options));
  }
  if (forwarder_) OTLP_RETURN_NOT_OK(OpenPositions());
  thread_ = std::thread([this] { is_relay_ ? RunRelay() : Run(); });
  return Status::Ok();
}

Shard::~Shard() {
  BeginStop(SteadyClock::now());
  AwaitStop();
  (void)Close();
}

Status Shard::Enqueue(OtlpPayload payload) {
  const auto s = static_cast<size_t>(payload.signal);
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return Status::Shutdown("the store is shutting down");
    uint64_t sequence = 0;
    if (journal_) {
      auto appended = journal_->Append(payload.signal, payload.bytes.data, payload.items, payload.rejected_items);
      if (!appended.ok()) {
        if (appended.status().code() == StatusCode::kIo) journal_error_ = appended.status();
        return appended.status();
      }
      if (!journal_error_.ok()) journal_error_ = Status::Ok();
      sequence = *appended;
    } else {
      sequence = ++memory_sequence_;
    }
    accepted_[s] += payload.items;
    ends_[s] = {sequence, ends_[s].items + payload.items, ends_[s].bytes + payload.bytes.data.size()};
    if (is_relay_) {
      CountBacklog();
      return Status::Ok();
    }
    in_flight_[s] += payload.items;
    queued_bytes_ += payload.bytes.data.size();
    was_empty = queue_.empty();
    queue_.push_back({sequence, std::move(payload)});
  }
  if (was_empty) wake_.notify_one();
  return Status::Ok();
}

std::vector<std::shared_ptr<platform::File>> Shard::TakeUnsynced() {
  std::lock_guard lock(mutex_);
  return journal_ ? journal_->TakeUnsynced() : std::vector<std::shared_ptr<platform::File>>();
}

uint64_t Shard::BeginFlush() {
  std::lock_guard lock(mutex_);
  wake_.notify_one();
  return ++flush_wanted_;
}

Status Shard::AwaitFlush(uint64_t ticket, Clock::SteadyTime deadline) {
  std::unique_lock lock(mutex_);
  const bool done = flushed_.wait_until(lock, deadline, [&] { return flush_done_ >= ticket || ended_; });
  if (flush_done_ >= ticket) return Status::Ok();
  if (!write_error_.ok()) return write_error_;
  if (done) return Status::Shutdown("the store was shut down before the flush was done");
  return Status::BufferFull("the flush was not done in the time given; what was accepted stays safe and is written later");
}

void Shard::BeginStop(SteadyClock::time_point deadline) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  stopping_ = true;
  stop_deadline_ = deadline;
  wake_.notify_one();
}

void Shard::AwaitStop() {
  if (thread_.joinable()) thread_.join();
}

Status Shard::LeftStatus() const {
  int64_t left = 0;
  for (const auto& n : in_flight_) left += n;
  if (!journal_) return Status::Io(std::to_string(left) + " items could not be written in time and are lost (acknowledge is memory)");
  return Status::Io(std::to_string(left) + " items are not in files yet; they stay in the journal '" + layout_.WriterDir(writer_id_) +
                        "' and are written at the next start, or by: otlp-arrow recover " + layout_.root() +
                        (write_error_.ok() ? "" : " (" + write_error_.message() + ")"),
                    true);
}

Status Shard::Close() {
  if (!lock_) return Status::Ok();
  if (forwarder_) {
    CountRelayed();
    {
      std::lock_guard lock(mutex_);
      is_forwarding_ = false;
    }
    forwarder_->RemoveSource(this);
    (void)SaveLedger();
  }
  Status status = gave_up_ ? LeftStatus() : Status::Ok();
  if (!gave_up_ || !journal_) {
    {
      std::lock_guard lock(mutex_);
      if (journal_) journal_->DropFreeSegments();
      journal_.reset();
    }
    Status removed = HasUnsent() ? MoveToLeftOvers(layout_, writer_id_) : RemoveWriterDirectory(layout_, writer_id_);
    if (status.ok()) status = removed;
  }
  lock_.reset();
  return status;
}

Status Shard::health() const {
  std::lock_guard lock(mutex_);
  return write_error_.ok() ? journal_error_ : write_error_;
}

uint64_t Shard::bytes_in_use() const {
  std::lock_guard lock(mutex_);
  return journal_ ? journal_->bytes_in_use() : 0;
}

void Shard::Probe() {
  std::lock_guard lock(mutex_);
  if (!journal_error_.ok() && journal_ && journal_->Probe().ok()) journal_error_ = Status::Ok();
}

void Shard::AddTo(Ledger* ledger) const {
  CountRelayed();
  std::lock_guard lock(mutex_);
  AddToLocked(ledger);
}

void Shard::AddToLocked(Ledger* ledger) const {
  for (size_t s = 0; s < kSignalCount; ++s) {
    SignalLedger& l = ledger->signals[s];
    l.received += accepted_[s];
    l.stored += stored_[s];
    l.relayed += relayed_[s];
    l.in_flight += is_relay_ ? accepted_[s] - relayed_[s] : in_flight_[s].load();
    l.expired += expired_[s];
  }
  if (positions_) *ledger += Ledger{.signals = {}, .destinations = positions_->Snapshot().Counts(), .unreadable_requests = {}};
}

void Shard::CountExpired(const ExpiredFile& file) {
  std::lock_guard lock(mutex_);
  const auto s = static_cast<size_t>(file.signal);
  stored_[s] -= file.items;
  expired_[s] += file.items;
  ledger_changed_ = true;
  wake_.notify_one();
}

// --- the shard's thread ----------------------------------------------------------------------------------------------

SteadyClock::time_point Shard::NextDeadline() const {
  auto deadline = kNever;
  const auto interval = std::chrono::seconds(config_.write_interval_secs);
  for (const auto& writer : writers_) {
    if (writer->has_pending()) deadline = std::min(deadline, writer->pending_since() + interval);
  }
  return deadline;
}

void Shard::Run() {
  platform::SetThreadName("otlp-worker");
  bool alive = true;
  while (alive) {
    std::deque<Item> taken;
    uint64_t flush_to = 0;
    bool stop = false, save = false;
    {
      std::unique_lock lock(mutex_);
      auto ready = [&] { return !queue_.empty() || stopping_ || flush_wanted_ > flush_done_ || ledger_changed_; };
      if (const auto deadline = NextDeadline(); deadline == kNever) {
        wake_.wait(lock, ready);
      } else {
        wake_.wait_until(lock, deadline, ready);
      }
      taken.swap(queue_);
      flush_to = flush_wanted_;
      stop = stopping_;
      save = std::exchange(ledger_changed_, false);
    }
    for (Item& item : taken) {
      alive = !(stop && SteadyClock::now() >= stop_deadline_) && Process(std::move(item));
      if (!alive) break;
    }
    bool flush = false;
    {
      std::lock_guard lock(mutex_);
      flush = flush_to > flush_done_;
    }
    alive = alive && PublishDue(stop || flush);
    if (alive && save) (void)SaveLedger();
    if (alive && flush) {
      std::lock_guard lock(mutex_);
      flush_done_ = flush_to;
      flushed_.notify_all();
    }
    if (alive && stop) {
      std::lock_guard lock(mutex_);
      if (queue_.empty()) break;
    }
  }
  {
    std::lock_guard lock(mutex_);
    gave_up_ = !alive;
    if (alive) flush_done_ = flush_wanted_;
    ended_ = true;
    flushed_.notify_all();
  }
  (void)SaveLedger();
}

bool Shard::Process(Item item) {
  const auto s = static_cast<size_t>(item.payload.signal);
  const OtlpPayload& payload = item.payload;
  const uint64_t bytes = payload.bytes.data.size();
  SignalWriter& writer = *writers_[s];
  if (!journal_) retained_[s].push_back(item);
  Status status = writer.Add(item.sequence, payload.bytes.data, payload.items, payload.rejected_items > 0);
  if (!status.ok() && !Retry(s, status, writer.pending(), false)) return false;
  processed_ = item.sequence;
  queued_bytes_ -= bytes;
  if (journal_) {
    item.payload.bytes = {};  // its memory goes back before anyone waits for room
    host_->OnReleased(bytes);
  }
  if (writer.pending_bytes() >= max_file_bytes_ || writer.dictionaries_full()) {
    if (!Publish(s)) return false;
  }
  return NextDeadline() > clock_->SteadyNow() || PublishDue(false);
}

bool Shard::PublishDue(bool all) {
  const auto interval = std::chrono::seconds(config_.write_interval_secs);
  const auto now = clock_->SteadyNow();
  bool half_full = false;
  {
    // A signal that trickles must not keep the journal of one that floods: when it fills, everything is written.
    std::lock_guard lock(mutex_);
    half_full = journal_ && journal_->bytes_in_use() > config_.journal_max_bytes / 2;
  }
  for (size_t s = 0; s < kSignalCount; ++s) {
    if (!writers_[s]->has_pending()) continue;
    if (!all && !half_full && now - writers_[s]->pending_since() < interval) continue;
    if (!Publish(s)) return false;
  }
  return true;
}

bool Shard::Publish(size_t signal) {
  const SequenceRange range = writers_[signal]->pending();
  Status status = PublishOnce(signal);
  return status.ok() || Retry(signal, status, range, true);
}

Status Shard::PublishOnce(size_t signal) {
  PublishedFile file;
  OTLP_RETURN_NOT_OK(writers_[signal]->Publish(&file));
  {
    std::lock_guard lock(mutex_);
    stored_[signal] += file.rows;
    in_flight_[signal] -= file.items;
    stored_sequences_[signal] = file.range.last;
    stored_through_ = StoredThrough();
  }
  const bool saved = SaveLedger();
  RetiredSegments retired;  // deleted without the lock
  if (journal_) {
    // Not before the counts are safe: what is released is known from them alone.
    std::lock_guard lock(mutex_);
    if (saved) retired = journal_->Release(stored_sequences_);
    if (forwarder_) CountBacklog();
  } else {
    uint64_t bytes = 0;
    for (const Item& item : retained_[signal]) bytes += item.payload.bytes.data.size();
    retained_[signal].clear();
    host_->OnReleased(bytes);
  }
  return Status::Ok();
}

bool Shard::Retry(size_t signal, Status status, SequenceRange range, bool publish) {
  while (!status.ok()) {
    SetWriteError(status);
    writers_[signal]->Abandon();
    if (!WaitToRetry()) return false;
    status = AddAgain(signal, range);
    if (status.ok() && publish) status = PublishOnce(signal);
  }
  SetWriteError(Status::Ok());
  return true;
}

Status Shard::AddAgain(size_t signal, SequenceRange range) {
  SignalWriter& writer = *writers_[signal];
  if (!journal_) {
    for (const Item& item : retained_[signal]) {
      OTLP_RETURN_NOT_OK(writer.Add(item.sequence, item.payload.bytes.data, item.payload.items, item.payload.rejected_items > 0));
    }
    return Status::Ok();
  }
  std::vector<JournalPart> parts;
  {
    std::lock_guard lock(mutex_);
    parts = journal_->PartsFrom(static_cast<Signal>(signal), range.first);
  }
  // They stay as they are, nothing of the range being stored, and appends go behind them.
  return ReadJournalRange(parts, static_cast<Signal>(signal), range.first, range.last, [&](const JournalRecord& record) {
    return writer.Add(record.sequence, record.request, record.items, record.rejected_items > 0);
  });
}

bool Shard::WaitToRetry() {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, kRetryEvery, [&] { return stopping_ && SteadyClock::now() >= stop_deadline_; });
  return !(stopping_ && SteadyClock::now() >= stop_deadline_);
}

void Shard::SetWriteError(const Status& status) {
  std::lock_guard lock(mutex_);
  if (status.ok() != write_error_.ok()) {
    if (status.ok()) {
      spdlog::info("writing files works again");
    } else {
      spdlog::error("{}; what was accepted stays in the journal and is tried again", status.message());
    }
  }
  write_error_ = status;
}

uint64_t Shard::StoredThrough() const {
  uint64_t through = processed_;
  for (const auto& writer : writers_) {
    if (writer && writer->has_pending()) through = std::min(through, writer->pending().first - 1);
  }
  return through;
}

bool Shard::SaveLedger() {
  CountRelayed();
  LedgerSnapshot snapshot;
  snapshot.writer = writer_id_;
  {
    // Counts and positions of one moment: whoever adopts the journal goes on counting behind last_sequence.
    std::lock_guard lock(mutex_);
    AddToLocked(&snapshot.ledger);
    snapshot.last_sequence = journal_ ? journal_->last_sequence() : memory_sequence_;
    snapshot.stored_sequences = stored_sequences_;
    snapshot.stored_through = stored_through_;
  }
  if (keeps_refusals_) host_->AddRefusals(&snapshot.ledger);
  if (Status status = WriteLedgerFile(layout_, snapshot, config_.acknowledge == Acknowledge::kFsync); !status.ok()) {
    spdlog::warn("the ledger was not saved: {}", status.message());
    return false;
  }
  return true;
}

}  // namespace otlp_arrow
