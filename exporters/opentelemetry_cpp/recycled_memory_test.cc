#include "recycled_memory.h"

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace otlp_arrow::exporters {
namespace {

TEST(RecycledMemoryTest, BlocksAreDistinct) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(TakeBlock());
    std::memset(blocks.back(), i, kBlockSize);
  }
  for (int i = 0; i < 1000; ++i) {
    for (size_t b = 0; b < kBlockSize; b += 100) ASSERT_EQ(static_cast<unsigned char*>(blocks[i])[b], static_cast<unsigned char>(i));
    ReturnBlock(blocks[i]);
  }
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(RecycledMemoryTest, WhatOneThreadReturnsAnotherTakes) {
  std::vector<void*> blocks;
  for (int i = 0; i < 256; ++i) blocks.push_back(TakeBlock());
  std::thread([&] {
    for (void* block : blocks) ReturnBlock(block);
  }).join();
  int again = 0;
  std::vector<void*> taken;
  for (int i = 0; i < 256; ++i) {
    taken.push_back(TakeBlock());
    for (void* block : blocks) again += taken.back() == block;
  }
  EXPECT_GT(again, 0);
  for (void* block : taken) ReturnBlock(block);
}
#endif

// Producers and consumers in any number; each block is filled by its owner and checked by who frees it.
TEST(RecycledMemoryTest, ManyThreads) {
  constexpr int kThreads = 8, kRounds = 20'000;
  std::mutex mutex;
  std::vector<uint64_t*> queue;
  std::atomic<int> producers = kThreads / 2;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads / 2; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        auto* block = static_cast<uint64_t*>(TakeBlock());
        for (size_t w = 0; w < kBlockSize / 8; w += 16) block[w] = static_cast<uint64_t>(t) << 32 | static_cast<uint64_t>(i);
        std::lock_guard lock(mutex);
        queue.push_back(block);
      }
      --producers;
    });
    threads.emplace_back([&] {
      while (true) {
        std::vector<uint64_t*> taken;
        const bool done = producers == 0;
        {
          std::lock_guard lock(mutex);
          taken.swap(queue);
        }
        for (uint64_t* block : taken) {
          for (size_t w = 0; w < kBlockSize / 8; w += 16) ASSERT_EQ(block[w], block[0]);
          ReturnBlock(block);
        }
        if (done && taken.empty()) return;
        if (taken.empty()) std::this_thread::yield();
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

// Recordables may live in thread-local objects that end after the thread's own blocks.
TEST(RecycledMemoryTest, AfterTheThreadsEnd) {
  struct Late {
    ~Late() {
      ReturnBlock(block);
      ReturnBlock(TakeBlock());
    }
    void* block = nullptr;
  };
  std::thread([] {
    thread_local Late late;  // made first, ends last
    late.block = nullptr;
    ReturnBlock(TakeBlock());
    late.block = TakeBlock();
  }).join();
}

TEST(RecycledMemoryTest, NullIsReturnedToo) { ReturnBlock(nullptr); }

}  // namespace
}  // namespace otlp_arrow::exporters
