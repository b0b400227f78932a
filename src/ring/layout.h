// The bytes of an OTLP-MMAP file, version 1: what producers and the consumer share. docs/formats/mmap.md has the diagram
// and the state machine of a slot. Everything is in the machine's byte order.
//
//   header (64 bytes) | events ring | spans ring | measurements ring | dictionary (to the end, grows)
//   ring:       header (32 bytes) | availability: int32[num_buffers] | num_buffers slots of buffer_size bytes
//   dictionary: header (64 bytes) | entries: varint size, then that many bytes
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

static_assert(std::endian::native == std::endian::little, "the format's integers are read and written as they lie in memory");
static_assert(std::atomic<int64_t>::is_always_lock_free && std::atomic<uint32_t>::is_always_lock_free,
              "processes share these atomics");

constexpr size_t kRingCount = 3;
constexpr std::array<RingKind, kRingCount> kAllRings = {RingKind::kEvents, RingKind::kSpans, RingKind::kMeasurements};
constexpr std::string_view RingName(RingKind kind) {
  constexpr std::array<std::string_view, kRingCount> kNames = {"events", "spans", "measurements"};
  return kNames[static_cast<size_t>(kind)];
}

constexpr int64_t kVersion = 1;
constexpr uint64_t kMaxSlots = 1u << 26;
constexpr uint64_t kMinSlotBytes = 128;  // of rings that we create: ids, a time and a short name must fit
constexpr uint64_t kMaxSlotBytes = 1u << 24;

struct FileHeader {
  std::atomic<int64_t> version;
  std::atomic<int64_t> rings[kRingCount];  // file offsets, in the order of RingKind
  std::atomic<int64_t> dictionary;         // file offset
  std::atomic<uint64_t> time_unix_nano;    // when the file was begun
  // Extension: 16 bytes that are unused and zero in files of others. Counters stay at their largest value.
  std::atomic<uint32_t> dropped;    // records that found no room
  std::atomic<uint32_t> truncated;  // values that were cut, and attributes that were left out, to fit into a slot
  std::atomic<uint32_t> revoked;    // claims that the consumer gave up
  std::atomic<uint32_t> writers;    // kNativeFile | last writer number given out
};
static_assert(sizeof(FileHeader) == 64 && offsetof(FileHeader, rings) == 8 && offsetof(FileHeader, dictionary) == 32 &&
              offsetof(FileHeader, time_unix_nano) == 40 && offsetof(FileHeader, dropped) == 48);

// In FileHeader::writers: the file was created by us, so that a claim that stays unmarked is a dead one.
constexpr uint32_t kNativeFile = 1u << 31;
constexpr uint32_t kMaxWriterNumber = (1u << 30) - 1;

struct RingHeader {
  int64_t num_buffers;  // a power of two
  int64_t buffer_size;
  std::atomic<int64_t> reader_index;  // sequence number last read, -1 before the first
  std::atomic<int64_t> writer_index;  // sequence number last claimed, -1 before the first
};
static_assert(sizeof(RingHeader) == 32 && offsetof(RingHeader, reader_index) == 16 && offsetof(RingHeader, writer_index) == 24);

struct DictionaryHeader {
  std::atomic<int64_t> end;          // file offset behind the last entry
  std::atomic<int64_t> num_entries;
  std::atomic<uint64_t> unused[6];
};
static_assert(sizeof(DictionaryHeader) == 64);

using Availability = std::atomic<uint32_t>;  // int32 in the format; compared and counted modulo 2^32
static_assert(sizeof(Availability) == 4);

constexpr uint64_t RingBytes(uint64_t slots, uint64_t slot_bytes) {
  return sizeof(RingHeader) + slots * (sizeof(Availability) + slot_bytes);
}

// What the availability entry of a slot says about sequence number s, whose lap is s >> log2(slots).
//
//   lap - 1           free: s is not claimed, or claimed and not marked
//   lap + 2^31 + k    marked: writer k (from 1 on) fills the slot
//   lap + 2^31        revoking: the consumer gave the claim up and empties the slot
//   lap               published; a record of no bytes is a claim that was given up
//
// Foreign writers go from the first to the last. Seen as int32, -1 is "lap -1", which is how a new file begins.
enum class SlotState { kFree, kMarked, kRevoking, kPublished, kUnknown };

constexpr uint32_t LapOf(int64_t sequence, int shift) { return static_cast<uint32_t>(static_cast<uint64_t>(sequence) >> shift); }
constexpr uint32_t MarkOf(uint32_t lap, uint32_t writer) { return lap + kNativeFile + writer; }
constexpr uint32_t WriterOfMark(uint32_t availability, uint32_t lap) { return availability - lap - kNativeFile; }
constexpr SlotState StateOf(uint32_t availability, uint32_t lap) {
  if (availability == lap) return SlotState::kPublished;
  if (availability == lap - 1) return SlotState::kFree;
  const uint32_t writer = WriterOfMark(availability, lap);
  if (writer == 0) return SlotState::kRevoking;
  return writer <= kMaxWriterNumber ? SlotState::kMarked : SlotState::kUnknown;
}

// Byte-range locks (of open file descriptions), far behind the end of any file.
constexpr int64_t kConsumerLock = int64_t{1} << 61;
constexpr int64_t kDictionaryLock = kConsumerLock + 1;
constexpr int64_t kCreationLock = kConsumerLock + 2;
constexpr int64_t kFirstWriterLock = int64_t{1} << 62;  // + writer number: held as long as that writer lives

}  // namespace otlp_arrow::ring
