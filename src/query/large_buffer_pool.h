// Memory for bodies of messages, megabytes each, that are read and sent one after the other: the same pages again instead of fresh
// ones from the kernel.
#pragma once

#include <bit>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include <arrow/memory_pool.h>

namespace otlp_arrow {

// Thread-safe. Buffers must not outlive it.
class LargeBufferPool final : public arrow::MemoryPool {
 public:
  explicit LargeBufferPool(arrow::MemoryPool* parent = arrow::default_memory_pool()) : parent_(parent) {}
  ~LargeBufferPool() override { Trim(); }

  using arrow::MemoryPool::Allocate;
  using arrow::MemoryPool::Free;
  using arrow::MemoryPool::Reallocate;
  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) override;
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override;
  int64_t bytes_allocated() const override { return parent_->bytes_allocated(); }
  int64_t max_memory() const override { return parent_->max_memory(); }
  int64_t total_bytes_allocated() const override { return parent_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return parent_->num_allocations(); }
  std::string backend_name() const override { return parent_->backend_name(); }

  // Gives back what nobody uses at the moment.
  void Trim();

 private:
  static constexpr int64_t kLeast = 1 << 20;  // smaller pieces are not kept; others are rounded up to powers of two
  static constexpr int64_t kMostKept = 32 << 20;

  static bool IsLarge(int64_t size, int64_t alignment) { return size >= kLeast && alignment <= arrow::kDefaultBufferAlignment; }
  static int64_t Rounded(int64_t size) { return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(size))); }

  arrow::MemoryPool* parent_;
  std::mutex mutex_;
  std::multimap<int64_t, uint8_t*> kept_;  // by size
  int64_t kept_bytes_ = 0;
};

}  // namespace otlp_arrow
