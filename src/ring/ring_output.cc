#include "ring/ring_output.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace otlp_arrow::ring {

void OutputState::CountDropped() {
  dropped.fetch_add(1, std::memory_order_relaxed);
  CountSaturating(header->dropped);
}

void OutputState::CountTruncated(uint32_t n) {
  if (n == 0) return;
  truncated.fetch_add(n, std::memory_order_relaxed);
  CountSaturating(header->truncated, n);
}

Claim RingOutput::ClaimSlowly() {
  uint32_t writer = state_->identity->number();
  Claim claim;
  if (writer == 0) {
    const auto number = state_->identity->Ensure();
    if (number.ok()) {
      writer = *number;
      claim = ClaimSlot(ring_, writer, &state_->reclaimed);
    }
  }
  if (!claim.slot && writer != 0 && state_->when_full == WhenFull::kBlock) claim = WaitForRoom(writer);
  if (!claim.slot) state_->CountDropped();
  return claim;
}

Claim RingOutput::WaitForRoom(uint32_t writer) {
  const auto read = [&] { return ring_.header->reader_index.load(std::memory_order_relaxed); };
  const int64_t stuck_at = stuck_at_.load(std::memory_order_relaxed);
  if (stuck_at != kMoving && stuck_at == read()) return {};
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(state_->max_block_ms);
  for (auto pause = std::chrono::microseconds(10); std::chrono::steady_clock::now() < until;
       pause = std::min(pause * 2, std::chrono::microseconds(1000))) {
    std::this_thread::sleep_for(pause);
    const Claim claim = ClaimSlot(ring_, writer, &state_->reclaimed);
    if (claim.slot) {
      stuck_at_.store(kMoving, std::memory_order_relaxed);
      return claim;
    }
  }
  stuck_at_.store(read(), std::memory_order_relaxed);
  return {};
}

}  // namespace otlp_arrow::ring
