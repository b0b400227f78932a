#include "ring/geometry.h"

#include <algorithm>
#include <bit>

namespace otlp_arrow::ring {
namespace {

// Far from where sequence numbers would end.
constexpr int64_t kMostRead = INT64_MAX / 2;

Status Damaged(const std::string& path, const std::string& what) {
  return Status::Io("'" + path + "' is no usable OTLP-MMAP file: " + what + "; move it away, and its writer creates a new one");
}

std::string Number(uint64_t n) { return std::to_string(static_cast<int64_t>(n)); }

// Offsets are those of 8-byte atomics, behind the header.
bool IsPlace(uint64_t offset, uint64_t size, uint64_t file_bytes) {
  return offset >= sizeof(FileHeader) && offset % 8 == 0 && offset <= file_bytes && size <= file_bytes - offset;
}

Status ReadRing(const std::string& path, const char* mapped, uint64_t file_bytes, RingKind kind, Geometry::Ring* ring) {
  const std::string name = "the ring of " + std::string(RingName(kind));
  if (!IsPlace(ring->offset, sizeof(RingHeader), file_bytes)) {
    return Damaged(path, name + " is said to begin at byte " + Number(ring->offset) + " of " + Number(file_bytes));
  }
  const auto* header = reinterpret_cast<const RingHeader*>(mapped + ring->offset);
  ring->num_slots = static_cast<uint64_t>(header->num_buffers);
  ring->slot_bytes = static_cast<uint64_t>(header->buffer_size);
  if (!std::has_single_bit(ring->num_slots) || ring->num_slots > kMaxSlots) {
    return Damaged(path, name + " has " + Number(ring->num_slots) + " slots; allowed are powers of two up to " + Number(kMaxSlots));
  }
  if (ring->slot_bytes == 0 || ring->slot_bytes > kMaxSlotBytes) {
    return Damaged(path, name + " has slots of " + Number(ring->slot_bytes) + " bytes; allowed are 1 to " + Number(kMaxSlotBytes));
  }
  if (!IsPlace(ring->offset, RingBytes(ring->num_slots, ring->slot_bytes), file_bytes)) {
    return Damaged(path, name + " would end behind the end of the file, which was cut to " + Number(file_bytes) + " bytes");
  }
  return Status::Ok();
}

// Rings in the order of their offsets: none may reach into the next, nor the last one into the dictionary.
Status CheckOverlaps(const std::string& path, const Geometry& geometry) {
  auto rings = geometry.rings;
  std::sort(rings.begin(), rings.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  for (size_t i = 0; i < kRingCount; ++i) {
    const uint64_t next = i + 1 < kRingCount ? rings[i + 1].offset : geometry.dictionary;
    if (next < rings[i].offset || RingBytes(rings[i].num_slots, rings[i].slot_bytes) > next - rings[i].offset) {
      return Damaged(path, "what begins at byte " + Number(rings[i].offset) + " reaches into what begins at byte " + Number(next));
    }
  }
  return Status::Ok();
}

}  // namespace

RingPlace Geometry::Place(RingKind kind, char* mapped) const {
  const Ring& ring = rings[static_cast<size_t>(kind)];
  RingPlace place;
  char* begin = mapped + ring.offset;
  place.header = reinterpret_cast<RingHeader*>(begin);
  place.availability = reinterpret_cast<Availability*>(begin + sizeof(RingHeader));
  place.slots = reinterpret_cast<uint8_t*>(begin + sizeof(RingHeader) + ring.num_slots * sizeof(Availability));
  place.num_slots = ring.num_slots;
  place.slot_bytes = ring.slot_bytes;
  place.shift = std::countr_zero(ring.num_slots);
  return place;
}

Result<Geometry> ReadGeometry(const std::string& path, const char* mapped, uint64_t file_bytes) {
  if (file_bytes < sizeof(FileHeader)) {
    return Status::Io("'" + path + "' has only " + Number(file_bytes) + " bytes, less than the header of an OTLP-MMAP file; is it just being created?", true);
  }
  const auto* header = reinterpret_cast<const FileHeader*>(mapped);
  const int64_t version = header->version.load(std::memory_order_acquire);
  if (version == 0) return Status::Io("'" + path + "' has no OTLP-MMAP version yet; is it just being created?", true);
  if (version != kVersion) {
    return Status::Io("'" + path + "' has version " + std::to_string(version) + " of the OTLP-MMAP format, or is no such file; version " +
                      std::to_string(kVersion) + " is supported");
  }
  Geometry geometry;
  geometry.time_unix_nano = header->time_unix_nano.load(std::memory_order_relaxed);
  geometry.dictionary = static_cast<uint64_t>(header->dictionary.load(std::memory_order_relaxed));
  for (const RingKind kind : kAllRings) {
    Geometry::Ring& ring = geometry.rings[static_cast<size_t>(kind)];
    ring.offset = static_cast<uint64_t>(header->rings[static_cast<size_t>(kind)].load(std::memory_order_relaxed));
    OTLP_RETURN_NOT_OK(ReadRing(path, mapped, file_bytes, kind, &ring));
  }
  if (!IsPlace(geometry.dictionary, sizeof(DictionaryHeader), file_bytes)) {
    return Damaged(path, "the dictionary is said to begin at byte " + Number(geometry.dictionary) + " of " + Number(file_bytes));
  }
  OTLP_RETURN_NOT_OK(CheckOverlaps(path, geometry));
  return geometry;
}

Status CheckIndices(const std::string& path, const Geometry& geometry, char* mapped, uint64_t file_bytes) {
  for (const RingKind kind : kAllRings) {
    const RingPlace ring = geometry.Place(kind, mapped);
    // In this order the writer's index can only be ahead.
    const int64_t read = ring.header->reader_index.load(std::memory_order_acquire);
    const int64_t written = ring.header->writer_index.load(std::memory_order_acquire);
    if (read < -1 || read > kMostRead || written < read || static_cast<uint64_t>(written) - static_cast<uint64_t>(read) > ring.num_slots) {
      return Damaged(path, "the ring of " + std::string(RingName(kind)) + " was read up to record " + std::to_string(read) + " and written up to " +
                               std::to_string(written) + ", with " + Number(ring.num_slots) + " slots");
    }
  }
  const auto* dictionary = reinterpret_cast<const DictionaryHeader*>(mapped + geometry.dictionary);
  const auto end = static_cast<uint64_t>(dictionary->end.load(std::memory_order_acquire));
  if (end < geometry.first_entry() || end > file_bytes) {
    return Damaged(path, "its dictionary is said to end at byte " + Number(end) + ", outside of " + Number(geometry.first_entry()) + " to " +
                             Number(file_bytes));
  }
  return Status::Ok();
}

}  // namespace otlp_arrow::ring
