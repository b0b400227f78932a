// A memory pool that keeps what it gets back for the next request of about the same size: writing batch after batch,
// the buffers for compressed data are the same pages again instead of fresh ones from the kernel.
#pragma once

#include <arrow/memory_pool.h>

#include <array>
#include <cstdint>
#include <vector>

namespace otlp_arrow {

// Not thread-safe: one per writer thread. Buffers must not outlive it.
class CachingPool : public arrow::MemoryPool {
 public:
  explicit CachingPool(arrow::MemoryPool* parent = arrow::default_memory_pool()) : parent_(parent) {}
  ~CachingPool() override;

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

 private:
  // Sizes are rounded up to powers of two; each has its list of free pieces.
  static constexpr int kClasses = 28;
  static constexpr int64_t kMostCached = 24 << 20;
  static int ClassOf(int64_t size);

  arrow::MemoryPool* parent_;
  std::array<std::vector<uint8_t*>, kClasses> free_;
  int64_t cached_ = 0;
};

}  // namespace otlp_arrow
