#include "ring/ring_input.h"

#include <algorithm>

#include "ring/varint.h"

namespace otlp_arrow::ring {

RingInput::RingInput(FileView* file, RingKind kind, const ReaderOptions& options)
    : file_(file),
      kind_(kind),
      ring_(file->Place(kind)),
      clock_(options.clock),
      claim_timeout_(options.claim_timeout),
      foreign_claim_timeout_(options.foreign_claim_timeout),
      next_(ring_.header->reader_index.load(std::memory_order_acquire) + 1),
      freed_(next_ - 1) {}

Result<std::span<const RecordView>> RingInput::Poll(size_t most) {
  const int64_t written = ring_.header->writer_index.load(std::memory_order_acquire);
  const int64_t read = ring_.header->reader_index.load(std::memory_order_relaxed);
  if (read != freed_ || written < last_read() || static_cast<uint64_t>(written) - static_cast<uint64_t>(freed_) > ring_.num_slots) {
    return Status::Io("the ring of " + std::string(RingName(kind_)) + " in '" + file_->file().path() + "' is damaged: read up to record " +
                      std::to_string(read) + " (by us " + std::to_string(freed_) + "), written up to " + std::to_string(written) + ", with " +
                      std::to_string(ring_.num_slots) + " slots; move the file away, and its writer creates a new one");
  }
  bytes_.clear();
  taken_.clear();
  while (next_ <= written && taken_.size() < most) {
    const Step step = ReadNext();
    if (step == Step::kWait) break;
    ++next_;
  }
  records_.clear();
  for (const Taken& taken : taken_) records_.push_back({taken.sequence, std::string_view(bytes_).substr(taken.offset, taken.size)});
  return std::span<const RecordView>(records_);
}

RingInput::Step RingInput::ReadNext() {
  const uint32_t entry = ring_.AvailabilityOf(next_).load(std::memory_order_acquire);
  const SlotState state = StateOf(entry, ring_.Lap(next_));
  switch (state) {
    case SlotState::kPublished: return TakeRecord() ? Step::kRead : Step::kPassed;
    case SlotState::kRevoking: return EmptySlot();  // by a consumer that died over it
    case SlotState::kFree:
    case SlotState::kMarked:
    case SlotState::kUnknown: break;
  }
  return GiveUpIfDead(entry, state);
}

// False where the slot holds no record.
bool RingInput::TakeRecord() {
  const uint8_t* slot = ring_.SlotOf(next_);
  uint64_t size = 0;
  const uint8_t* body = ReadVarint(slot, slot + ring_.slot_bytes, &size);
  if (!body || size > static_cast<uint64_t>(slot + ring_.slot_bytes - body)) {
    ++skipped_;
    return false;
  }
  if (size == 0) return false;  // a claim that was given up
  taken_.push_back({next_, bytes_.size(), size});
  bytes_.append(reinterpret_cast<const char*>(body), size);
  return true;
}

std::chrono::milliseconds RingInput::Patience(SlotState state) const {
  const bool native = (file_->header().writers.load(std::memory_order_relaxed) & kNativeFile) != 0;
  return native && state != SlotState::kUnknown ? claim_timeout_ : foreign_claim_timeout_;
}

RingInput::Step RingInput::GiveUpIfDead(uint32_t observed, SlotState state) {
  const auto now = clock_->SteadyNow();
  if (waiting_for_ != next_ || waiting_entry_ != observed) {
    waiting_for_ = next_;
    waiting_entry_ = observed;
    waiting_since_ = now;
    // A dead writer's mark needs no patience.
    if (state != SlotState::kMarked) return Step::kWait;
  } else if (now - waiting_since_ < Patience(state)) {
    return Step::kWait;
  }
  if (state == SlotState::kMarked && IsAlive(WriterOfMark(observed, ring_.Lap(next_)))) {
    waiting_since_ = now;
    return Step::kWait;
  }
  return GiveUp(observed);
}

bool RingInput::IsAlive(uint32_t writer) const {
  const auto held = file_->locks().HeldWithin(kFirstWriterLock + writer, kFirstWriterLock + writer);
  return !held.ok() || !held->empty();
}

RingInput::Step RingInput::GiveUp(uint32_t observed) {
  const uint32_t revoking = MarkOf(ring_.Lap(next_), 0);
  if (!ring_.AvailabilityOf(next_).compare_exchange_strong(observed, revoking, std::memory_order_acq_rel)) {
    return Step::kWait;  // it moved after all
  }
  CountSaturating(file_->header().revoked);
  return EmptySlot();
}

// A record of no bytes, published: whoever reads this slot again after a crash passes it over, too.
RingInput::Step RingInput::EmptySlot() {
  *ring_.SlotOf(next_) = 0;
  ring_.AvailabilityOf(next_).store(ring_.Lap(next_), std::memory_order_release);
  return Step::kPassed;
}

bool RingInput::HasData() const {
  if (ring_.header->writer_index.load(std::memory_order_acquire) < next_) return false;
  const uint32_t entry = ring_.AvailabilityOf(next_).load(std::memory_order_acquire);
  const SlotState state = StateOf(entry, ring_.Lap(next_));
  if (state == SlotState::kPublished || state == SlotState::kRevoking) return true;
  if (waiting_for_ != next_ || waiting_entry_ != entry) return true;  // Poll takes note of it
  return clock_->SteadyNow() - waiting_since_ >= Patience(state);
}

void RingInput::Advance(int64_t sequence) {
  sequence = std::min(sequence, last_read());
  if (sequence <= freed_) return;
  freed_ = sequence;
  ring_.header->reader_index.store(sequence, std::memory_order_release);
}

}  // namespace otlp_arrow::ring
