#include "storage/caching_pool.h"

#include <bit>
#include <cstring>

namespace otlp_arrow {
namespace {

constexpr int64_t kLeast = 64;

int64_t SizeOf(int size_class) { return kLeast << size_class; }

}  // namespace

// -1 for sizes that are passed through.
int CachingPool::ClassOf(int64_t size) {
  if (size <= 0) return -1;
  const auto pieces = static_cast<uint64_t>((size + kLeast - 1) / kLeast);
  const int size_class = static_cast<int>(std::bit_width(std::bit_ceil(pieces))) - 1;
  return size_class < kClasses ? size_class : -1;
}

CachingPool::~CachingPool() {
  for (int c = 0; c < kClasses; ++c) {
    for (uint8_t* piece : free_[static_cast<size_t>(c)]) parent_->Free(piece, SizeOf(c));
  }
}

arrow::Status CachingPool::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  const int c = alignment <= arrow::kDefaultBufferAlignment ? ClassOf(size) : -1;
  if (c < 0) return parent_->Allocate(size, alignment, out);
  auto& list = free_[static_cast<size_t>(c)];
  if (list.empty()) return parent_->Allocate(SizeOf(c), out);
  *out = list.back();
  list.pop_back();
  cached_ -= SizeOf(c);
  return arrow::Status::OK();
}

arrow::Status CachingPool::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) {
  // Shrinking within the piece is free, and that is what compression does.
  const bool from_class = alignment <= arrow::kDefaultBufferAlignment && ClassOf(old_size) >= 0;
  if (from_class && ClassOf(old_size) == ClassOf(new_size)) return arrow::Status::OK();
  uint8_t* moved = nullptr;
  ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
  std::memcpy(moved, *ptr, static_cast<size_t>(old_size < new_size ? old_size : new_size));
  Free(*ptr, old_size, alignment);
  *ptr = moved;
  return arrow::Status::OK();
}

void CachingPool::Free(uint8_t* buffer, int64_t size, int64_t alignment) {
  const int c = alignment <= arrow::kDefaultBufferAlignment ? ClassOf(size) : -1;
  if (c < 0) return parent_->Free(buffer, size, alignment);
  if (cached_ + SizeOf(c) > kMostCached) return parent_->Free(buffer, SizeOf(c));
  free_[static_cast<size_t>(c)].push_back(buffer);
  cached_ += SizeOf(c);
}

}  // namespace otlp_arrow
