#include "service/replay_state.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::HasSubstr;

class ReplayStateTest : public ::testing::Test {
 protected:
  ReplayStateTest() { std::filesystem::remove(path_); }
  std::unique_ptr<ReplayState> Open() {
    auto state = ReplayState::Open(path_, "to h:1", Clock::System());
    EXPECT_TRUE(state.ok()) << state.status().ToString();
    return *std::move(state);
  }
  void Append(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }

  const std::string path_ = ::testing::TempDir() + "replay_state_test";
};

TEST_F(ReplayStateTest, RemembersEachFile) {
  auto state = Open();
  state->OnSettled("a b.arrow", {.batch = 0, .row = 5, .is_done = false});
  state->OnSettled("a b.arrow", {.batch = 1, .row = 7, .is_done = false});
  state->OnSettled("c.arrow", {.batch = 0, .row = 0, .is_done = true});
  ASSERT_TRUE(state->Close().ok());
  state = Open();
  EXPECT_EQ(state->At("a b.arrow").batch, 1);
  EXPECT_EQ(state->At("a b.arrow").row, 7);
  EXPECT_TRUE(state->At("c.arrow").is_done);
  EXPECT_EQ(state->At("d.arrow").row, 0);
}

TEST_F(ReplayStateTest, ALineThatACrashCutOffDoesNotCount) {
  Open();
  Append("at 0 5 a.arrow\ndone a.arr");
  EXPECT_EQ(Open()->At("a.arrow").row, 5);
  EXPECT_FALSE(Open()->At("a.arr").is_done);
}

TEST_F(ReplayStateTest, RefusesWhatIsNotItsOwn) {
  Open();
  EXPECT_THAT(ReplayState::Open(path_, "to other:1", Clock::System()).status().message(), HasSubstr("to h:1; now to other:1"));
  Append("nonsense\n");
  EXPECT_THAT(ReplayState::Open(path_, "to h:1", Clock::System()).status().message(), HasSubstr("damaged at the line 'nonsense'"));
  std::ofstream(path_) << "my diary\n";
  EXPECT_THAT(ReplayState::Open(path_, "to h:1", Clock::System()).status().message(), HasSubstr("no file of a replay"));
}

}  // namespace
}  // namespace otlp_arrow
