// Offsets with one step between all of them: ids of 32 hex digits, lists of as many entries in each row. They are the
// same bytes in every full batch, so they are compressed once and copied from then on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#define ZSTD_STATIC_LINKING_ONLY  // ZSTD_Sequence
#include <zstd.h>

namespace otlp_arrow {

// The step between each two neighbours, where it is one and the first value is 0.
std::optional<uint32_t> EvenStep(const uint8_t* values, size_t count);

// How zstd finds all that repeats in them: bytes come back after 256 / gcd(step, 256) values but for the second one,
// after 65536 / gcd(step, 65536) values but for the third. Blocks end in a sequence without a match.
void ListEvenSequences(const uint8_t* values, size_t count, uint32_t step, std::vector<ZSTD_Sequence>* list);

// Compressed offsets by step and count: those of the last few batches.
class EvenOffsetsCache {
 public:
  // What `compress` made of such offsets, now or earlier; empty where it failed.
  const std::string& Get(uint32_t step, size_t count, const std::function<std::string()>& compress);

 private:
  struct Entry {
    uint32_t step = 0;
    size_t count = 0;
    std::string bytes;
  };
  static constexpr size_t kMost = 32;
  std::vector<Entry> entries_;
  size_t oldest_ = 0;
};

}  // namespace otlp_arrow
