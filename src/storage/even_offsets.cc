#include "storage/even_offsets.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace otlp_arrow {
namespace {

constexpr size_t kWidth = 4;
constexpr size_t kShortestMatch = 3;  // of zstd

uint32_t ValueAt(const uint8_t* values, size_t i) {
  uint32_t value;
  std::memcpy(&value, values + kWidth * i, kWidth);
  return value;
}

size_t MatchLength(const uint8_t* bytes, size_t at, size_t distance, size_t end) {
  if (at < distance) return 0;
  size_t length = 0;
  while (at + length < end && bytes[at + length] == bytes[at + length - distance]) ++length;
  return length;
}

}  // namespace

std::optional<uint32_t> EvenStep(const uint8_t* values, size_t count) {
  if (count < 2 || ValueAt(values, 0) != 0) return std::nullopt;
  const uint32_t step = ValueAt(values, 1);
  constexpr size_t kProbe = 16;
  const auto even = [&](size_t from, size_t to) {
    uint32_t difference = 0;
    for (size_t i = from; i < to; ++i) difference |= ValueAt(values, i) ^ (static_cast<uint32_t>(i) * step);
    return difference == 0;
  };
  const size_t probe = std::min(count, kProbe);
  if (!even(2, probe) || !even(probe, count)) return std::nullopt;
  return step;
}

void ListEvenSequences(const uint8_t* values, size_t count, uint32_t step, std::vector<ZSTD_Sequence>* list) {
  list->clear();
  const size_t size = kWidth * count;
  const size_t near = kWidth * 256 / std::gcd(step, 256u);
  const size_t far = kWidth * 65536 / std::gcd(step, 65536u);
  const size_t block = std::min<size_t>(far, ZSTD_BLOCKSIZE_MAX);
  unsigned literals = 0;
  for (size_t at = 0; at < size;) {
    const size_t end = std::min(size, at - at % block + block);
    const size_t distance = at < far ? near : far;
    const size_t length = MatchLength(values, at, distance, end);
    if (length >= kShortestMatch) {
      list->push_back({static_cast<unsigned>(distance), literals, static_cast<unsigned>(length), 0});
      literals = 0;
      at += length;
    } else {
      ++literals;
      ++at;
    }
    if (at == end) {
      list->push_back({0, literals, 0, 0});
      literals = 0;
    }
  }
}

const std::string& EvenOffsetsCache::Get(uint32_t step, size_t count, const std::function<std::string()>& compress) {
  for (const Entry& entry : entries_) {
    if (entry.step == step && entry.count == count) return entry.bytes;
  }
  Entry made{step, count, compress()};
  if (entries_.size() < kMost) return entries_.emplace_back(std::move(made)).bytes;
  Entry& slot = entries_[oldest_++ % kMost];
  slot = std::move(made);
  return slot.bytes;
}

}  // namespace otlp_arrow
