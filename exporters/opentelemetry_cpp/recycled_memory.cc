#include "recycled_memory.h"

#include <atomic>
#include <cstdlib>
#include <utility>

namespace otlp_arrow::exporters {
namespace {

// AddressSanitizer finds uses of freed blocks only where they are freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycles = false;
#else
constexpr bool kRecycles = true;
#endif

constexpr size_t kChainLength = 64;
constexpr size_t kMaxSharedChains = 128;  // 8 MiB: four full queues of the SDK's batch processor

struct Block {
  Block* next;        // of its chain
  Block* next_chain;  // of a chain's first block
};

void Free(Block* chain) {
  while (chain) std::free(std::exchange(chain, chain->next));
}

// Chains of kChainLength free blocks, for every thread.
class SharedChains {
 public:
  // Null where there is none, or another thread is at it.
  Block* Take() {
    if (!TryLock()) return nullptr;
    Block* chain = first_;
    if (chain) {
      first_ = chain->next_chain;
      --count_;
    }
    Unlock();
    return chain;
  }

  void Give(Block* chain) {
    if (!TryLock()) return Free(chain);
    const bool fits = count_ < kMaxSharedChains;
    if (fits) {
      chain->next_chain = first_;
      first_ = chain;
      ++count_;
    }
    Unlock();
    if (!fits) Free(chain);
  }

 private:
  bool TryLock() { return !locked_.test_and_set(std::memory_order_acquire); }
  void Unlock() { locked_.clear(std::memory_order_release); }

  std::atomic_flag locked_;
  Block* first_ = nullptr;
  size_t count_ = 0;
};
constinit SharedChains shared_chains;

// The free blocks of a thread: at most two chains. Stays usable when the thread's destructors have run.
class LocalBlocks {
 public:
  void* Take() {
    if (!current_) Refill();
    if (!current_) return std::malloc(kBlockSize);
    --count_;
    return std::exchange(current_, current_->next);
  }

  void Return(Block* block) {
    if (!current_ && !CleanAtEnd()) return std::free(block);
    if (count_ == kChainLength) {
      if (full_) shared_chains.Give(full_);
      full_ = std::exchange(current_, nullptr);
      count_ = 0;
    }
    block->next = current_;
    current_ = block;
    ++count_;
  }

  void End() {
    ended_ = true;
    Free(std::exchange(current_, nullptr));
    Free(std::exchange(full_, nullptr));
  }

 private:
  void Refill() {
    if (!CleanAtEnd()) return;
    current_ = full_ ? std::exchange(full_, nullptr) : shared_chains.Take();
    count_ = current_ ? kChainLength : 0;
  }
  // Sees to it that End is called at the end of the thread. False where that has been: nothing may be kept any more.
  bool CleanAtEnd();

  Block* current_ = nullptr;
  size_t count_ = 0;  // blocks in current_
  Block* full_ = nullptr;
  bool ended_ = false;
};
constinit thread_local LocalBlocks local_blocks;

bool LocalBlocks::CleanAtEnd() {
  struct AtThreadEnd {
    ~AtThreadEnd() { local_blocks.End(); }
  };
  if (ended_) return false;
  static thread_local AtThreadEnd at_thread_end;
  return true;
}

}  // namespace

void* TakeBlock() noexcept { return kRecycles ? local_blocks.Take() : std::malloc(kBlockSize); }

void ReturnBlock(void* block) noexcept {
  if (!block) return;
  if (kRecycles) {
    local_blocks.Return(static_cast<Block*>(block));
  } else {
    std::free(block);
  }
}

}  // namespace otlp_arrow::exporters
