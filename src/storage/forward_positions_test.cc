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
    EXPECT_EQ(positions->Get(*first), (StoredSequences{0, 0, 0}));
    positions->Set(*first, Signal::kTraces, 7);
    positions->Set(*second, Signal::kLogs, 9);
  }
  auto positions = Open();
  EXPECT_EQ(positions->names(), (std::vector<std::string>{"backend", "archive"}));
  EXPECT_EQ(positions->Get(*positions->PlaceOf("archive")), (StoredSequences{0, 0, 9}));
  EXPECT_EQ(positions->Get(*positions->PlaceOf("backend")), (StoredSequences{7, 0, 0}));
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
  std::ofstream(ForwardPositions::PathIn(dir_.path())) << std::string(8192, 'x');
  EXPECT_EQ(ForwardPositions::Open(dir_.path()).status().code(), StatusCode::kIo);
}

}  // namespace
}  // namespace otlp_arrow
