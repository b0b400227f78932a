#include "pipeline/byte_pool.h"

#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

constexpr size_t kBlock = 2 << 20;

struct Marked {
  BytePool::Piece piece;
  size_t size;
  uint8_t mark;
};

Marked Take(BytePool& pool, size_t size, uint8_t mark) {
  Marked taken{pool.Allocate(size), size, mark};
  std::memset(taken.piece.data, mark, size + BytePool::kSlack);
  return taken;
}

void ExpectIntact(const Marked& taken) {
  for (size_t i = 0; i < taken.size; ++i) ASSERT_EQ(static_cast<uint8_t>(taken.piece.data[i]), taken.mark) << i << " of " << taken.size;
}

TEST(BytePool, PiecesOfAnySizeDoNotOverlap) {
  auto pool = BytePool::Make();
  std::vector<Marked> taken;
  uint8_t mark = 0;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{1000}, kBlock / 4 - 64, kBlock / 4 - 63, kBlock / 4, kBlock, 3 * kBlock}) {
    for (int i = 0; i < 3; ++i) taken.push_back(Take(*pool, size, ++mark));
  }
  for (const Marked& m : taken) {
    ExpectIntact(m);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(m.piece.data) % 16, 0u);
  }
}

TEST(BytePool, BlocksComeAgain) {
  auto pool = BytePool::Make();
  std::set<uintptr_t> blocks;
  // Each round fills some blocks and lets them go.
  for (int round = 0; round < 50; ++round) {
    std::vector<BytePool::Piece> pieces;
    for (int i = 0; i < 12; ++i) {
      pieces.push_back(pool->Allocate(kBlock / 4 - BytePool::kSlack));
      if (i % 4 == 0) blocks.insert(reinterpret_cast<uintptr_t>(pieces.back().data) & ~uintptr_t{4095});
    }
  }
  EXPECT_LE(blocks.size(), 8u);
}

TEST(BytePool, KeepsAsManySpareBlocksAsItIsTold) {
  constexpr size_t kSmallBlock = 1 << 20;
  auto pool = BytePool::Make(kSmallBlock, 2);
  std::vector<BytePool::Piece> pieces;
  for (int i = 0; i < 40; ++i) pieces.push_back(pool->Allocate(kSmallBlock / 4 - BytePool::kSlack));
  EXPECT_EQ(pool->bytes_in_use(), 10 * kSmallBlock);
  const Marked large = Take(*pool, kSmallBlock / 4, 1);
  EXPECT_LT(pool->bytes_in_use(), 11 * kSmallBlock) << "memory of its own";
  pieces.clear();
  EXPECT_LT(pool->bytes_in_use(), 2 * kSmallBlock) << "the current block and the large piece";
  ExpectIntact(large);
}

TEST(BytePool, PiecesOutliveThePool) {
  auto pool = BytePool::Make();
  const Marked small = Take(*pool, 100, 1);
  const Marked large = Take(*pool, kBlock, 2);
  pool.reset();
  ExpectIntact(small);
  ExpectIntact(large);
}

TEST(BytePool, ManyThreadsTakeAndGiveBack) {
  auto pool = BytePool::Make();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      std::deque<Marked> held;
      for (int i = 0; i < 1000; ++i) {
        held.push_back(Take(*pool, random() % (i % 50 ? 2000 : kBlock), static_cast<uint8_t>(random())));
        if (held.size() < 20) continue;
        ExpectIntact(held.front());
        held.pop_front();
      }
      for (const Marked& m : held) ExpectIntact(m);
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(BytePool, CountsTheBlocksThatPiecesHoldOnTo) {
  auto pool = BytePool::Make();
  EXPECT_EQ(pool->bytes_in_use(), 0u);
  auto small = pool->Allocate(100);
  EXPECT_EQ(pool->bytes_in_use(), BytePool::kBlockBytes);
  auto large = pool->Allocate(3 * BytePool::kBlockBytes);
  EXPECT_GE(pool->bytes_in_use(), 4 * BytePool::kBlockBytes);
  large = {};
  EXPECT_EQ(pool->bytes_in_use(), BytePool::kBlockBytes);
  for (int i = 0; i < 100; ++i) (void)pool->Allocate(BytePool::kBlockBytes / 5);
  EXPECT_EQ(pool->bytes_in_use(), 2 * BytePool::kBlockBytes) << "the block of the first piece, and the current one";
  small = {};
  EXPECT_EQ(pool->bytes_in_use(), BytePool::kBlockBytes);
  auto outlives = pool->Allocate(100);
  pool.reset();
  outlives.data[99] = 'x';
}

}  // namespace
}  // namespace otlp_arrow
