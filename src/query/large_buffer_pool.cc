#include "query/large_buffer_pool.h"

#include <algorithm>
#include <cstring>

namespace otlp_arrow {

arrow::Status LargeBufferPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  if (!IsLarge(size, alignment)) return parent_->Allocate(size, alignment, out);
  const int64_t rounded = Rounded(size);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = kept_.find(rounded); found != kept_.end()) {
      *out = found->second;
      kept_bytes_ -= rounded;
      kept_.erase(found);
      return arrow::Status::OK();
    }
  }
  return parent_->Allocate(rounded, arrow::kDefaultBufferAlignment, out);
}

arrow::Status LargeBufferPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) {
  if (!IsLarge(old_size, alignment) && !IsLarge(new_size, alignment)) return parent_->Reallocate(old_size, new_size, alignment, ptr);
  uint8_t* moved = nullptr;
  ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, static_cast<size_t>(std::min(old_size, new_size)));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return arrow::Status::OK();
}

void LargeBufferPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  if (!IsLarge(size, alignment)) return parent_->Free(buffer, size, alignment);
  const int64_t rounded = Rounded(size);
  {
    std::lock_guard lock(mutex_);
    if (kept_bytes_ + rounded <= kMostKept) {
      kept_.emplace(rounded, buffer);
      kept_bytes_ += rounded;
      return;
    }
  }
  parent_->Free(buffer, rounded, arrow::kDefaultBufferAlignment);
}

void LargeBufferPool::Trim() {
  std::lock_guard lock(mutex_);
  for (const auto& [size, buffer] : kept_) parent_->Free(buffer, size, arrow::kDefaultBufferAlignment);
  kept_.clear();
  kept_bytes_ = 0;
}

}  // namespace otlp_arrow
