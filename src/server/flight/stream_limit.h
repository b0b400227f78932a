// How many streams are open, and how many may be.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace otlp_arrow {

class StreamLimit {
 public:
  explicit StreamLimit(uint32_t most) : most_(most) {}

  // An open stream; counted until it is destroyed.
  class Open {
   public:
    explicit Open(StreamLimit* limit) : limit_(limit) {}
    ~Open() { --limit_->open_; }
    bool is_last() const { return limit_->open_ == 1; }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    StreamLimit* limit_;
  };

  // Null where there are as many as may be.
  std::unique_ptr<Open> TryOpen() {
    if (++open_ <= most_) return std::make_unique<Open>(this);
    --open_;
    return nullptr;
  }
  uint32_t open() const { return open_; }
  uint32_t most() const { return most_; }

 private:
  const uint32_t most_;
  std::atomic<uint32_t> open_{0};
};

}  // namespace otlp_arrow
