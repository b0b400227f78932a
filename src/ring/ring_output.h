// One ring as its producers see it: puts a record into a slot, or says why it cannot.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "ring/claim.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "ring/slot_writer.h"
#include "ring/writer_identity.h"

namespace otlp_arrow::ring {

// What the rings of a writer share.
struct OutputState {
  FileHeader* header;
  WriterIdentity* identity;
  WhenFull when_full;
  uint32_t max_block_ms;
  std::atomic<uint64_t> dropped{0};
  std::atomic<uint64_t> truncated{0};
  std::atomic<uint64_t> reclaimed{0};
  std::atomic<uint32_t> parts{1};

  // Of a record in parts; not 0. Different from those of all other writers that live.
  uint64_t NextPartId();
  void CountDropped(uint32_t n = 1);
  void CountTruncated(uint32_t n);
};

enum class PutResult { kPut, kDropped, kFull, kTooLarge };

class RingOutput {
 public:
  RingOutput(const RingPlace& ring, OutputState* state) : ring_(ring), state_(state) {}

  // Would a message of so many bytes fit into a slot?
  bool Fits(size_t bytes) const { return VarintBytes(bytes) + bytes <= ring_.slot_bytes; }
  size_t slot_bytes() const { return ring_.slot_bytes; }

  // `record` has Bytes() and Put(SlotWriter*).
  template <class Record>
  PutResult Put(Record&& record) {
    const size_t bytes = record.Bytes();
    if (!Fits(bytes)) [[unlikely]] return PutResult::kTooLarge;
    const uint32_t writer = state_->identity->number();
    Claim claim;
    if (writer != 0) [[likely]] claim = ClaimSlot(ring_, writer, &state_->reclaimed);
    if (!claim.slot) [[unlikely]] {
      claim = ClaimSlowly();
      if (!claim.slot) return WhyNotPut();
    }
    SlotWriter out(claim.slot);
    out.Varint(bytes);
    record.Put(&out);
    PublishSlot(ring_, claim);
    return PutResult::kPut;
  }

  // Slots that are free now; others may take them.
  uint64_t Room() const;
  // No record takes more slots than this.
  uint64_t MostParts() const { return std::max<uint64_t>(ring_.num_slots / 4, 1); }
  // Until there is room for any record; see RingWriter::WaitForRoom.
  bool WaitForRoom(std::chrono::milliseconds timeout);

 private:
  // The first record of a forked child, and full rings.
  Claim ClaimSlowly();
  // Counts what is dropped.
  PutResult WhyNotPut();
  template <class Try>
  bool WaitUntil(std::chrono::milliseconds timeout, Try done);

  static constexpr int64_t kMoving = INT64_MIN;

  RingPlace ring_;
  OutputState* state_;
  std::atomic<int64_t> stuck_at_{kMoving};  // reader_index at which a writer waited in vain
};

}  // namespace otlp_arrow::ring
