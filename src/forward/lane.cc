#include "forward/lane.h"

#include <algorithm>
#include <utility>

namespace otlp_arrow {
namespace {

void AddItems(const SettledItems& more, ForwardState* state) {
  state->sent += more.sent;
  state->rejected += more.rejected;
  for (size_t i = 0; i < kGiveUpReasonCount; ++i) state->given_up[i] += more.given_up[i];
}

SettledItems GivenUp(GiveUpReason reason, int64_t items) {
  SettledItems settled;
  settled.given_up[static_cast<size_t>(reason)] = items;
  return settled;
}

int64_t ItemsOf(const JournalBatch& batch) {
  int64_t items = 0;
  for (const auto& record : batch.records) items += record.items;
  return items;
}

// Without what is at or before `sequence`.
void DropUpTo(uint64_t sequence, JournalBatch* batch) {
  std::erase_if(batch->records, [&](const JournalBatch::Record& r) { return r.sequence <= sequence; });
  if (batch->records.empty()) return batch->requests.clear();
  const size_t first = batch->records.front().offset;
  batch->requests.erase(0, first);
  for (auto& record : batch->records) record.offset -= first;
}

}  // namespace

Lane::Lane(std::shared_ptr<ForwardSource> source, size_t place, Signal signal)
    : source_(std::move(source)),
      place_(place),
      signal_(signal),
      at_start_(source_->positions().Get(place, signal)),
      state_(at_start_) {}

Lane::View Lane::Look(Clock::SteadyTime now) {
  const ForwardSource::End end = source_->GetEnd(signal_);
  View view;
  view.has_unread = end.last_sequence > reading_.sequence;
  if (!view.has_unread) {
    unread_since_.reset();
    return view;
  }
  if (!unread_since_) unread_since_ = now;
  view.unread_bytes = end.bytes - std::min(end.bytes, reading_.bytes);
  view.since = *unread_since_;
  return view;
}

// Where the cursor's next record can be at the earliest.
uint64_t Lane::NextSegment(const std::vector<JournalSegment>& segments) const {
  for (const JournalSegment& segment : segments) {
    if (segment.number > cursor_.segment || cursor_.offset < segment.size) return segment.number;
  }
  return cursor_.segment;
}

Result<JournalBatch> Lane::ReadOn(const std::vector<JournalSegment>& segments, size_t bytes) {
  for (;;) {
    batch_segment_ = NextSegment(segments);
    OTLP_ASSIGN_OR_RETURN(JournalBatch batch, ReadJournalBatch(segments, signal_, {.bytes = bytes, .rejected_alone = true}, &cursor_));
    if (batch.empty()) return batch;
    reading_.sequence = batch.records.back().sequence;
    reading_.items += ItemsOf(batch);
    reading_.bytes += batch.requests.size();
    if (batch.records.front().sequence <= at_start_.sequence) DropUpTo(at_start_.sequence, &batch);
    if (!batch.empty()) return batch;
  }
}

uint64_t Lane::Add(const JournalBatch& batch, std::optional<SettledItems> settled) {
  added_.push_back({next_ticket_, batch.records.back().sequence, ItemsOf(batch), batch.requests.size(), batch.records.front().time, batch_segment_,
                    settled});
  return next_ticket_++;
}

Result<std::optional<Lane::Batch>> Lane::Read(size_t bytes) {
  const ForwardSource::End end = source_->GetEnd(signal_);
  Batch batch;
  OTLP_ASSIGN_OR_RETURN(batch.requests, ReadOn(source_->SegmentsFrom(cursor_.segment), bytes));
  if (batch.requests.empty()) {
    SettleDamaged(end);
    return std::optional<Batch>();
  }
  unread_since_.reset();
  batch.items = ItemsOf(batch.requests);
  batch.ticket = Add(batch.requests, std::nullopt);
  if (reading_.sequence == end.last_sequence) SettleDamaged(end);  // behind the batch, whose place comes first
  return std::optional<Batch>(std::move(batch));
}

void Lane::SettleDamaged(const ForwardSource::End& end) {
  const int64_t missing = end.items - reading_.items;
  if (end.last_sequence < reading_.sequence || (missing <= 0 && end.last_sequence == reading_.sequence)) return;
  reading_ = {end.last_sequence, std::max(end.items, reading_.items), std::max(end.bytes, reading_.bytes)};
  if (end.last_sequence <= at_start_.sequence) return;
  const int64_t damaged = std::max<int64_t>(missing, 0);
  added_.push_back({next_ticket_++, end.last_sequence, damaged, 0, 0, cursor_.segment, GivenUp(GiveUpReason::kDamaged, damaged)});
}

Status Lane::GiveUp() {
  constexpr size_t kStretch = 4 << 20;
  const uint64_t segment = source_->give_up_before();
  std::vector<JournalSegment> segments = source_->SegmentsFrom(cursor_.segment);
  std::erase_if(segments, [&](const JournalSegment& s) { return s.number >= segment; });
  while (!segments.empty()) {
    OTLP_ASSIGN_OR_RETURN(const JournalBatch batch, ReadOn(segments, kStretch));
    if (batch.empty()) break;
    Add(batch, GivenUp(GiveUpReason::kBacklogFull, ItemsOf(batch)));
  }
  if (cursor_.segment < segment) cursor_ = {segment, 0};
  return Status::Ok();
}

bool Lane::Commit() {
  read_ = reading_;
  for (Entry& entry : added_) outstanding_.push_back(std::move(entry));
  added_.clear();
  const uint64_t before = source_->give_up_before();
  for (Entry& entry : outstanding_) {
    if (entry.settled || entry.segment >= before) continue;
    entry.settled = GivenUp(GiveUpReason::kBacklogFull, entry.items);
    revoked_.push_back({entry.ticket, entry.items});
  }
  return SettlePrefix();
}

bool Lane::Settle(uint64_t ticket, const SettledItems& items) {
  const auto revoked = std::find_if(revoked_.begin(), revoked_.end(), [&](const Revoked& r) { return r.ticket == ticket; });
  if (revoked == revoked_.end()) {
    for (Entry& entry : outstanding_) {
      if (entry.ticket == ticket) entry.settled = items;
    }
    return SettlePrefix();
  }
  // It was under way when it was given up, and came through after all.
  state_.given_up[static_cast<size_t>(GiveUpReason::kBacklogFull)] -= revoked->items;
  AddItems(items, &state_);
  revoked_.erase(revoked);
  source_->positions().Set(place_, signal_, state_);
  return SettlePrefix();
}

bool Lane::SettlePrefix() {
  bool moved = false;
  while (!outstanding_.empty() && outstanding_.front().settled) {
    AddItems(*outstanding_.front().settled, &state_);
    state_.sequence = std::max(state_.sequence, outstanding_.front().last_sequence);
    outstanding_.pop_front();
    moved = true;
  }
  if (moved) source_->positions().Set(place_, signal_, state_);
  return moved;
}

bool Lane::IsWanted(uint64_t ticket) const {
  return !is_removed && std::none_of(revoked_.begin(), revoked_.end(), [&](const Revoked& r) { return r.ticket == ticket; });
}

void Lane::Abandon(uint64_t ticket) {
  std::erase_if(revoked_, [&](const Revoked& r) { return r.ticket == ticket; });
}

void Lane::AddTo(DestinationSignalStats* stats) const {
  stats->sent += state_.sent - at_start_.sent;
  stats->rejected += state_.rejected - at_start_.rejected;
  for (size_t i = 0; i < kGiveUpReasonCount; ++i) stats->given_up[i] += state_.given_up[i] - at_start_.given_up[i];
}

int64_t Lane::outstanding_items() const {
  int64_t items = 0;
  for (const Entry& entry : outstanding_) items += entry.items;
  return items;
}

int64_t Lane::BacklogItems(const ForwardSource::End& end) const {
  return outstanding_items() + std::max<int64_t>(0, end.items - read_.items);
}

uint64_t Lane::BacklogBytes(const ForwardSource::End& end) const {
  uint64_t bytes = end.bytes - std::min(end.bytes, read_.bytes);
  for (const Entry& entry : outstanding_) bytes += entry.bytes;
  return bytes;
}

int64_t Lane::oldest_time() const { return outstanding_.empty() ? 0 : outstanding_.front().time; }

}  // namespace otlp_arrow
