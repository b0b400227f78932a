#include "pipeline/left_over.h"

#include <algorithm>
#include <utility>

#include "storage/ledger_file.h"
#include "storage/writer_directory.h"

namespace otlp_arrow {
namespace {

bool IsBehind(const StoredSequences& last, const StoredSequences& done) {
  for (size_t s = 0; s < kSignalCount; ++s) {
    if (last[s] > done[s]) return false;
  }
  return true;
}

}  // namespace

Result<std::shared_ptr<LeftOver>> LeftOver::Open(const StoreLayout& layout, const std::string& writer, Forwarder* forwarder) {
  std::shared_ptr<LeftOver> none;
  const std::string lock_path = layout.LeftOverLock(writer);
  if (!platform::Exists(lock_path)) return none;
  auto lock = platform::FileLock::TryLock(lock_path);
  if (!lock.ok()) return platform::Exists(lock_path) ? Result<std::shared_ptr<LeftOver>>(lock.status()) : none;
  // Another may have finished between the look and the lock; then the lock is on a deleted file.
  if (!*lock || !platform::Exists(lock_path)) return none;
  std::shared_ptr<LeftOver> left_over(new LeftOver(layout, writer, forwarder, **std::move(lock)));
  OTLP_ASSIGN_OR_RETURN(left_over->positions_, ForwardPositions::Open(layout.LeftOverDir(writer)));
  OTLP_RETURN_NOT_OK(left_over->ReadSegments());
  return left_over;
}

Status LeftOver::ReadSegments() {
  OTLP_ASSIGN_OR_RETURN(const auto paths, ListJournalSegments(layout_.LeftOverDir(writer_)));
  for (const std::string& path : paths) {
    OTLP_ASSIGN_OR_RETURN(const JournalSummary summary, SummarizeJournalSegment(path));
    OTLP_ASSIGN_OR_RETURN(platform::File file, platform::File::Open(path, platform::File::Mode::kRead));
    for (size_t s = 0; s < kSignalCount; ++s) {
      ends_[s].last_sequence = std::max(ends_[s].last_sequence, summary.last[s]);
      ends_[s].items += summary.items[s];
      ends_[s].bytes += summary.bytes[s];
    }
    if (first_time_ == 0) first_time_ = summary.first_time;
    segments_.push_back({{summary.number, std::make_shared<platform::File>(std::move(file)), summary.size}, summary.last});
  }
  CountBytes();
  return Status::Ok();
}

StoredSequences LeftOver::last() const {
  StoredSequences last{};
  for (size_t s = 0; s < kSignalCount; ++s) last[s] = ends_[s].last_sequence;
  return last;
}

void LeftOver::CountBytes() {
  uint64_t bytes = 0;
  for (const Segment& s : segments_) {
    if (s.segment.number >= give_up_before_) bytes += s.segment.size;
  }
  bytes_ = bytes;
}

uint64_t LeftOver::bytes_on_disk() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const Segment& s : segments_) bytes += s.segment.size;
  return bytes;
}

uint64_t LeftOver::GiveUp(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  uint64_t given_up = 0;
  for (const Segment& s : segments_) {
    if (given_up >= bytes) break;
    if (s.segment.number < give_up_before_) continue;
    give_up_before_ = s.segment.number + 1;
    given_up += s.segment.size;
  }
  CountBytes();
  return given_up;
}

std::vector<JournalSegment> LeftOver::SegmentsFrom(uint64_t first) const {
  std::lock_guard lock(mutex_);
  std::vector<JournalSegment> segments;
  for (const Segment& s : segments_) {
    if (s.segment.number >= first) segments.push_back(s.segment);
  }
  return segments;
}

void LeftOver::OnProgress() {
  const StoredSequences done = forwarder_->DoneUpTo(*this);
  std::lock_guard lock(mutex_);
  // The last one stays: whoever comes after a crash sees by it how far the journal went.
  while (segments_.size() > 1 && IsBehind(segments_.front().last, done)) {
    (void)platform::Remove(segments_.front().segment.file->path());
    segments_.pop_front();
  }
  CountBytes();
}

Status LeftOver::GiveUpAll() {
  for (const std::string& name : positions_->names()) {
    const auto place = positions_->Find(name);
    for (Signal signal : kAllSignals) {
      const auto s = static_cast<size_t>(signal);
      ForwardState state = positions_->Get(*place, signal);
      if (state.sequence >= ends_[s].last_sequence) continue;
      for (const Segment& segment : segments_) {
        OTLP_ASSIGN_OR_RETURN(const JournalSummary rest, SummarizeJournalSegment(segment.segment.file->path(), state.sequence));
        state.given_up[static_cast<size_t>(GiveUpReason::kBacklogFull)] += rest.items[s];
      }
      state.sequence = ends_[s].last_sequence;
      positions_->Set(*place, signal, state);
    }
  }
  return Status::Ok();
}

Status LeftOver::Finish() {
  LedgerSnapshot snapshot = ReadLedgerFile(layout_, writer_);
  const ForwardSnapshot positions = positions_->Snapshot();
  snapshot.ledger.destinations = positions.Counts();
  if (positions.is_relay) {
    for (SignalLedger& ledger : snapshot.ledger.signals) ledger.relayed += std::exchange(ledger.in_flight, 0);
  }
  OTLP_RETURN_NOT_OK(WriteLedgerFile(layout_, snapshot, false));
  return RemoveLeftOver(layout_, writer_);
}

}  // namespace otlp_arrow
