#include "pipeline/byte_pool.h"

#include <cstdint>

namespace otlp_arrow {

BytePool::Piece BytePool::Allocate(size_t size) {
  const size_t wanted = (size + kSlack + 15) & ~size_t{15};
  if (wanted > kLargest) {
    std::shared_ptr<char> own(new char[wanted], std::default_delete<char[]>());
    char* data = own.get();
    return {std::move(own), data};
  }
  std::shared_ptr<char> full;  // let go of behind the lock: its deleter takes it
  std::lock_guard lock(mutex_);
  if (!current_ || used_ + wanted > kBlockBytes) {
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
  std::unique_ptr<char[]> block;
  if (!free_.empty()) {
    block = std::move(free_.back());
    free_.pop_back();
  } else {
    block.reset(new char[kBlockBytes]);
  }
  return {block.release(), [pool = weak_from_this()](char* b) {
            if (auto alive = pool.lock()) {
              alive->GiveBack(b);
            } else {
              delete[] b;
            }
          }};
}

void BytePool::GiveBack(char* block) {
  std::unique_ptr<char[]> owned(block);
  std::lock_guard lock(mutex_);
  if (free_.size() < kFreeBlocksKept) free_.push_back(std::move(owned));
}

}  // namespace otlp_arrow
