#include "forward/backoff.h"

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;

TEST(BackoffTest, DoublesUpToTheLongest) {
  Backoff backoff({milliseconds(100), milliseconds(500)}, [] { return 0.0; });
  for (int expected : {100, 200, 400, 500, 500}) EXPECT_EQ(backoff.Next({}), milliseconds(expected));
  backoff.Reset();
  EXPECT_EQ(backoff.Next({}), milliseconds(100));
}

TEST(BackoffTest, JitterShortensByUpToHalf) {
  Backoff backoff({milliseconds(1000), milliseconds(1000)}, [] { return 0.999; });
  EXPECT_EQ(backoff.Next({}), milliseconds(500));
}

TEST(BackoffTest, ThePeersWishIsTheLeast) {
  Backoff backoff({milliseconds(100), milliseconds(1000)}, [] { return 0.5; });
  EXPECT_EQ(backoff.Next(milliseconds(2000)), milliseconds(2100));
  EXPECT_EQ(backoff.Next(milliseconds(0)), milliseconds(150));
}

}  // namespace
}  // namespace otlp_arrow
