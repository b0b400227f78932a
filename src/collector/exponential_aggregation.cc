#include "collector/exponential_aggregation.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace otlp_arrow {
namespace {

constexpr int64_t kMostBuckets = 1 << 16;

int64_t High(const ExponentialAggregation::Buckets& buckets) { return buckets.offset + static_cast<int64_t>(buckets.counts.size()) - 1; }

void Merge(ExponentialAggregation::Buckets* buckets, int steps) {
  if (buckets->counts.empty()) return;
  const int32_t offset = buckets->offset >> steps;
  std::vector<uint64_t> merged(static_cast<size_t>((High(*buckets) >> steps) - offset + 1));
  for (size_t i = 0; i < buckets->counts.size(); ++i) {
    merged[static_cast<size_t>(((buckets->offset + static_cast<int64_t>(i)) >> steps) - offset)] += buckets->counts[i];
  }
  *buckets = {offset, std::move(merged)};
}

}  // namespace

ExponentialAggregation::ExponentialAggregation(int64_t max_buckets, int64_t max_scale)
    : max_buckets_(static_cast<size_t>(std::clamp<int64_t>(max_buckets, 2, kMostBuckets))),
      max_scale_(static_cast<int32_t>(std::clamp<int64_t>(max_scale, kMinScale, kMaxScale))),
      scale_(max_scale_) {}

int32_t ExponentialAggregation::IndexOf(double value, int32_t scale) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // in [0.5, 1)
  const bool power_of_two = fraction == 0.5;             // the upper end of its bucket at every scale
  if (scale <= 0) return (exponent - (power_of_two ? 2 : 1)) >> -scale;
  const int64_t whole = static_cast<int64_t>(exponent) << scale;
  if (power_of_two) return static_cast<int32_t>(whole - (int64_t{1} << scale) - 1);
  // The logarithm is at most rounded to its bucket's end, so it is kept within those of this power of two.
  const auto part = static_cast<int64_t>(std::ceil(std::ldexp(std::log2(fraction), scale)));
  return static_cast<int32_t>(whole + std::clamp<int64_t>(part, 1 - (int64_t{1} << scale), 0) - 1);
}

bool ExponentialAggregation::Record(double value) {
  if (!std::isfinite(value)) return false;
  if (value == 0) {
    ++zero_count_;
  } else {
    Count(value > 0 ? &positive_ : &negative_, std::abs(value));
  }
  return true;
}

void ExponentialAggregation::Count(Buckets* buckets, double magnitude) {
  int64_t index = IndexOf(magnitude, scale_);
  if (!buckets->counts.empty()) {
    int64_t low = std::min<int64_t>(index, buckets->offset);
    int64_t high = std::max<int64_t>(index, High(*buckets));
    int steps = 0;
    while (high - low >= static_cast<int64_t>(max_buckets_) && scale_ - steps > kMinScale) {
      low >>= 1;
      high >>= 1;
      ++steps;
    }
    if (steps > 0) {
      LowerScale(steps);
      index = IndexOf(magnitude, scale_);
    }
  } else {
    buckets->offset = static_cast<int32_t>(index);
  }
  if (index < buckets->offset) {
    buckets->counts.insert(buckets->counts.begin(), static_cast<size_t>(buckets->offset - index), 0);
    buckets->offset = static_cast<int32_t>(index);
  } else if (index > High(*buckets)) {
    buckets->counts.resize(static_cast<size_t>(index - buckets->offset) + 1);
  }
  ++buckets->counts[static_cast<size_t>(index - buckets->offset)];
}

void ExponentialAggregation::LowerScale(int steps) {
  scale_ -= steps;
  Merge(&positive_, steps);
  Merge(&negative_, steps);
}

void ExponentialAggregation::Clear() {
  scale_ = max_scale_;
  zero_count_ = 0;
  positive_ = negative_ = {};
}

void ExponentialAggregation::Restore(int32_t scale, uint64_t zero_count, Buckets positive, Buckets negative) {
  scale_ = std::clamp(scale, kMinScale, max_scale_);
  zero_count_ = zero_count;
  positive_ = std::move(positive);
  negative_ = std::move(negative);
}

}  // namespace otlp_arrow
