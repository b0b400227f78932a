// Memory for the bytes of requests: taken from blocks that are used again, so that a steady stream of requests costs
// neither page faults nor growth of the process.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace otlp_arrow {

class BytePool : public std::enable_shared_from_this<BytePool> {
 public:
  // Readable bytes behind every piece, for readers that load a little more than they use.
  static constexpr size_t kSlack = 64;

  struct Piece {
    std::shared_ptr<void> owner;  // the piece lives as long as this
    char* data = nullptr;
  };

  static std::shared_ptr<BytePool> Make() { return std::shared_ptr<BytePool>(new BytePool); }

  // Thread-safe. Throws std::bad_alloc.
  Piece Allocate(size_t size);

  // Memory behind the living pieces. More than they hold together: a block lives as long as the last of its pieces.
  uint64_t bytes_in_use() const { return bytes_in_use_.load(std::memory_order_relaxed); }

  static constexpr size_t kBlockBytes = 2 << 20;

 private:
  static constexpr size_t kLargest = kBlockBytes / 4;  // larger pieces get memory of their own
  static constexpr size_t kFreeBlocksKept = 4;

  BytePool() = default;
  std::shared_ptr<char> TakeBlock();
  void GiveBack(char* block);
  // Counts `size` bytes as in use until `data` is let go of by `free`.
  template <class Free>
  std::shared_ptr<char> Own(char* data, size_t size, Free free);

  std::atomic<uint64_t> bytes_in_use_{0};
  std::mutex mutex_;
  std::vector<std::unique_ptr<char[]>> free_;
  std::shared_ptr<char> current_;
  size_t used_ = 0;
};

}  // namespace otlp_arrow
