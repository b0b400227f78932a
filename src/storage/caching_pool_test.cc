#include "storage/caching_pool.h"

#include <cstring>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

constexpr int64_t kAlignment = arrow::kDefaultBufferAlignment;

class CachingPoolTest : public ::testing::Test {
 protected:
  CachingPoolTest() : parent_(arrow::system_memory_pool()), pool_(std::make_unique<CachingPool>(&parent_)) {}
  void TearDown() override {
    pool_.reset();
    EXPECT_EQ(parent_.bytes_allocated(), 0) << "not given back to the parent";
  }
  uint8_t* Allocate(int64_t size, int64_t alignment = kAlignment) {
    uint8_t* piece = nullptr;
    EXPECT_TRUE(pool_->Allocate(size, alignment, &piece).ok());
    EXPECT_EQ(reinterpret_cast<uintptr_t>(piece) % static_cast<uintptr_t>(alignment), 0u);
    return piece;
  }

  arrow::ProxyMemoryPool parent_;  // counts what goes through it
  std::unique_ptr<CachingPool> pool_;
};

TEST_F(CachingPoolTest, APieceOfAboutTheSameSizeComesAgain) {
  uint8_t* first = Allocate(1000);
  pool_->Free(first, 1000, kAlignment);
  EXPECT_EQ(parent_.bytes_allocated(), 1024);
  uint8_t* second = Allocate(600);
  EXPECT_EQ(second, first);
  uint8_t* third = Allocate(1000);
  EXPECT_NE(third, second);
  pool_->Free(second, 600, kAlignment);
  pool_->Free(third, 1000, kAlignment);
}

TEST_F(CachingPoolTest, SizesOfOtherClassesDoNotMix) {
  uint8_t* small = Allocate(64);
  pool_->Free(small, 64, kAlignment);
  uint8_t* larger = Allocate(65);
  EXPECT_NE(larger, small);
  std::memset(larger, 1, 65);
  pool_->Free(larger, 65, kAlignment);
}

TEST_F(CachingPoolTest, ReallocateKeepsContent) {
  uint8_t* piece = Allocate(100);
  for (int i = 0; i < 100; ++i) piece[i] = static_cast<uint8_t>(i);
  uint8_t* before = piece;
  ASSERT_TRUE(pool_->Reallocate(100, 120, kAlignment, &piece).ok());
  EXPECT_EQ(piece, before);  // within the piece
  ASSERT_TRUE(pool_->Reallocate(120, 5000, kAlignment, &piece).ok());
  for (int i = 0; i < 100; ++i) ASSERT_EQ(piece[i], i);
  ASSERT_TRUE(pool_->Reallocate(5000, 10, kAlignment, &piece).ok());
  for (int i = 0; i < 10; ++i) ASSERT_EQ(piece[i], i);
  ASSERT_TRUE(pool_->Reallocate(10, 0, kAlignment, &piece).ok());
  ASSERT_TRUE(pool_->Reallocate(0, 10, kAlignment, &piece).ok());
  pool_->Free(piece, 10, kAlignment);
}

TEST_F(CachingPoolTest, ReallocateOfUnusualAlignmentGrows) {
  uint8_t* piece = Allocate(65, 128);
  std::memset(piece, 7, 65);
  ASSERT_TRUE(pool_->Reallocate(65, 128, 128, &piece).ok());
  std::memset(piece + 65, 8, 63);  // AddressSanitizer watches
  EXPECT_EQ(piece[64], 7);
  EXPECT_EQ(parent_.bytes_allocated(), 128);
  pool_->Free(piece, 128, 128);
}

TEST_F(CachingPoolTest, EmptyPiecesAreThoseOfTheParent) {
  uint8_t* piece = Allocate(0);
  EXPECT_NE(piece, nullptr);
  pool_->Free(piece, 0, kAlignment);
  EXPECT_FALSE(pool_->Allocate(-1, kAlignment, &piece).ok());
}

TEST_F(CachingPoolTest, KeepsNoMoreThanItsLimit) {
  std::vector<uint8_t*> pieces;
  for (int i = 0; i < 40; ++i) pieces.push_back(Allocate(1 << 20));
  EXPECT_EQ(parent_.bytes_allocated(), 40 << 20);
  for (uint8_t* piece : pieces) pool_->Free(piece, 1 << 20, kAlignment);
  EXPECT_EQ(parent_.bytes_allocated(), 24 << 20);
}

TEST_F(CachingPoolTest, RandomUseNeverMixesPieces) {
  struct Piece {
    uint8_t* data;
    int64_t size;
    uint8_t mark;
  };
  std::mt19937 random(5);
  std::vector<Piece> pieces;
  for (int i = 0; i < 5000; ++i) {
    const auto size = static_cast<int64_t>(random() % (1u << (random() % 16)));
    const auto mark = static_cast<uint8_t>(i);
    if (pieces.size() < 50 && random() % 2) {
      Piece piece{Allocate(size), size, mark};
      std::memset(piece.data, mark, static_cast<size_t>(size));
      pieces.push_back(piece);
    } else if (!pieces.empty()) {
      const size_t at = random() % pieces.size();
      Piece& piece = pieces[at];
      for (int64_t j = 0; j < piece.size; ++j) ASSERT_EQ(piece.data[j], piece.mark);
      if (random() % 2) {
        ASSERT_TRUE(pool_->Reallocate(piece.size, size, kAlignment, &piece.data).ok());
        for (int64_t j = 0; j < std::min(size, piece.size); ++j) ASSERT_EQ(piece.data[j], piece.mark);
        piece.size = size;
        std::memset(piece.data, piece.mark, static_cast<size_t>(size));
      } else {
        pool_->Free(piece.data, piece.size, kAlignment);
        pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
  }
  for (const Piece& piece : pieces) pool_->Free(piece.data, piece.size, kAlignment);
}

}  // namespace
}  // namespace otlp_arrow
