#include "ring/ring_output.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace otlp_arrow::ring {

void OutputState::CountDropped(uint32_t n) {
  if (n == 0) return;
  dropped.fetch_add(n, std::memory_order_relaxed);
  CountSaturating(header->dropped, n);
}

void OutputState::CountTruncated(uint32_t n) {
  if (n == 0) return;
  truncated.fetch_add(n, std::memory_order_relaxed);
  CountSaturating(header->truncated, n);
}

uint64_t OutputState::NextPartId() {
  const auto number = identity->Ensure();
  return static_cast<uint64_t>(number.ok() ? *number : 0) << 32 | parts.fetch_add(1, std::memory_order_relaxed);
}

Claim RingOutput::ClaimSlowly() {
  Claim claim;
  uint32_t writer = state_->identity->number();
  if (writer == 0) {
    const auto number = state_->identity->Ensure();
    if (!number.ok()) return claim;
    writer = *number;
    claim = ClaimSlot(ring_, writer, &state_->reclaimed);
  }
  if (!claim.slot && state_->when_full == WhenFull::kBlock) {
    WaitUntil(std::chrono::milliseconds(state_->max_block_ms), [&] {
      claim = ClaimSlot(ring_, writer, &state_->reclaimed);
      return claim.slot != nullptr;
    });
  }
  return claim;
}

PutResult RingOutput::WhyNotPut() {
  if (state_->when_full == WhenFull::kReport && state_->identity->number() != 0) return PutResult::kFull;
  state_->CountDropped();
  return PutResult::kDropped;
}

uint64_t RingOutput::Room() const {
  const int64_t written = ring_.header->writer_index.load(std::memory_order_relaxed);
  const int64_t read = ring_.header->reader_index.load(std::memory_order_relaxed);
  // `read` may be the newer one.
  const auto filled = static_cast<int64_t>(static_cast<uint64_t>(written) - static_cast<uint64_t>(read));
  if (filled <= 0) return ring_.num_slots;
  return ring_.num_slots - std::min<uint64_t>(static_cast<uint64_t>(filled), ring_.num_slots);
}

bool RingOutput::WaitForRoom(std::chrono::milliseconds timeout) {
  if (Room() >= MostParts()) return true;
  return WaitUntil(timeout, [&] { return Room() >= MostParts(); }) || Room() > 0;
}

// Looks at growing intervals. In vain at once where it was so before and the consumer has not moved since.
template <class Try>
bool RingOutput::WaitUntil(std::chrono::milliseconds timeout, Try done) {
  const auto read = [&] { return ring_.header->reader_index.load(std::memory_order_relaxed); };
  const int64_t stuck_at = stuck_at_.load(std::memory_order_relaxed);
  if (stuck_at != kMoving && stuck_at == read()) return false;
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (auto pause = std::chrono::microseconds(10); std::chrono::steady_clock::now() < until;
       pause = std::min(pause * 2, std::chrono::microseconds(1000))) {
    std::this_thread::sleep_for(pause);
    if (!done()) continue;
    stuck_at_.store(kMoving, std::memory_order_relaxed);
    return true;
  }
  stuck_at_.store(read(), std::memory_order_relaxed);
  return false;
}

}  // namespace otlp_arrow::ring
