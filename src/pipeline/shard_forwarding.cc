// What of a shard the forwarder sees, and the life of a shard that stores nothing.
#include <algorithm>
#include <utility>

#include "pipeline/shard.h"

namespace otlp_arrow {

Status Shard::OpenPositions() {
  if (!journal_) {
    return Status::Config("acknowledge: 'memory' keeps no journal to forward from; use journal or fsync, or forward nothing");
  }
  OTLP_ASSIGN_OR_RETURN(positions_, ForwardPositions::Open(layout_.WriterDir(writer_id_), is_relay_));
  journal_->SetForwarded(forwarded_);
  if (!is_relay_) return Status::Ok();
  StoredSequences all;
  all.fill(UINT64_MAX);
  journal_->Release(all);
  return Status::Ok();
}

Status Shard::StartForwarding(const std::shared_ptr<Shard>& self) {
  if (!forwarder_) return Status::Ok();
  OTLP_RETURN_NOT_OK(forwarder_->AddSource(self));
  // Whoever adopts this journal must know what nobody waits for.
  for (const ForwardingConfig& destination : config_.forwarding) {
    if (!destination.enabled) continue;
    const auto place = positions_->Find(destination.DisplayName());
    for (Signal s : kAllSignals) {
      if (!place || destination.Takes(s)) continue;
      ForwardState nothing;
      nothing.sequence = UINT64_MAX;
      positions_->Set(*place, s, nothing);
    }
  }
  if (config_.acknowledge == Acknowledge::kFsync) OTLP_RETURN_NOT_OK(SyncPositions());
  {
    std::lock_guard lock(mutex_);
    is_forwarding_ = true;
  }
  OnProgress();
  return Status::Ok();
}

// Without the file whoever comes after a power loss would not know that anybody is owed something.
Status Shard::SyncPositions() const {
  const std::string directory = layout_.WriterDir(writer_id_);
  OTLP_ASSIGN_OR_RETURN(platform::File file, platform::File::Open(ForwardPositions::PathIn(directory), platform::File::Mode::kReadWrite));
  OTLP_RETURN_NOT_OK(file.Sync());
  return platform::SyncDirectory(directory);
}

ForwardSource::End Shard::GetEnd(Signal signal) const {
  std::lock_guard lock(mutex_);
  return ends_[static_cast<size_t>(signal)];
}

std::vector<JournalSegment> Shard::SegmentsFrom(uint64_t first) const {
  std::lock_guard lock(mutex_);
  return journal_ ? journal_->SegmentsFrom(first) : std::vector<JournalSegment>();
}

void Shard::OnProgress() {
  {
    std::lock_guard lock(mutex_);
    if (!is_forwarding_) return;
  }
  const StoredSequences done = forwarder_->DoneUpTo(*this);
  RetiredSegments retired;  // deleted without the lock
  std::lock_guard lock(mutex_);
  if (!journal_) return;
  // Another thread may have seen a later state.
  for (size_t s = 0; s < kSignalCount; ++s) forwarded_[s] = std::max(forwarded_[s], done[s]);
  if (!is_relay_) {
    retired = journal_->SetForwarded(forwarded_);
    CountBacklog();
  } else if (!release_wanted_ && journal_->WouldRelease(forwarded_)) {
    release_wanted_ = true;
    wake_.notify_one();
  }
}

void Shard::CountBacklog() {
  if (!journal_) return;
  uint64_t bytes = is_relay_ ? journal_->bytes_held() + journal_->bytes_in_use() : journal_->bytes_held();
  if (const uint64_t before = give_up_before_; before != 0) {
    for (const auto& held : journal_->HeldSegments()) {
      if (held.number < before) bytes -= held.size;
    }
  }
  backlog_bytes_ = bytes;
}

uint64_t Shard::GiveUp(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  uint64_t given_up = 0;
  if (!journal_) return given_up;
  for (const auto& held : journal_->HeldSegments()) {
    if (given_up >= bytes) break;
    if (held.number < give_up_before_) continue;
    give_up_before_ = held.number + 1;
    given_up += held.size;
  }
  CountBacklog();
  return given_up;
}

bool Shard::HasUnsent() const {
  if (!positions_) return false;
  StoredSequences last{};
  for (size_t s = 0; s < kSignalCount; ++s) last[s] = ends_[s].last_sequence;
  return positions_->Snapshot().HasUnsent(last);
}

void Shard::CountRelayed() const {
  if (!is_relay_) return;
  {
    std::lock_guard lock(mutex_);
    if (!is_forwarding_) return;
  }
  for (Signal s : kAllSignals) {
    auto& relayed = relayed_[static_cast<size_t>(s)];
    const int64_t settled = forwarder_->SettledItems(const_cast<Shard&>(*this), s);
    int64_t known = relayed;
    while (known < settled && !relayed.compare_exchange_weak(known, settled)) {
    }
  }
}

void Shard::RunRelay() {
  platform::SetThreadName("otlp-worker");
  const auto interval = std::chrono::seconds(std::max(1u, config_.write_interval_secs));
  std::array<int64_t, kSignalCount> saved{};
  bool is_open = false;  // something was not relayed yet when the counts were saved
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, interval, [this] { return stopping_ || release_wanted_ || ledger_changed_; });
    const StoredSequences forwarded = forwarded_;
    const bool release = std::exchange(release_wanted_, false);
    const bool changed = std::exchange(ledger_changed_, false) || accepted_ != saved || is_open;
    if (!release && !changed) continue;
    saved = accepted_;
    lock.unlock();
    // Not before the counts are safe: what is released is known from them alone.
    const bool is_safe = SaveLedger();
    lock.lock();
    RetiredSegments retired;
    if (is_safe && release && journal_) retired = journal_->SetForwarded(forwarded);
    lock.unlock();
    retired.Delete();
    lock.lock();
    is_open = false;
    for (size_t s = 0; s < kSignalCount; ++s) is_open = is_open || relayed_[s] < saved[s];
    CountBacklog();
  }
  ended_ = true;
  flushed_.notify_all();
}

}  // namespace otlp_arrow
