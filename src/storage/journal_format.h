// The bytes of a journal, for its writer and its readers; docs/formats/journal.md describes them.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <xxhash.h>

#include "otlp_arrow/signal.h"

namespace otlp_arrow::journal_format {

inline constexpr char kSegmentMagic[8] = {'O', 'T', 'L', 'P', 'J', 'R', 'N', '1'};
inline constexpr uint32_t kRecordMagic = 0x4452'544f;  // "OTRD"
inline constexpr uint64_t kAlignment = 8;
inline constexpr std::string_view kSegmentSuffix = ".journal";

struct SegmentHeader {
  char magic[8];
  uint64_t number;
  uint64_t first_sequence;
  uint64_t unused[4];
  uint64_t hash;  // of the 56 bytes before it, seeded with `number`
};
static_assert(sizeof(SegmentHeader) == 64);

struct RecordHeader {
  uint32_t magic;
  uint8_t signal;
  uint8_t unused[3];
  uint64_t sequence;
  uint64_t size;      // of the request
  uint64_t items;
  uint64_t rejected_items;
  uint64_t request_hash;
  int64_t time;       // of the append, nanoseconds since 1970
  uint64_t hash;      // of the 56 bytes before it, seeded with the segment's number
};
static_assert(sizeof(RecordHeader) == 64);
static_assert(offsetof(RecordHeader, hash) == 56 && offsetof(SegmentHeader, hash) == 56);

inline uint64_t Padded(uint64_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

template <class Header>
uint64_t HashOf(const Header& header, uint64_t number) {
  return XXH3_64bits_withSeed(&header, offsetof(Header, hash), number);
}

template <class Header>
std::string_view Bytes(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

// The number in a segment file's name; nullopt for other files.
inline std::optional<uint64_t> SegmentNumber(const std::string& name) {
  if (!name.ends_with(kSegmentSuffix)) return std::nullopt;
  uint64_t number = 0;
  const char* end = name.data() + name.size() - kSegmentSuffix.size();
  auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

inline std::string SegmentName(uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof(name), "%010llu", static_cast<unsigned long long>(number));
  return name + std::string(kSegmentSuffix);
}

// A header that proves itself: magic, hash, a length that fits, a known signal.
inline bool IsRecord(std::string_view segment, uint64_t at, uint64_t number, RecordHeader* header) {
  if (segment.size() - at < sizeof(RecordHeader)) return false;
  std::memcpy(header, segment.data() + at, sizeof(RecordHeader));
  return header->magic == kRecordMagic && header->hash == HashOf(*header, number) && header->signal < kSignalCount;
}

}  // namespace otlp_arrow::journal_format
