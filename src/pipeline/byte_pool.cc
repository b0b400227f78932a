#include "pipeline/byte_pool.h"

#include <cstdint>

namespace otlp_arrow {

template <class Free>
std::shared_ptr<char> BytePool::Own(char* data, size_t size, Free free) {
  bytes_in_use_ += size;
  return {data, [pool = weak_from_this(), size, free](char* d) {
            const auto alive = pool.lock();
            if (alive) alive->bytes_in_use_ -= size;
            free(alive.get(), d);
          }};
}

BytePool::Piece BytePool::Allocate(size_t size) {
  const size_t wanted = (size + kSlack + 15) & ~size_t{15};
  if (wanted > block_bytes_ / 4) {
    std::shared_ptr<char> own = Own(new char[wanted], wanted, [](BytePool*, char* d) { delete[] d; });
    char* data = own.get();
    return {std::move(own), data};
  }
  std::shared_ptr<char> full;  // let go of behind the lock: its deleter takes it
  std::lock_guard lock(mutex_);
  if (!current_ || used_ + wanted > block_bytes_) {
    full = std::move(current_);
    current_ = TakeBlock();
    used_ = 0;
  }
  char* data = current_.get() + used_;
  used_ += wanted;
  return {current_, data};
}

// The lock is held.
std::shared_ptr<char> BytePool::TakeBlock() {
  Block block(nullptr, {block_bytes_});
  if (!free_.empty()) {
    block = std::move(free_.back());
    free_.pop_back();
  } else {
    block.reset(platform::AllocatePages(block_bytes_));
  }
  return Own(block.release(), block_bytes_, [size = block_bytes_](BytePool* pool, char* b) {
    Block owned(b, {size});
    if (pool) pool->GiveBack(std::move(owned));
  });
}

void BytePool::GiveBack(Block block) {
  std::lock_guard lock(mutex_);
  if (free_.size() < spare_blocks_) free_.push_back(std::move(block));
}

}  // namespace otlp_arrow
