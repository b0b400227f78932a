#include "otlp_arrow/sdk/ids.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <random>

#include "base/platform/fork.h"

namespace otlp_arrow::sdk {
namespace {

// Grows in each forked child, whose generators would go on as their parent's do.
class Generation final : private platform::ForkParticipant {
 public:
  static const Generation& Get() {
    static Generation generation;
    return generation;
  }
  uint32_t number() const { return number_.load(std::memory_order_relaxed); }

 private:
  Generation() { platform::JoinForks(this); }
  ~Generation() override { platform::LeaveForks(this); }
  void PrepareFork() override {}
  void FinishForkInParent() override {}
  void FinishForkInChild() override { number_.fetch_add(1, std::memory_order_relaxed); }

  std::atomic<uint32_t> number_{1};
};

// xoshiro256++ (https://prng.di.unimi.it/).
class Generator {
 public:
  uint64_t Next() {
    if (generation_ != Generation::Get().number()) Seed();
    const uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  void Seed() {
    std::random_device device;
    for (uint64_t& part : state_) part = uint64_t{device()} << 32 | device();
    if (state_[0] == 0 && state_[1] == 0 && state_[2] == 0 && state_[3] == 0) state_[0] = 1;
    generation_ = Generation::Get().number();
  }

  uint32_t generation_ = 0;
  uint64_t state_[4] = {};
};

thread_local Generator generator;

template <class Id>
Id RandomId() {
  Id id;
  for (size_t at = 0; at < id.bytes.size(); at += sizeof(uint64_t)) {
    uint64_t part = generator.Next();
    while (part == 0) part = generator.Next();
    std::memcpy(id.bytes.data() + at, &part, sizeof(part));
  }
  return id;
}

}  // namespace

TraceId RandomTraceId() noexcept { return RandomId<TraceId>(); }
SpanId RandomSpanId() noexcept { return RandomId<SpanId>(); }

}  // namespace otlp_arrow::sdk
