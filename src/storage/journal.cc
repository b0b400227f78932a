#include "storage/journal.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "storage/journal_format.h"

namespace otlp_arrow {
namespace {

using namespace journal_format;  // NOLINT: the vocabulary of this file

constexpr uint64_t kSpaceCheckEvery = 256 << 10;
constexpr size_t kFreeSegmentsKept = 4;
constexpr uint64_t kReleaseActiveAt = 256 << 10;

}  // namespace

Result<std::unique_ptr<Journal>> Journal::Create(std::string writer_dir, JournalOptions options) {
  std::unique_ptr<Journal> journal(new Journal(std::move(writer_dir), options));
  OTLP_RETURN_NOT_OK(journal->StartSegment());
  return journal;
}

std::string Journal::SegmentPath(uint64_t number) const {
  return dir_ + "/" + SegmentName(number);
}

Status Journal::StartSegment() {
  const uint64_t number = next_number_;
  Segment segment{number, nullptr, sizeof(SegmentHeader), {}, 0, true};
  const std::string path = SegmentPath(number);
  // One that somebody still reads must not be written over.
  while (!free_.empty() && free_.front().file.use_count() > 1) {
    (void)platform::Remove(SegmentPath(free_.front().number));
    free_.pop_front();
  }
  if (!free_.empty()) {
    // The oldest: those that stay stand right before the ones in use, so that readers of what a death leaves find no gap.
    OTLP_RETURN_NOT_OK(platform::Rename(SegmentPath(free_.front().number), path));
    segment.file = free_.front().file;
    free_.pop_front();
  } else {
    OTLP_ASSIGN_OR_RETURN(platform::File file, platform::File::Open(path, platform::File::Mode::kReadWrite));
    segment.file = std::make_shared<platform::File>(std::move(file));
  }
  ++next_number_;
  SegmentHeader header{};
  std::memcpy(header.magic, kSegmentMagic, sizeof(kSegmentMagic));
  header.number = number;
  header.first_sequence = next_sequence_;
  header.hash = HashOf(header, number);
  Status status = segment.file->WriteAt(0, Bytes(header));
  if (status.ok() && options_.sync_new_segments) status = platform::SyncDirectory(dir_);
  if (!status.ok()) {
    (void)platform::Remove(path);
    return status;
  }
  bytes_ += segment.size;
  segments_.push_back(std::move(segment));
  MarkHeld();
  return Status::Ok();
}

Status Journal::CheckSpace(uint64_t wanted) {
  // What is stored and only held to be forwarded must not stand in the way, not even in the segment that is written to.
  if (bytes_in_use() + wanted > options_.max_bytes && segments_.back().last_sequence != 0 && IsBehind(segments_.back(), stored_)) {
    OTLP_RETURN_NOT_OK(StartSegment());
  }
  const uint64_t in_use = bytes_in_use();
  if (in_use + wanted > options_.max_bytes && segments_.size() > 1) {
    return Status::BufferFull("the journal in '" + dir_ + "' holds " + std::to_string(in_use) + " bytes, its limit is " +
                              std::to_string(options_.max_bytes) + " (journal_max_bytes); try again when more is written to files");
  }
  unchecked_bytes_ += wanted;
  if (space_known_ && unchecked_bytes_ < kSpaceCheckEvery) return Status::Ok();
  const uint64_t needed = wanted + in_use + options_.disk_reserve_bytes;
  OTLP_ASSIGN_OR_RETURN(uint64_t free, platform::FreeBytes(dir_));
  if (free < needed && !free_.empty()) {
    DropFreeSegments();
    OTLP_ASSIGN_OR_RETURN(free, platform::FreeBytes(dir_));
  }
  if (free < needed) {
    space_known_ = false;
    return Status::Io("no space: the disk of '" + dir_ + "' has " + std::to_string(free) + " bytes free, and " +
                          std::to_string(in_use + options_.disk_reserve_bytes) +
                          " are kept to write out what the journal holds; free space on the disk, or lower the retention",
                      true);
  }
  space_known_ = true;
  unchecked_bytes_ = 0;
  return Status::Ok();
}

Status Journal::Probe() {
  space_known_ = false;
  return CheckSpace(sizeof(RecordHeader));
}

Result<uint64_t> Journal::Append(Signal signal, std::string_view request, int64_t items, int64_t rejected_items) {
  const uint64_t total = sizeof(RecordHeader) + Padded(request.size());
  OTLP_RETURN_NOT_OK(CheckSpace(total));
  if (segments_.back().size + total > options_.segment_bytes && segments_.back().last_sequence != 0) {
    OTLP_RETURN_NOT_OK(StartSegment());
  }
  Segment& segment = segments_.back();
  RecordHeader header{};
  header.magic = kRecordMagic;
  header.signal = static_cast<uint8_t>(signal);
  header.sequence = next_sequence_;
  header.size = request.size();
  header.items = static_cast<uint64_t>(items);
  header.rejected_items = static_cast<uint64_t>(rejected_items);
  header.request_hash = XXH3_64bits(request.data(), request.size());
  header.time = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  header.hash = HashOf(header, segment.number);
  static constexpr char kZeros[kAlignment] = {};
  const std::string_view parts[] = {Bytes(header), request, {kZeros, Padded(request.size()) - request.size()}};
  // What a failed write leaves behind is written over by the next one; readers stop at it until then.
  if (Status status = segment.file->WriteAt(segment.size, parts, 3); !status.ok()) {
    space_known_ = false;
    return status;
  }
  segment.size += total;
  bytes_ += total;
  segment.last[static_cast<size_t>(signal)] = next_sequence_;
  segment.last_sequence = next_sequence_;
  segment.unsynced = true;
  return next_sequence_++;
}

std::vector<std::shared_ptr<platform::File>> Journal::TakeUnsynced() {
  std::vector<std::shared_ptr<platform::File>> files;
  for (Segment& segment : segments_) {
    if (std::exchange(segment.unsynced, false)) files.push_back(segment.file);
  }
  return files;
}

bool Journal::IsBehind(const Segment& segment, const StoredSequences& sequences) {
  for (size_t s = 0; s < kSignalCount; ++s) {
    if (segment.last[s] > sequences[s]) return false;
  }
  return true;
}

bool Journal::MayGo(const Segment& segment) const {
  return IsBehind(segment, stored_) && (!forwarded_ || IsBehind(segment, *forwarded_));
}

void RetiredSegments::Delete() {
  for (const auto& [path, file] : files_) (void)platform::Remove(path);
  files_.clear();
}

void Journal::Retire(Segment&& segment, RetiredSegments* retired) {
  free_.push_back(std::move(segment));
  if (free_.size() <= kFreeSegmentsKept) return;
  retired->Add(SegmentPath(free_.front().number), std::move(free_.front().file));
  free_.pop_front();
}

void Journal::DropFreeSegments() {
  for (const Segment& segment : free_) (void)platform::Remove(SegmentPath(segment.number));
  free_.clear();
}

// Segments are stored in the order of their numbers, but for one of signals that trickle.
void Journal::MarkHeld() {
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    Segment& segment = segments_[i];
    if (segment.held || !IsBehind(segment, stored_)) continue;
    segment.held = true;
    bytes_held_ += segment.size;
  }
}

RetiredSegments Journal::Release(const StoredSequences& stored) {
  stored_ = stored;
  MarkHeld();
  return ReleaseSegments();
}

RetiredSegments Journal::SetForwarded(const StoredSequences& forwarded) {
  forwarded_ = forwarded;
  return ReleaseSegments();
}

RetiredSegments Journal::ReleaseSegments() {
  RetiredSegments retired;
  // The one that is written to goes too when it is worth it; the new one then takes its place in the file it frees.
  // One that is only held for what is not yet forwarded is left when it takes a good part of what may be in use.
  const Segment& active = segments_.back();
  const uint64_t large = std::max(std::min(options_.segment_bytes, options_.max_bytes) / 4, kReleaseActiveAt);
  if (active.size >= kReleaseActiveAt && (MayGo(active) || (active.size >= large && IsBehind(active, stored_)))) (void)StartSegment();
  while (segments_.size() > 1 && MayGo(segments_.front())) {
    bytes_ -= segments_.front().size;
    if (segments_.front().held) bytes_held_ -= segments_.front().size;
    Retire(std::move(segments_.front()), &retired);
    segments_.pop_front();
  }
  return retired;
}

bool Journal::WouldRelease(const StoredSequences& forwarded) const {
  const Segment& first = segments_.front();
  return IsBehind(first, stored_) && IsBehind(first, forwarded) && (segments_.size() > 1 || first.size >= kReleaseActiveAt);
}

std::vector<Journal::Held> Journal::HeldSegments() const {
  std::vector<Held> held;
  for (const Segment& segment : segments_) {
    if (segment.held) held.push_back({segment.number, segment.size});
  }
  return held;
}

std::vector<JournalSegment> Journal::SegmentsFrom(uint64_t first) const {
  std::vector<JournalSegment> segments;
  for (const Segment& segment : segments_) {
    if (segment.number >= first) segments.push_back({segment.number, segment.file, segment.size});
  }
  return segments;
}

std::vector<JournalPart> Journal::PartsFrom(Signal signal, uint64_t first) const {
  std::vector<JournalPart> parts;
  for (const Segment& segment : segments_) {
    if (segment.last[static_cast<size_t>(signal)] >= first) parts.push_back({SegmentPath(segment.number), segment.size});
  }
  return parts;
}

}  // namespace otlp_arrow
