// Where a request is inflated to.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "pipeline/pipeline.h"

namespace otlp_arrow {

// The output: memory of the pipeline that grows up to a limit.
class InflatedOutput {
 public:
  InflatedOutput(uint64_t first_capacity, uint64_t limit, Pipeline* pipeline) : limit_(limit), pipeline_(pipeline) {
    bytes_ = pipeline_->Allocate(std::clamp(first_capacity, std::min<uint64_t>(kMinCapacity, limit), limit));
  }

  size_t room() const { return bytes_.size - used_; }
  char* next() { return bytes_.data + used_; }
  void Advance(size_t n) { used_ += n; }
  // False at the limit.
  bool Grow() {
    if (bytes_.size >= limit_) return false;
    auto larger = pipeline_->Allocate(std::min<uint64_t>(limit_, uint64_t{bytes_.size} * 2));
    std::memcpy(larger.data, bytes_.data, used_);
    bytes_ = std::move(larger);
    return true;
  }
  Pipeline::WritableBytes Take() && {
    bytes_.size = used_;
    return std::move(bytes_);
  }

 private:
  static constexpr uint64_t kMinCapacity = 512;

  const uint64_t limit_;
  Pipeline* const pipeline_;
  Pipeline::WritableBytes bytes_;
  size_t used_ = 0;
};

}  // namespace otlp_arrow
