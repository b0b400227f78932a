// The journal: accepted requests in order, until they are in files. One writer, one directory of segments;
// docs/formats/journal.md describes the bytes.
//
//   segment:  header (64 bytes) | record | record | …
//   record:   header (64 bytes) | request bytes | zeros up to a multiple of 8
//
// Segments whose requests are all stored are used again under a new number, since writing over pages that the kernel
// already holds costs a fraction of writing new ones. Every header carries a hash that is seeded with the segment's
// number, so that what is left of its former life never reads as a record.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/platform/platform.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// The last journal position of each signal that is in a published file.
using StoredSequences = std::array<uint64_t, kSignalCount>;

struct JournalRecord {
  uint64_t sequence = 0;  // starts at 1, no gaps
  Signal signal = Signal::kTraces;
  int64_t items = 0;
  int64_t rejected_items = 0;
  std::string_view request;  // OTLP bytes; valid during the callback
};

// What a reader found wrong in a segment.
struct JournalDamage {
  std::string path;
  std::string what;
};

// Reads the records of a segment file in order; what cannot be read is skipped up to the next whole record and
// reported. A torn record at the end of the newest segment is no damage: it was never acknowledged.
// `expected_sequence` is that of the next record, 0 where any may come; it is moved along.
Status ReadJournalSegment(const std::string& path, bool newest, uint64_t* expected_sequence,
                          const std::function<Status(const JournalRecord&)>& on_record, std::vector<JournalDamage>* damage);

// The beginning of a segment that holds records.
struct JournalPart {
  std::string path;
  uint64_t size = 0;
};

// Reads back the records of a signal in [first, last]: for writing them again after a failed write. Goes on beside
// appends, as long as none of these records is released. Errors: kIo, also where something in between is damaged.
Status ReadJournalRange(const std::vector<JournalPart>& parts, Signal signal, uint64_t first, uint64_t last,
                        const std::function<Status(const JournalRecord&)>& on_record);

// A segment in use, as it is at this moment. What stands in the first `size` bytes of the file stays there until the journal
// releases the segment.
struct JournalSegment {
  uint64_t number = 0;
  std::shared_ptr<const platform::File> file;
  uint64_t size = 0;
};

// Where a reader that goes along with a journal stands.
struct JournalCursor {
  uint64_t segment = 0;  // its number
  uint64_t offset = 0;   // of the next record in it; 0: the first one

  friend auto operator<=>(const JournalCursor&, const JournalCursor&) = default;
};

// Requests of one signal, one behind the other: so they are one request, too.
struct JournalBatch {
  struct Record {
    uint64_t sequence = 0;
    size_t offset = 0, size = 0;  // in `requests`
    int64_t items = 0;
    int64_t rejected_items = 0;
    int64_t time = 0;  // of its arrival, nanoseconds since 1970; 0 where unknown
  };
  std::string requests;
  std::vector<Record> records;  // in order
  uint64_t damaged_bytes = 0;   // passed over

  bool empty() const { return records.empty(); }
  std::string_view RequestOf(const Record& record) const { return std::string_view(requests).substr(record.offset, record.size); }
};

struct JournalBatchLimits {
  size_t bytes = 1 << 20;  // of requests; a larger one comes alone
  // A request with items that its sender was told are bad comes alone, so that it can be freed of them.
  bool rejected_alone = true;
};

// Reads on from `cursor`, which it moves behind what it took, over as many segments as it needs (all from the cursor's one on,
// oldest first). An empty batch: there is nothing more of this signal. Errors: kIo.
Result<JournalBatch> ReadJournalBatch(const std::vector<JournalSegment>& segments, Signal signal, const JournalBatchLimits& limits,
                                      JournalCursor* cursor);

// The segment files of a writer's directory, oldest first.
Result<std::vector<std::string>> ListJournalSegments(const std::string& writer_dir);

// What a segment file holds, by the headers of its records alone: the requests are not read.
struct JournalSummary {
  uint64_t number = 0;
  uint64_t size = 0;                               // up to the end of its last record
  StoredSequences last{};                          // the last record of each signal, 0 if none
  std::array<int64_t, kSignalCount> items{};       // valid ones, of the records behind `after`
  std::array<uint64_t, kSignalCount> bytes{};      // of their requests
  int64_t first_time = 0;                          // when its first record arrived, nanoseconds since 1970; 0 where unknown
};
Result<JournalSummary> SummarizeJournalSegment(const std::string& path, uint64_t after = 0);

// Without the segments (of ListJournalSegments) that end before the record behind `stored_through`: the next one's header says so.
std::vector<std::string> WithoutStoredSegments(std::vector<std::string> paths, uint64_t stored_through);

struct JournalOptions {
  uint64_t segment_bytes = 16ull << 20;
  // Bytes that must stay free on the disk besides as much as the journal holds, so that its content can be written
  // to files.
  uint64_t disk_reserve_bytes = 1ull << 20;
  uint64_t max_bytes = 1024ull << 20;  // of all segments in use
  bool sync_new_segments = false;      // a new segment's directory entry reaches the device before it is used
};

// Segments that a journal is done with. Their files are deleted with this object, which takes its time: not while others wait.
class RetiredSegments {
 public:
  RetiredSegments() = default;
  RetiredSegments(RetiredSegments&&) = default;
  RetiredSegments& operator=(RetiredSegments&& other) noexcept {
    std::swap(files_, other.files_);
    return *this;
  }
  ~RetiredSegments() { Delete(); }

  void Add(std::string path, std::shared_ptr<platform::File> file) { files_.emplace_back(std::move(path), std::move(file)); }
  void Delete();

 private:
  std::vector<std::pair<std::string, std::shared_ptr<platform::File>>> files_;  // the last owner's close frees the pages
};

// Not thread-safe: the owner serialises the calls.
class Journal {
 public:
  // `writer_dir` exists and is locked by the caller.
  static Result<std::unique_ptr<Journal>> Create(std::string writer_dir, JournalOptions options = {});

  // Appends a request and returns its sequence number; when it returns the kernel has the bytes. Errors: kIo, retryable
  // (disk full, read-only, …): nothing was appended; kExport, retryable: the journal has reached max_bytes.
  Result<uint64_t> Append(Signal signal, std::string_view request, int64_t items, int64_t rejected_items);

  // Would a small Append find room now?
  Status Probe();

  // The files written to since the last call: syncing them (which may go on beside further appends) puts everything
  // appended so far on the device.
  std::vector<std::shared_ptr<platform::File>> TakeUnsynced();

  // Frees segments all of whose records are stored, and forwarded where they are held for that.
  RetiredSegments Release(const StoredSequences& stored);

  // From the first call on, segments are held until their records are forwarded, too: up to `forwarded` they are.
  RetiredSegments SetForwarded(const StoredSequences& forwarded);

  // Would SetForwarded(forwarded) free a segment?
  bool WouldRelease(const StoredSequences& forwarded) const;

  // The segments from number `first` on. As long as somebody has one of these, its file is not used again.
  std::vector<JournalSegment> SegmentsFrom(uint64_t first) const;

  // The segments that are only held for what is not yet forwarded, oldest first.
  struct Held {
    uint64_t number = 0;
    uint64_t size = 0;
  };
  std::vector<Held> HeldSegments() const;

  // Deletes the segments that wait to be used again.
  void DropFreeSegments();

  // The parts of segments that hold the records of a signal from `first` on, as they are now; for ReadJournalRange.
  std::vector<JournalPart> PartsFrom(Signal signal, uint64_t first) const;

  // Bytes of segments that hold records not yet stored.
  uint64_t bytes_in_use() const { return bytes_ - bytes_held_; }
  // Bytes of segments that are only held for what is not yet forwarded. The one that is written to counts as in use.
  uint64_t bytes_held() const { return bytes_held_; }
  uint64_t last_sequence() const { return next_sequence_ - 1; }

 private:
  struct Segment {
    uint64_t number;
    std::shared_ptr<platform::File> file;
    uint64_t size = 0;        // valid bytes
    StoredSequences last{};   // last record of each signal in it, 0 if none
    uint64_t last_sequence = 0;
    bool unsynced = true;
    bool held = false;        // stored, and not written to any more
  };

  Journal(std::string dir, JournalOptions options) : dir_(std::move(dir)), options_(options) {}
  Status StartSegment();
  Status CheckSpace(uint64_t wanted);
  static bool IsBehind(const Segment& segment, const StoredSequences& sequences);
  bool MayGo(const Segment& segment) const;
  RetiredSegments ReleaseSegments();
  void Retire(Segment&& segment, RetiredSegments* retired);
  void MarkHeld();
  std::string SegmentPath(uint64_t number) const;

  std::string dir_;
  JournalOptions options_;
  uint64_t next_sequence_ = 1;
  uint64_t next_number_ = 1;
  std::deque<Segment> segments_;     // in use, oldest first; the last one is written to
  std::deque<Segment> free_;         // stored, to be used again, oldest first
  StoredSequences stored_{};
  std::optional<StoredSequences> forwarded_;
  uint64_t bytes_ = 0, bytes_held_ = 0;  // of segments_
  uint64_t unchecked_bytes_ = 0;     // appended since the free space was last looked at
  bool space_known_ = false;
};

}  // namespace otlp_arrow
