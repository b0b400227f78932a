// Where things lie in an open file, checked once; from then on nothing of it is read from the file again.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "otlp_arrow/status.h"
#include "ring/layout.h"

namespace otlp_arrow::ring {

// A ring within a mapping.
struct RingPlace {
  RingHeader* header = nullptr;
  Availability* availability = nullptr;
  uint8_t* slots = nullptr;
  uint64_t num_slots = 0;
  uint64_t slot_bytes = 0;
  int shift = 0;  // log2(num_slots)

  uint64_t IndexOf(int64_t sequence) const { return static_cast<uint64_t>(sequence) & (num_slots - 1); }
  uint8_t* SlotOf(int64_t sequence) const { return slots + IndexOf(sequence) * slot_bytes; }
  Availability& AvailabilityOf(int64_t sequence) const { return availability[IndexOf(sequence)]; }
  uint32_t Lap(int64_t sequence) const { return LapOf(sequence, shift); }
};

// What the headers of a file say.
struct Geometry {
  struct Ring {
    uint64_t offset = 0;
    uint64_t num_slots = 0;
    uint64_t slot_bytes = 0;
    bool operator==(const Ring&) const = default;
  };
  std::array<Ring, kRingCount> rings;
  uint64_t dictionary = 0;       // offset
  uint64_t time_unix_nano = 0;

  uint64_t first_entry() const { return dictionary + sizeof(DictionaryHeader); }
  RingPlace Place(RingKind kind, char* mapped) const;
  bool operator==(const Geometry&) const = default;
};

// Reads and checks the headers of a file of `file_bytes` bytes, of which all are mapped: version, offsets, sizes, that
// nothing overlaps or leaves the file, that the dictionary stands last. Errors: kIo, naming what is wrong; retryable where the file
// looks as if someone were just beginning it.
Result<Geometry> ReadGeometry(const std::string& path, const char* mapped, uint64_t file_bytes);

// Checks the indices of the rings and the end of the dictionary, which move while the file is in use.
Status CheckIndices(const std::string& path, const Geometry& geometry, char* mapped, uint64_t file_bytes);

// Adds one, but never past the largest value.
inline void CountSaturating(std::atomic<uint32_t>& counter, uint32_t n = 1) {
  uint32_t old = counter.load(std::memory_order_relaxed);
  while (old != UINT32_MAX && !counter.compare_exchange_weak(old, old > UINT32_MAX - n ? UINT32_MAX : old + n, std::memory_order_relaxed)) {
  }
}

}  // namespace otlp_arrow::ring
