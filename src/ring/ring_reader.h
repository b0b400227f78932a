// The consumer's side of an OTLP-MMAP file, and the inspector's, which only looks. Nothing in the file is trusted: every
// offset, length and flag is checked, and records are copied out of the shared memory before anyone reads them.
// Not thread-safe, but for the functions that say so.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "otlp_arrow/status.h"
#include "ring/layout.h"
#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

struct ReaderOptions {
  // A claim that no writer marked is given up after this time: the writer died in between (one of ours that is only late
  // claims anew, so nothing is lost). In files that others created, whose writers mark nothing, after foreign_claim_timeout.
  std::chrono::milliseconds claim_timeout{50};
  std::chrono::milliseconds foreign_claim_timeout{10'000};
  std::shared_ptr<Clock> clock = Clock::System();
};

// One record: a SpanEvent, Measurement or Event message (ring/records.h reads them) without its length.
struct RecordView {
  int64_t sequence = 0;
  std::string_view bytes;
};

struct RingStats {
  uint64_t slots = 0;
  uint64_t slot_bytes = 0;
  int64_t reader_index = -1;
  int64_t writer_index = -1;
  uint64_t filled() const { return static_cast<uint64_t>(writer_index) - static_cast<uint64_t>(reader_index); }
};

struct FileStats {
  RingStats rings[kRingCount];
  uint64_t dictionary_bytes = 0;    // used
  int64_t dictionary_entries = 0;
  uint64_t time_unix_nano = 0;      // when the file was begun
  bool native = false;              // created by us
  uint32_t last_writer = 0;         // number given out last; 0: none of ours has written
  uint32_t dropped = 0;             // of all writers, as are the next two
  uint32_t truncated = 0;
  uint32_t revoked = 0;
};

class RingReader {
 public:
  // As the one consumer of the file. Errors: kIo: missing; no OTLP-MMAP file, damaged or of another version (the message
  // says what is wrong); kServer, retryable: another consumer has it.
  static Result<std::unique_ptr<RingReader>> Open(const std::string& path, const ReaderOptions& options = {});
  ~RingReader();
  RingReader(const RingReader&) = delete;
  RingReader& operator=(const RingReader&) = delete;

  // The next records of a ring, in their order, at most `most`: fewer where there are no more or one is still being
  // written. Reading begins behind the file's reader_index and goes on from call to call; it frees nothing. The bytes are
  // good until the next Poll of that ring. Claims of dead writers are passed over (sequence numbers then have gaps), and
  // so are slots that hold nothing readable (skipped() counts these). Errors: kIo: the file was cut, damaged or begun anew
  // under us; there is no more to be had from this reader.
  Result<std::span<const RecordView>> Poll(RingKind ring, size_t most = 1024);
  // Sequence number that was read last (-1: none): what Advance takes when all of it is kept elsewhere.
  int64_t last_read(RingKind ring) const;
  // Frees the slots up to this sequence number for writers. Never moves back, nor past last_read.
  void Advance(RingKind ring, int64_t sequence);

  // Is there something to read, or a claim that may have to be given up? Cheap.
  bool HasData() const;

  // The bytes of a dictionary entry, without their length; empty for reference 0. Good as long as the reader lives.
  // Errors: kExport: the reference or the entry's length points outside of the dictionary.
  Result<std::string_view> Entry(Ref ref) const;

  // Numbers of the writers (StartSpan's extension) that live now. A record of a writer that is gone may still stand
  // unread: its spans are incomplete only once all was polled after this call. Errors: kIo.
  Result<std::vector<uint32_t>> LiveWriters() const;

  // Any thread.
  FileStats stats() const;
  // Slots passed over because their length or flag was broken.
  uint64_t skipped() const;
  const std::string& path() const;
  // Does the path name another file by now, or none? Then what is left here is drained and the path opened anew.
  bool IsReplaced() const;

 private:
  class Impl;
  explicit RingReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Returns when one of the readers has data (true), or after `timeout` (false). Looks at growing intervals, up to 10 ms,
// so that idling costs next to nothing and writers need not wake anyone.
bool WaitForData(std::span<RingReader* const> readers, std::chrono::milliseconds timeout);

// Looks at a file that others may be using, or left behind: maps it read-only, takes no lock, changes nothing.
class RingInspector {
 public:
  static Result<std::unique_ptr<RingInspector>> Open(const std::string& path);
  ~RingInspector();

  struct Slot {
    int64_t sequence = 0;
    SlotState state = SlotState::kFree;
    uint32_t writer = 0;  // of a marked claim
    bool read = false;    // the consumer is done with it
    std::string bytes;    // the record, where it is published; empty: a claim that was given up
  };
  // The last `most` sequence numbers of a ring, oldest first, read or not.
  std::vector<Slot> LastSlots(RingKind ring, size_t most) const;
  FileStats stats() const;
  bool HasConsumer() const;
  Result<std::vector<uint32_t>> LiveWriters() const;
  Result<std::string_view> Entry(Ref ref) const;
  struct DictionaryEntry {
    Ref ref = 0;
    std::string_view bytes;
  };
  // All entries in their order; what each one is, only its users know. Errors: kIo: a length leads out of the dictionary.
  Result<std::vector<DictionaryEntry>> Entries() const;

 private:
  class Impl;
  explicit RingInspector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow::ring
