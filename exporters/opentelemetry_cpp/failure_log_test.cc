#include "failure_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_library_testing.h"

namespace otlp_arrow::exporters {
namespace {

using ::testing::ElementsAre;
using std::chrono::seconds;

FailureLog::Clock::time_point now;

class FailureLogTest : public ::testing::Test {
 protected:
  FailureLogTest() { now = FailureLog::Clock::time_point(seconds(1000)); }

  testing::SdkLog lines_;
  FailureLog log_{"spans", [] { return now; }};
};

TEST_F(FailureLogTest, OneLineAMinuteThatCountsWhatWasNotTold) {
  for (int i = 0; i < 5; ++i) log_.Report(Status::Io("the disk says no"), 10);
  now += seconds(59);
  log_.Report(Status::Io("the disk says no"), 10);
  now += seconds(1);
  log_.Report(Status::Io("the disk says no"), 10);
  EXPECT_THAT(lines_.lines(), ElementsAre("[otlp-arrow] 10 spans were not recorded: the disk says no",
                                          "[otlp-arrow] 60 spans were not recorded: the disk says no"));
}

TEST_F(FailureLogTest, KindsDoNotSilenceEachOther) {
  log_.Report(Status::BufferFull("no room"), 1);
  log_.Report(Status::Export("malformed"), 2);
  log_.ReportRejected("no UTF-8", 3);
  log_.Report(Status::BufferFull("no room"), 1);
  EXPECT_THAT(lines_.lines(), ElementsAre("[otlp-arrow] 1 spans were not recorded: no room", "[otlp-arrow] 2 spans were not recorded: malformed",
                                          "[otlp-arrow] 3 spans were left out as invalid: no UTF-8"));
}

TEST_F(FailureLogTest, AShutdownIsToldOnce) {
  for (int i = 0; i < 3; ++i) {
    log_.Report(Status::Shutdown("it is over"), 1);
    now += std::chrono::hours(1000);
  }
  EXPECT_THAT(lines_.lines(), ElementsAre("[otlp-arrow] 1 spans were not recorded: it is over (told once)"));
}

TEST_F(FailureLogTest, NothingLost) {
  log_.Report(Status::Io("the flush took too long"), 0);
  EXPECT_THAT(lines_.lines(), ElementsAre("[otlp-arrow] spans: the flush took too long"));
}

}  // namespace
}  // namespace otlp_arrow::exporters
