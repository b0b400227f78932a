#include "storage/forward_positions.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

class ForwardPositionsTest : public ::testing::Test {
 protected:
  std::unique_ptr<ForwardPositions> Open() {
    auto positions = ForwardPositions::Open(dir_.path());
    EXPECT_TRUE(positions.ok()) << positions.status().ToString();
    return positions.ok() ? *std::move(positions) : nullptr;
  }
  testing::TempDir dir_;
};

TEST_F(ForwardPositionsTest, AreThereAfterwards) {
  {
    auto positions = Open();
    const auto first = positions->PlaceOf("backend");
    const auto second = positions->PlaceOf("archive");
    ASSERT_TRUE(first.ok() && second.ok());
    EXPECT_EQ(positions->Get(*first, Signal::kTraces).sequence, 0u);
    positions->Set(*first, Signal::kTraces, {.sequence = 3, .sent = 1, .rejected = 0, .given_up = {}});
    positions->Set(*first, Signal::kTraces, {.sequence = 7, .sent = 5, .rejected = 1, .given_up = {0, 2, 0, 0, 4}});
    positions->Set(*second, Signal::kLogs, {.sequence = 9, .sent = 2, .rejected = 0, .given_up = {}});
  }
  auto positions = Open();
  EXPECT_EQ(positions->names(), (std::vector<std::string>{"backend", "archive"}));
  EXPECT_FALSE(positions->is_relay());
  EXPECT_EQ(positions->Get(*positions->Find("archive"), Signal::kLogs).sequence, 9u);
  EXPECT_EQ(positions->Get(*positions->Find("archive"), Signal::kTraces).Items(), 0);
  EXPECT_FALSE(positions->Find("nobody").has_value());
  const ForwardState state = positions->Get(*positions->PlaceOf("backend"), Signal::kTraces);
  EXPECT_EQ(state.sequence, 7u);
  EXPECT_EQ(state.given_up[4], 4);
  EXPECT_EQ(state.Items(), 12);
}

TEST_F(ForwardPositionsTest, AJournalOfARelayStaysOne) {
  EXPECT_FALSE(ForwardPositions::ExistsIn(dir_.path()));
  ASSERT_TRUE(ForwardPositions::Open(dir_.path(), true).ok());
  EXPECT_TRUE(ForwardPositions::ExistsIn(dir_.path()));
  EXPECT_TRUE(Open()->is_relay());
}

TEST_F(ForwardPositionsTest, NamesThatCannotBeAreRefused) {
  auto positions = Open();
  for (const std::string& name : {std::string(), std::string(64, 'x'), std::string("a\0b", 3)}) {
    EXPECT_EQ(positions->PlaceOf(name).status().code(), StatusCode::kConfig);
  }
  for (size_t i = 0; i < ForwardPositions::kMaxDestinations; ++i) EXPECT_TRUE(positions->PlaceOf("d" + std::to_string(i)).ok());
  EXPECT_EQ(positions->PlaceOf("one too many").status().code(), StatusCode::kConfig);
}

TEST_F(ForwardPositionsTest, AnotherFileIsRefused) {
  std::ofstream(ForwardPositions::PathIn(dir_.path())) << "short";
  EXPECT_EQ(ForwardPositions::Open(dir_.path()).status().code(), StatusCode::kIo);
  std::ofstream(ForwardPositions::PathIn(dir_.path())) << std::string(1 << 16, 'x');
  EXPECT_EQ(ForwardPositions::Open(dir_.path()).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace otlp_arrow
