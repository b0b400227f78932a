// Claiming slots of a ring for writing, and publishing them. See layout.h for the states of a slot.
#pragma once

#include <cstdint>

#include "ring/geometry.h"

namespace otlp_arrow::ring {

struct Claim {
  uint8_t* slot = nullptr;  // null: the ring is full
  int64_t sequence = 0;
};

// Claims the next free slot for writer `writer` and marks it. `reclaimed` counts claims that the consumer had given up
// before they were marked: they are made anew.
template <class Counter>
inline Claim ClaimSlot(const RingPlace& ring, uint32_t writer, Counter* reclaimed) {
  int64_t last = ring.header->writer_index.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t read = ring.header->reader_index.load(std::memory_order_acquire);
    // Claimed and unread; unsigned, so that damaged indices read as "full".
    if (static_cast<uint64_t>(last) - static_cast<uint64_t>(read) >= ring.num_slots) [[unlikely]] {
      // `last` may be older than `read`.
      const int64_t now = ring.header->writer_index.load(std::memory_order_relaxed);
      if (now == last) return {};
      last = now;
      continue;
    }
    const auto sequence = static_cast<int64_t>(static_cast<uint64_t>(last) + 1);
    if (!ring.header->writer_index.compare_exchange_weak(last, sequence, std::memory_order_acq_rel, std::memory_order_relaxed)) continue;
    last = sequence;
    const uint32_t lap = ring.Lap(sequence);
    uint32_t free = lap - 1;
    if (ring.AvailabilityOf(sequence).compare_exchange_strong(free, MarkOf(lap, writer), std::memory_order_acq_rel)) [[likely]] {
      return {ring.SlotOf(sequence), sequence};
    }
    reclaimed->fetch_add(1, std::memory_order_relaxed);
  }
}

inline void PublishSlot(const RingPlace& ring, const Claim& claim) {
  ring.AvailabilityOf(claim.sequence).store(ring.Lap(claim.sequence), std::memory_order_release);
}

}  // namespace otlp_arrow::ring
