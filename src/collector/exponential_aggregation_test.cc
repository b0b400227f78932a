#include "collector/exponential_aggregation.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using Buckets = ExponentialAggregation::Buckets;

uint64_t Total(const Buckets& buckets) { return std::accumulate(buckets.counts.begin(), buckets.counts.end(), uint64_t{0}); }

// The lower end of a bucket: base^index, base = 2^(2^-scale).
long double LowerEnd(int32_t index, int32_t scale) { return std::exp2(std::ldexp(static_cast<long double>(index), -scale)); }

TEST(ExponentialAggregation, EveryValueIsWithinItsBucket) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponents(-300, 300);
  for (int32_t scale = ExponentialAggregation::kMinScale; scale <= ExponentialAggregation::kMaxScale; ++scale) {
    for (int i = 0; i < 200; ++i) {
      const double value = std::exp2(exponents(random));
      const int32_t index = ExponentialAggregation::IndexOf(value, scale);
      // The logarithm of a double is good to about 1e-15 of its exponent.
      const long double slack = 1e-12L;
      EXPECT_LE(LowerEnd(index, scale) * (1 - slack), value) << scale;
      EXPECT_GE(LowerEnd(index + 1, scale) * (1 + slack), value) << scale;
    }
  }
}

TEST(ExponentialAggregation, PowersOfTwoEndABucket) {
  for (int32_t scale : {-10, -1, 0, 1, 5, 20}) {
    for (int exponent : {-1000, -3, -1, 0, 1, 2, 10, 1000}) {
      const int64_t end = scale > 0 ? static_cast<int64_t>(exponent) << scale : exponent;
      const int64_t expected = scale > 0 ? end - 1 : (end - 1) >> -scale;
      EXPECT_EQ(ExponentialAggregation::IndexOf(std::ldexp(1.0, exponent), scale), expected) << scale << " " << exponent;
    }
  }
}

TEST(ExponentialAggregation, ExtremesOfDouble) {
  ExponentialAggregation histogram(160, 20);
  for (double value : {std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::min(), 1.0, std::numeric_limits<double>::max()}) {
    EXPECT_TRUE(histogram.Record(value));
    EXPECT_TRUE(histogram.Record(-value));
  }
  EXPECT_TRUE(histogram.Record(0.0));
  EXPECT_TRUE(histogram.Record(-0.0));
  EXPECT_FALSE(histogram.Record(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(histogram.Record(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_EQ(Total(histogram.positive()), 4u);
  EXPECT_EQ(Total(histogram.negative()), 4u);
  EXPECT_EQ(histogram.zero_count(), 2u);
  EXPECT_LE(histogram.positive().counts.size(), 160u);
}

TEST(ExponentialAggregation, KeepsWithinItsBucketsAndLosesNoCount) {
  std::mt19937_64 random(11);
  std::lognormal_distribution<double> values(0, 4);
  for (int64_t max_buckets : {2, 4, 20, 160}) {
    ExponentialAggregation histogram(max_buckets, 20);
    for (int i = 1; i <= 5000; ++i) {
      histogram.Record(values(random));
      ASSERT_LE(histogram.positive().counts.size(), static_cast<size_t>(max_buckets));
    }
    EXPECT_EQ(Total(histogram.positive()), 5000u);
    EXPECT_LT(histogram.scale(), 20);
  }
}

TEST(ExponentialAggregation, LoweringTheScaleCountsAsRecordingAtThatScale) {
  ExponentialAggregation lowered(8, 20);
  for (double value : {1.1, 1.7, 2.9, 7.3, 250.0, 0.01}) lowered.Record(value);
  ExponentialAggregation direct(8, lowered.scale());
  for (double value : {1.1, 1.7, 2.9, 7.3, 250.0, 0.01}) direct.Record(value);
  EXPECT_EQ(lowered.scale(), direct.scale());
  EXPECT_EQ(lowered.positive().offset, direct.positive().offset);
  EXPECT_EQ(lowered.positive().counts, direct.positive().counts);
}

TEST(ExponentialAggregation, StartsAgainAtTheHighestScale) {
  ExponentialAggregation histogram(4, 10);
  for (double value : {0.001, 1.0, 1000.0}) histogram.Record(value);
  histogram.Clear();
  EXPECT_EQ(histogram.scale(), 10);
  EXPECT_TRUE(histogram.positive().counts.empty());
  EXPECT_EQ(histogram.zero_count(), 0u);
}

}  // namespace
}  // namespace otlp_arrow
