// The dictionary of a file as its producers use it: equal bytes are stored once, across all processes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/platform/shared_file.h"
#include "otlp_arrow/status.h"
#include "ring/geometry.h"
#include "ring/ref_table.h"
#include "ring/value_writer.h"
#include "ring/writer_identity.h"

namespace otlp_arrow::ring {

class DictionaryWriter {
 public:
  // `mapped` reaches from the beginning of the file to `most_end`, the offset that the dictionary may grow to. All
  // outlive it.
  DictionaryWriter(platform::SharedFile* file, WriterIdentity* identity, const Geometry& geometry, char* mapped, uint64_t most_end);

  // The reference of an entry with these bytes, which is added where there is none; 0 for no bytes. Errors as those of
  // RingWriter::InternString.
  Result<Ref> Intern(std::string_view bytes, uint8_t kind);
  bool IsKnown(Ref ref, uint8_t kind) const;

  // References that may stand in records at the moment.
  RefRange refs() const { return {static_cast<Ref>(first_entry_), header_->end.load(std::memory_order_relaxed)}; }

 private:
  Result<Ref> InternLocked(std::string_view bytes, uint64_t hash, uint8_t kind);
  Result<Ref> Append(std::string_view bytes);
  Status ReserveTo(uint64_t end);
  Status CatchUp();

  platform::SharedFile* file_;
  WriterIdentity* identity_;
  char* mapped_;
  DictionaryHeader* header_;
  uint64_t first_entry_;
  uint64_t most_end_;
  uint64_t known_end_;     // entries before it are in the table
  std::atomic<uint64_t> reserved_end_{0};  // of the file, as far as this process knows
  RefTable table_;
};

}  // namespace otlp_arrow::ring
