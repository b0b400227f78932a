#include "ring/layout.h"

#include <gtest/gtest.h>

namespace otlp_arrow::ring {
namespace {

// A lap's own states, next to the flags of all laps that may be around: also where 32 bits wrap.
TEST(SlotState, IsToldByTheLap) {
  for (const uint32_t lap : {0u, 1u, 77u, 0x7ffffffeu, 0x7fffffffu, 0x80000000u, 0x80000001u, 0xbfffffffu, 0xfffffffeu, 0xffffffffu}) {
    EXPECT_EQ(StateOf(lap, lap), SlotState::kPublished);
    EXPECT_EQ(StateOf(lap - 1, lap), SlotState::kFree);
    EXPECT_EQ(StateOf(MarkOf(lap, 0), lap), SlotState::kRevoking);
    for (const uint32_t writer : {1u, 2u, 65536u, kMaxWriterNumber}) {
      EXPECT_EQ(StateOf(MarkOf(lap, writer), lap), SlotState::kMarked);
      EXPECT_EQ(WriterOfMark(MarkOf(lap, writer), lap), writer);
    }
    EXPECT_EQ(StateOf(MarkOf(lap, kMaxWriterNumber + 1), lap), SlotState::kUnknown);
    EXPECT_EQ(StateOf(lap + 1, lap), SlotState::kUnknown);
    EXPECT_EQ(StateOf(lap - 2, lap), SlotState::kUnknown);
  }
}

TEST(SlotState, ANewFilesEntriesAreFree) { EXPECT_EQ(StateOf(static_cast<uint32_t>(-1), LapOf(5, 10)), SlotState::kFree); }

TEST(Lap, IsTheSequenceNumberWithoutTheSlot) {
  EXPECT_EQ(LapOf(1023, 10), 0u);
  EXPECT_EQ(LapOf(1024, 10), 1u);
  EXPECT_EQ(LapOf((int64_t{1} << 42) + 5, 10), 0u);  // modulo 2^32
  EXPECT_EQ(LapOf((int64_t{1} << 41), 10), 0x80000000u);
}

}  // namespace
}  // namespace otlp_arrow::ring
