// The producer's side of an OTLP-MMAP file. All functions may be called from any thread; several processes may have the
// same file open. The Record… functions take no lock, allocate nothing and make no system call (but where a full ring
// makes them wait). A forked child may go on with the writer that it inherits: it becomes a writer of its own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "otlp_arrow/export.h"
#include "otlp_arrow/ring/values.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow::ring {

enum class WhenFull {
  kDropNewest,  // a record that finds no room is dropped and counted
  kBlock,       // it waits for room, for at most max_block_ms; then it is dropped and counted
  kReport,      // the call returns kFull; the caller waits (WaitForRoom), tries again, or drops (CountDropped)
};

struct RingSize {
  uint64_t slots = 0;       // a power of two, 2 to 2^26
  uint64_t slot_bytes = 0;  // a multiple of 8, 128 to 2^24
};

struct WriterOptions {
  // Of a file that is created; one that exists keeps its own.
  RingSize events = {4096, 1024};
  RingSize spans = {16384, 512};
  RingSize measurements = {16384, 256};
  // The dictionary may grow to this many bytes. Address space is kept for it, disk space only as it grows.
  uint64_t dictionary_max_bytes = 64ull << 20;
  WhenFull when_full = WhenFull::kDropNewest;
  uint32_t max_block_ms = 100;  // once waited in vain, later records don't wait until the consumer moves again
  uint64_t time_unix_nano = 0;  // of a file that is created: when the SDK started; 0: now
};
// kConfig: names the option, its value and what is allowed.
OTLP_ARROW_EXPORT Status Validate(const WriterOptions& options);

enum class [[nodiscard]] RecordResult {
  kRecorded,
  kTruncated,  // recorded, with values cut or attributes left out because they fit in no slot
  kDropped,    // no room; counted
  kFull,       // no room, with WhenFull::kReport: nothing was recorded or counted
  kInvalid,    // a reference lies outside of the dictionary, or values nest too deep: nothing was recorded
};

// What this process has done with the file.
struct WriterCounters {
  uint64_t dropped = 0;    // records without room
  uint64_t truncated = 0;  // values cut and attributes left out
  uint64_t reclaimed = 0;  // claims that the consumer had given up before they were marked; made anew
};

// What a reference stands for; an entry may stand for several where their bytes are the same.
enum class EntryKind : uint8_t { kString = 1, kResource = 2, kScope = 4, kMetric = 8 };

class OTLP_ARROW_EXPORT RingWriter {
 public:
  // Opens the file, or creates it (all its rings reserved on the disk) where there is none. Several processes may do so
  // at once. Errors: kConfig; kIo: no space, no permission, a file of another version or a damaged one.
  static Result<std::unique_ptr<RingWriter>> Open(const std::string& path, const WriterOptions& options = {});
  ~RingWriter();
  RingWriter(const RingWriter&) = delete;
  RingWriter& operator=(const RingWriter&) = delete;

  // Definitions. Equal ones give the same reference, in all processes; known ones are found without a lock. Errors:
  // kExport: a reference is none of this dictionary, or values nest too deep; the dictionary has reached
  // dictionary_max_bytes (retryable: no). kIo: the disk is full.
  Result<Ref> InternString(std::string_view text);  // 0 for an empty one
  Result<Ref> CreateResource(const ResourceDefinition& resource);
  Result<Ref> CreateScope(const ScopeDefinition& scope);
  Result<Ref> CreateMetric(const MetricDefinition& metric);
  // Was the reference given by one of the functions above, in this process, for such an entry?
  bool IsKnown(Ref ref, EntryKind kind) const;

  RecordResult RecordSpanStart(const SpanStart& span) noexcept;
  RecordResult RecordSpanEnd(const SpanKey& span, uint64_t end_time_unix_nano, const SpanStatus& status = {},
                             const SpanDropped& dropped = {}) noexcept;
  RecordResult RecordSpanName(const SpanKey& span, std::string_view name) noexcept;
  RecordResult RecordSpanAttributes(const SpanKey& span, Attributes attributes) noexcept;
  RecordResult RecordSpanLink(const SpanKey& span, const SpanLink& link) noexcept;
  // Before the end; the end's own status, where it has one, stands above it.
  RecordResult RecordSpanStatus(const SpanKey& span, const SpanStatus& status) noexcept;
  RecordResult RecordMeasurement(const Measurement& measurement) noexcept;
  RecordResult RecordEvent(const Event& event) noexcept;

  // For WhenFull::kReport, with no lock held that the consumer's progress may need. True as soon as the ring has room for any
  // record, at most after so long; false when it has none by then, and at once where a wait was in vain and the consumer has
  // not moved since.
  bool WaitForRoom(RingKind ring, uint32_t milliseconds) noexcept;
  // Records that the caller gave up, as if they had been dropped here.
  void CountDropped(uint32_t n) noexcept;

  WriterCounters counters() const;
  // The number under which this process holds its lock; a forked child gets its own with its first record.
  uint32_t number() const;
  const std::string& path() const;

 private:
  class Impl;
  explicit RingWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow::ring
