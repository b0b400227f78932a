#include "ring/create_file.h"

#include <array>
#include <bit>
#include <chrono>
#include <new>
#include <string>
#include <thread>

#include "ring/layout.h"

namespace otlp_arrow::ring {
namespace {

constexpr uint64_t kFirstDictionaryBytes = 64 << 10;

Status ValidateSize(const std::string& name, const RingSize& size) {
  if (!std::has_single_bit(size.slots) || size.slots < 2 || size.slots > kMaxSlots) {
    return Status::Config(name + ".slots: " + std::to_string(size.slots) + " is not allowed; use a power of two from 2 to " + std::to_string(kMaxSlots));
  }
  if (size.slot_bytes < kMinSlotBytes || size.slot_bytes > kMaxSlotBytes || size.slot_bytes % 8 != 0) {
    return Status::Config(name + ".slot_bytes: " + std::to_string(size.slot_bytes) + " is not allowed; use a multiple of 8 from " +
                          std::to_string(kMinSlotBytes) + " to " + std::to_string(kMaxSlotBytes));
  }
  return Status::Ok();
}

uint64_t Now() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

void InitialiseRing(char* at, const RingSize& size) {
  auto* header = new (at) RingHeader{static_cast<int64_t>(size.slots), static_cast<int64_t>(size.slot_bytes), -1, -1};
  auto* availability = reinterpret_cast<Availability*>(header + 1);
  for (uint64_t i = 0; i < size.slots; ++i) new (availability + i) Availability(UINT32_MAX);
}

}  // namespace

Status Validate(const WriterOptions& options) {
  OTLP_RETURN_NOT_OK(ValidateSize("events", options.events));
  OTLP_RETURN_NOT_OK(ValidateSize("spans", options.spans));
  OTLP_RETURN_NOT_OK(ValidateSize("measurements", options.measurements));
  constexpr uint64_t kLeast = 1024, kMost = 1ull << 38;
  if (options.dictionary_max_bytes < kLeast || options.dictionary_max_bytes > kMost) {
    return Status::Config("dictionary_max_bytes: " + std::to_string(options.dictionary_max_bytes) + " is not allowed; use " + std::to_string(kLeast) +
                          " to " + std::to_string(kMost));
  }
  return Status::Ok();
}

Status InitialiseFile(platform::SharedFile* file, const WriterOptions& options) {
  const std::array<RingSize, kRingCount> sizes = {options.events, options.spans, options.measurements};
  uint64_t end = sizeof(FileHeader);
  std::array<uint64_t, kRingCount> offsets;
  for (size_t i = 0; i < kRingCount; ++i) {
    offsets[i] = end;
    end += RingBytes(sizes[i].slots, sizes[i].slot_bytes);
  }
  const uint64_t dictionary = end;
  end += std::min(options.dictionary_max_bytes, kFirstDictionaryBytes);
  OTLP_RETURN_NOT_OK(file->Reserve(0, end));
  OTLP_ASSIGN_OR_RETURN(const platform::Mapping mapping, file->Map(end, platform::SharedFile::Mode::kReadWrite));
  auto* header = new (mapping.data()) FileHeader{};
  for (size_t i = 0; i < kRingCount; ++i) {
    InitialiseRing(mapping.data() + offsets[i], sizes[i]);
    header->rings[i].store(static_cast<int64_t>(offsets[i]));
  }
  auto* entries = new (mapping.data() + dictionary) DictionaryHeader{};
  entries->end.store(static_cast<int64_t>(dictionary + sizeof(DictionaryHeader)));
  header->dictionary.store(static_cast<int64_t>(dictionary));
  header->time_unix_nano.store(options.time_unix_nano ? options.time_unix_nano : Now());
  header->writers.store(kNativeFile);
  header->version.store(kVersion, std::memory_order_release);
  return Status::Ok();
}

Status InitialiseIfEmpty(platform::SharedFile* file, const WriterOptions& options) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    OTLP_ASSIGN_OR_RETURN(platform::RangeLocks locks, platform::RangeLocks::Open(*file));
    OTLP_ASSIGN_OR_RETURN(const bool locked, locks.TryLock(kCreationLock));
    if (locked) {
      OTLP_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
      return size == 0 ? InitialiseFile(file, options) : Status::Ok();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return Status::Io("cannot open '" + file->path() + "': another process keeps it locked; is a writer of it stopped?", true);
}

}  // namespace otlp_arrow::ring
