#include "ring/file_view.h"

#include <algorithm>
#include <utility>

#include "ring/varint.h"

namespace otlp_arrow::ring {

using platform::Mapping;
using platform::RangeLocks;
using platform::SharedFile;

Result<std::unique_ptr<FileView>> FileView::Open(const std::string& path, SharedFile::Mode mode) {
  OTLP_ASSIGN_OR_RETURN(SharedFile file, SharedFile::Open(path, mode));
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size < sizeof(FileHeader)) return ReadGeometry(path, nullptr, size).status();
  OTLP_ASSIGN_OR_RETURN(Mapping mapping, file.Map(size, mode));
  OTLP_ASSIGN_OR_RETURN(const Geometry geometry, ReadGeometry(path, mapping.data(), size));
  OTLP_RETURN_NOT_OK(CheckIndices(path, geometry, mapping.data(), size));
  OTLP_ASSIGN_OR_RETURN(RangeLocks locks, RangeLocks::Open(file, mode));
  return std::unique_ptr<FileView>(new FileView(std::move(file), mode, std::move(mapping), geometry, std::move(locks), size));
}

Status FileView::CheckUnchanged() {
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file_.Size());
  if (size < geometry_.first_entry()) {
    return Status::Io("'" + file_.path() + "' was cut to " + std::to_string(size) + " bytes while it was open; open it anew when its writer has begun it again");
  }
  size_ = size;
  const auto now = ReadGeometry(file_.path(), mapping_.data(), std::min<uint64_t>(size, mapping_.size()));
  if (!now.ok()) return now.status();
  if (*now == geometry_) return Status::Ok();
  return Status::Io("'" + file_.path() + "' was begun anew while it was open; open it again");
}

Result<const char*> FileView::BytesTo(uint64_t end) {
  if (end > size_) {
    OTLP_ASSIGN_OR_RETURN(size_, file_.Size());
    if (end > size_) return Status::Export("byte " + std::to_string(end) + " lies behind the end of '" + file_.path() + "', which has " + std::to_string(size_));
  }
  if (end <= mapping_.size()) return static_cast<const char*>(mapping_.data());
  if (grown_.empty() || end > grown_.back().size()) {
    // Address space ahead, so that a growing dictionary needs few mappings.
    OTLP_ASSIGN_OR_RETURN(Mapping larger, file_.Map(2 * size_, SharedFile::Mode::kRead));
    grown_.push_back(std::move(larger));
  }
  return static_cast<const char*>(grown_.back().data());
}

Result<std::string_view> FileView::Entry(Ref ref) {
  if (ref == 0) return std::string_view();
  const auto begin = static_cast<uint64_t>(ref);
  const auto end = static_cast<uint64_t>(dictionary().end.load(std::memory_order_acquire));
  if (begin < geometry_.first_entry() || begin >= end) {
    return Status::Export("reference " + std::to_string(ref) + " lies outside of the dictionary of '" + file_.path() + "', which reaches from " +
                          std::to_string(geometry_.first_entry()) + " to " + std::to_string(end));
  }
  OTLP_ASSIGN_OR_RETURN(const char* bytes, BytesTo(end));
  const auto entry = ReadDelimited({bytes + begin, end - begin});
  if (!entry) {
    return Status::Export("the entry at reference " + std::to_string(ref) + " reaches out of the dictionary of '" + file_.path() + "', which ends at byte " +
                          std::to_string(end));
  }
  return *entry;
}

bool FileView::IsWhole() const {
  const auto size = file_.Size();
  return size.ok() && *size >= geometry_.first_entry();
}

FileStats FileView::stats() const {
  FileStats stats;
  if (!IsWhole()) return stats;
  for (const RingKind kind : kAllRings) {
    const RingPlace ring = Place(kind);
    RingStats& of_ring = stats.rings[static_cast<size_t>(kind)];
    of_ring.slots = ring.num_slots;
    of_ring.slot_bytes = ring.slot_bytes;
    of_ring.reader_index = ring.header->reader_index.load(std::memory_order_acquire);
    of_ring.writer_index = ring.header->writer_index.load(std::memory_order_acquire);
  }
  const auto end = static_cast<uint64_t>(dictionary().end.load(std::memory_order_relaxed));
  stats.dictionary_bytes = end < geometry_.first_entry() ? 0 : end - geometry_.first_entry();
  stats.dictionary_entries = dictionary().num_entries.load(std::memory_order_relaxed);
  stats.time_unix_nano = geometry_.time_unix_nano;
  const uint32_t writers = header().writers.load(std::memory_order_relaxed);
  stats.native = (writers & kNativeFile) != 0;
  stats.last_writer = writers & ~kNativeFile;
  stats.dropped = header().dropped.load(std::memory_order_relaxed);
  stats.truncated = header().truncated.load(std::memory_order_relaxed);
  stats.revoked = header().revoked.load(std::memory_order_relaxed);
  return stats;
}

Result<std::vector<uint32_t>> FileView::LiveWriters() const {
  OTLP_ASSIGN_OR_RETURN(const std::vector<int64_t> held, locks_.HeldWithin(kFirstWriterLock + 1, kFirstWriterLock + kMaxWriterNumber));
  std::vector<uint32_t> writers;
  for (const int64_t offset : held) writers.push_back(static_cast<uint32_t>(offset - kFirstWriterLock));
  return writers;
}

}  // namespace otlp_arrow::ring
