#include "service/signal_watch.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SignalWatchTest, WaitReturnsTheSignal) {
  SignalWatch watch;
  EXPECT_EQ(watch.received(), 0);
  EXPECT_TRUE(watch.SleepFor(milliseconds(1)));
  kill(getpid(), SIGTERM);
  EXPECT_EQ(watch.Wait(), SIGTERM);
  EXPECT_EQ(watch.received(), SIGTERM);
  EXPECT_FALSE(watch.SleepFor(seconds(60)));
}

TEST(SignalWatchTest, ItsOwnWakeUpMeansNothingFromOutside) {
  SignalWatch watch;
  kill(getpid(), SIGUSR2);
  EXPECT_TRUE(watch.SleepFor(milliseconds(20)));
  kill(getpid(), SIGINT);
  EXPECT_EQ(watch.Wait(), SIGINT);
}

// Runs in a process of its own, as it ends it.
void EndBySecondSignal() {
  SignalWatch watch;
  kill(getpid(), SIGTERM);
  watch.Wait();
  kill(getpid(), SIGINT);
  for (;;) pause();
}

TEST(SignalWatchDeathTest, TheSecondSignalEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(EndBySecondSignal(), ::testing::ExitedWithCode(128 + SIGINT), "");
}

TEST(SignalWatchTest, BrokenPipesAreErrorsNotDeath) {
  SignalWatch watch;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  close(ends[1]);
}

}  // namespace
}  // namespace otlp_arrow
