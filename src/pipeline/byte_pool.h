// Memory for the bytes of requests: taken from blocks that are used again, so that a steady stream of requests costs
// neither page faults nor growth of the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/platform/platform.h"

namespace otlp_arrow {

class BytePool : public std::enable_shared_from_this<BytePool> {
 public:
  // Readable bytes behind every piece, for readers that load a little more than they use.
  static constexpr size_t kSlack = 64;

  struct Piece {
    std::shared_ptr<void> owner;  // the piece lives as long as this
    char* data = nullptr;
  };

  static constexpr size_t kBlockBytes = 2 << 20;
  static constexpr size_t kSpareBlocks = 4;

  // At most `spare_blocks` are kept for the next pieces. Pieces larger than a quarter of a block get memory of their own.
  static std::shared_ptr<BytePool> Make(size_t block_bytes = kBlockBytes, size_t spare_blocks = kSpareBlocks) {
    return std::shared_ptr<BytePool>(new BytePool(block_bytes, spare_blocks));
  }

  // Thread-safe. Throws std::bad_alloc.
  Piece Allocate(size_t size);

  // Memory behind the living pieces. More than they hold together: a block lives as long as the last of its pieces.
  uint64_t bytes_in_use() const { return bytes_in_use_.load(std::memory_order_relaxed); }

 private:
  // Blocks are pages of their own: a program's C library need not give back what a burst of requests took.
  struct FreeBlock {
    size_t size;
    void operator()(char* block) const { platform::FreePages(block, size); }
  };
  using Block = std::unique_ptr<char, FreeBlock>;

  BytePool(size_t block_bytes, size_t spare_blocks) : block_bytes_(block_bytes), spare_blocks_(spare_blocks) {}
  std::shared_ptr<char> TakeBlock();
  void GiveBack(Block block);
  // Counts `size` bytes as in use until `data` is let go of by `free`.
  template <class Free>
  std::shared_ptr<char> Own(char* data, size_t size, Free free);

  const size_t block_bytes_, spare_blocks_;
  std::atomic<uint64_t> bytes_in_use_{0};
  std::mutex mutex_;
  std::vector<Block> free_;
  std::shared_ptr<char> current_;
  size_t used_ = 0;
};

}  // namespace otlp_arrow
