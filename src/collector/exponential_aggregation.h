// Base-2 exponential histograms that keep within a number of buckets by lowering their scale.
// https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace otlp_arrow {

class ExponentialAggregation {
 public:
  static constexpr int32_t kMinScale = -11;  // two buckets then hold every double
  static constexpr int32_t kMaxScale = 20;

  // Buckets with increasing index; counts[i] is of the values in (base^(offset+i), base^(offset+i+1)].
  struct Buckets {
    int32_t offset = 0;
    std::vector<uint64_t> counts;
  };

  // `max_buckets`: for the positive and the negative range each, at least 2. Values out of range are moved into it.
  ExponentialAggregation(int64_t max_buckets, int64_t max_scale);

  // NaN and infinities are not values to count: false.
  bool Record(double value);
  void Clear();

  int32_t scale() const { return scale_; }
  uint64_t zero_count() const { return zero_count_; }
  const Buckets& positive() const { return positive_; }
  const Buckets& negative() const { return negative_; }

  // Puts back what was read off an equal histogram.
  void Restore(int32_t scale, uint64_t zero_count, Buckets positive, Buckets negative);

  // The bucket of a positive, finite value.
  static int32_t IndexOf(double value, int32_t scale);

 private:
  void Count(Buckets* buckets, double magnitude);
  void LowerScale(int steps);

  size_t max_buckets_;
  int32_t max_scale_;
  int32_t scale_;
  uint64_t zero_count_ = 0;
  Buckets positive_, negative_;
};

}  // namespace otlp_arrow
