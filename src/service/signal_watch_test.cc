#include "service/signal_watch.h"

#include <cstdlib>

#include <unistd.h>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ExitedWithCode;

// Signals go to a whole process, threads of other tests included: each of these runs in a new one.
class SignalWatchDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  [[noreturn]] static void ExitWith(bool good) { std::exit(good ? 0 : 1); }
};

TEST_F(SignalWatchDeathTest, WaitReturnsTheSignal) {
  EXPECT_EXIT(
      {
        SignalWatch watch;
        bool good = watch.received() == 0 && watch.SleepFor(milliseconds(1));
        kill(getpid(), SIGTERM);
        good = watch.Wait() == SIGTERM && watch.received() == SIGTERM && good;
        ExitWith(good && !watch.SleepFor(seconds(60)));
      },
      ExitedWithCode(0), "");
}

TEST_F(SignalWatchDeathTest, ItsOwnWakeUpMeansNothingFromOutside) {
  EXPECT_EXIT(
      {
        SignalWatch watch;
        kill(getpid(), SIGUSR2);
        const bool good = watch.SleepFor(milliseconds(20));
        kill(getpid(), SIGINT);
        ExitWith(watch.Wait() == SIGINT && good);
      },
      ExitedWithCode(0), "");
}

TEST_F(SignalWatchDeathTest, TheSecondSignalEndsTheProcess) {
  EXPECT_EXIT(
      {
        SignalWatch watch;
        kill(getpid(), SIGTERM);
        watch.Wait();
        kill(getpid(), SIGINT);
        for (;;) pause();
      },
      ExitedWithCode(128 + SIGINT), "");
}

TEST_F(SignalWatchDeathTest, BrokenPipesAreErrorsNotDeath) {
  EXPECT_EXIT(
      {
        SignalWatch watch;
        int ends[2];
        const bool made = pipe(ends) == 0;
        close(ends[0]);
        ExitWith(made && write(ends[1], "x", 1) == -1);
      },
      ExitedWithCode(0), "");
}

TEST_F(SignalWatchDeathTest, HangupEndsWhatDoesNotReload) {
  EXPECT_EXIT(
      {
        SignalWatch watch;
        kill(getpid(), SIGHUP);
        ExitWith(watch.Wait() == SIGHUP && watch.received() == SIGHUP);
      },
      ExitedWithCode(0), "");
}

TEST_F(SignalWatchDeathTest, HangupReloadsAsOftenAsItComes) {
  EXPECT_EXIT(
      {
        setsid();  // without a terminal, as a daemon
        SignalWatch watch(SignalWatch::Hangup::kReloads);
        bool good = watch.Wait(milliseconds(1)) == 0;
        for (int i = 0; i < 3; ++i) {
          kill(getpid(), SIGHUP);
          good = watch.Wait() == SIGHUP && watch.received() == 0 && good;
        }
        good = watch.Wait(milliseconds(1)) == 0 && good;
        kill(getpid(), SIGTERM);
        good = watch.Wait(seconds(60)) == SIGTERM && good;
        kill(getpid(), SIGHUP);  // no second signal that would end it at once
        good = watch.Wait(milliseconds(20)) == SIGTERM && good;
        ExitWith(good);
      },
      ExitedWithCode(0), "");
}

TEST_F(SignalWatchDeathTest, NohupDoesNotKeepAServiceFromReloading) {
  EXPECT_EXIT(
      {
        std::signal(SIGHUP, SIG_IGN);
        SignalWatch watch(SignalWatch::Hangup::kReloads);
        kill(getpid(), SIGHUP);
        ExitWith(watch.Wait(seconds(60)) == SIGHUP);
      },
      ExitedWithCode(0), "");
}

// An unwatched process is as it was before: signals end it.
TEST_F(SignalWatchDeathTest, EndsWithTheObject) {
  EXPECT_EXIT(
      {
        {
          SignalWatch watch;
        }
        kill(getpid(), SIGTERM);
        for (;;) pause();
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace otlp_arrow
