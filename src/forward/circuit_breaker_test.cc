#include "forward/circuit_breaker.h"

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using State = CircuitBreaker::State;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  CircuitBreaker breaker_{{.failures = 3, .open_for = milliseconds(100)}};
  CircuitBreaker::Time now_{std::chrono::hours(1)};
};

TEST_F(CircuitBreakerTest, OpensAfterFailuresInARow) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(breaker_.TryEnter(now_));
    breaker_.OnFailure(now_);
  }
  breaker_.OnSuccess();
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(breaker_.TryEnter(now_));
    breaker_.OnFailure(now_);
  }
  EXPECT_EQ(breaker_.state(), State::kOpen);
  EXPECT_FALSE(breaker_.TryEnter(now_));
  EXPECT_EQ(breaker_.next_try(), now_ + milliseconds(100));
}

TEST_F(CircuitBreakerTest, OneRequestDecidesAfterwards) {
  for (int i = 0; i < 3; ++i) breaker_.OnFailure(now_);
  now_ += milliseconds(100);
  EXPECT_TRUE(breaker_.TryEnter(now_));
  EXPECT_FALSE(breaker_.TryEnter(now_));
  breaker_.OnFailure(now_);
  EXPECT_FALSE(breaker_.TryEnter(now_ + milliseconds(99)));
  EXPECT_TRUE(breaker_.TryEnter(now_ + milliseconds(100)));
  breaker_.OnSuccess();
  EXPECT_EQ(breaker_.state(), State::kClosed);
  EXPECT_TRUE(breaker_.TryEnter(now_));
}

TEST_F(CircuitBreakerTest, APeersWishIsKept) {
  for (int i = 0; i < 3; ++i) breaker_.OnFailure(now_, milliseconds(i == 2 ? 5000 : 0));
  EXPECT_EQ(breaker_.next_try(), now_ + milliseconds(5000));
}

TEST_F(CircuitBreakerTest, TripsAtOnce) {
  CircuitBreaker never({.failures = 0, .open_for = milliseconds(100)});
  never.Trip(now_);
  EXPECT_FALSE(never.TryEnter(now_ + milliseconds(99)));
  EXPECT_TRUE(never.TryEnter(now_ + milliseconds(100)));
}

TEST_F(CircuitBreakerTest, CanBeSwitchedOff) {
  CircuitBreaker never({.failures = 0, .open_for = milliseconds(100)});
  for (int i = 0; i < 50; ++i) never.OnFailure(now_);
  EXPECT_TRUE(never.TryEnter(now_));
}

}  // namespace
}  // namespace otlp_arrow
