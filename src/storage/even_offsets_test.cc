#include "storage/even_offsets.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

std::vector<uint32_t> Steps(uint32_t step, size_t count) {
  std::vector<uint32_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<uint32_t>(i) * step;
  return values;
}

const uint8_t* Bytes(const std::vector<uint32_t>& values) { return reinterpret_cast<const uint8_t*>(values.data()); }

TEST(EvenOffsets, AStepIsSeenOnlyWhereItHoldsThroughout) {
  EXPECT_EQ(EvenStep(Bytes(Steps(32, 1000)), 1000), 32u);
  EXPECT_EQ(EvenStep(Bytes(Steps(0, 1000)), 1000), 0u);
  EXPECT_EQ(EvenStep(Bytes(Steps(7, 2)), 2), 7u);
  EXPECT_FALSE(EvenStep(Bytes(Steps(7, 1)), 1));
  for (size_t odd : {0, 1, 2, 15, 16, 17, 999}) {
    auto values = Steps(32, 1000);
    values[odd] += 1;
    EXPECT_FALSE(EvenStep(Bytes(values), values.size())) << odd;
  }
}

// What the sequences say is what the bytes are.
TEST(EvenOffsets, SequencesRebuildTheBytes) {
  for (uint32_t step : {0u, 1u, 3u, 6u, 8u, 16u, 32u, 255u, 256u, 65535u, 65536u, 100000u}) {
    for (size_t count : {2, 64, 257, 16385, 70000}) {
      const auto values = Steps(step, count);
      std::vector<ZSTD_Sequence> list;
      ListEvenSequences(Bytes(values), count, step, &list);
      std::vector<uint8_t> rebuilt;
      for (const ZSTD_Sequence& s : list) {
        for (unsigned i = 0; i < s.litLength; ++i) rebuilt.push_back(Bytes(values)[rebuilt.size()]);
        ASSERT_TRUE(s.matchLength == 0 || (s.offset > 0 && s.offset <= rebuilt.size()));
        for (unsigned i = 0; i < s.matchLength; ++i) rebuilt.push_back(rebuilt[rebuilt.size() - s.offset]);
      }
      ASSERT_EQ(rebuilt.size(), count * 4) << step;
      EXPECT_EQ(0, std::memcmp(rebuilt.data(), values.data(), rebuilt.size())) << step << ", " << count;
    }
  }
}

TEST(EvenOffsets, EachIsCompressedOnceAndTheOldestMakesRoom) {
  EvenOffsetsCache cache;
  int made = 0;
  const auto make = [&] { return std::to_string(++made); };
  EXPECT_EQ(cache.Get(32, 100, make), "1");
  EXPECT_EQ(cache.Get(32, 101, make), "2");
  EXPECT_EQ(cache.Get(32, 100, make), "1");
  for (size_t i = 0; i < 100; ++i) cache.Get(8, i, make);
  EXPECT_EQ(made, 102);
  EXPECT_EQ(cache.Get(8, 99, make), "102");
  EXPECT_EQ(cache.Get(32, 100, make), "103");
}

}  // namespace
}  // namespace otlp_arrow
