#include "storage/journal.h"

#include <algorithm>
#include <chrono>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include <xxhash.h>

namespace otlp_arrow {
namespace {

constexpr char kSegmentMagic[8] = {'O', 'T', 'L', 'P', 'J', 'R', 'N', '1'};
constexpr uint32_t kRecordMagic = 0x4452'544f;  // "OTRD"
constexpr uint64_t kAlignment = 8;
constexpr std::string_view kSegmentSuffix = ".journal";
constexpr uint64_t kSpaceCheckEvery = 256 << 10;
constexpr size_t kFreeSegmentsKept = 4;
constexpr uint64_t kReleaseActiveAt = 256 << 10;

struct SegmentHeader {
  char magic[8];
  uint64_t number;
  uint64_t first_sequence;
  uint64_t unused[4];
  uint64_t hash;  // of the 56 bytes before it, seeded with `number`
};
static_assert(sizeof(SegmentHeader) == 64);

struct RecordHeader {
  uint32_t magic;
  uint8_t signal;
  uint8_t unused[3];
  uint64_t sequence;
  uint64_t size;      // of the request
  uint64_t items;
  uint64_t rejected_items;
  uint64_t request_hash;
  int64_t time;       // of the append, nanoseconds since 1970
  uint64_t hash;  // of the 56 bytes before it, seeded with the segment's number
};
static_assert(sizeof(RecordHeader) == 64);
static_assert(offsetof(RecordHeader, hash) == 56 && offsetof(SegmentHeader, hash) == 56);

uint64_t Padded(uint64_t size) { return (size + kAlignment - 1) & ~(kAlignment - 1); }

template <class Header>
uint64_t HashOf(const Header& header, uint64_t number) {
  return XXH3_64bits_withSeed(&header, offsetof(Header, hash), number);
}

template <class Header>
std::string_view Bytes(const Header& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

std::optional<uint64_t> SegmentNumber(const std::string& name) {
  if (!name.ends_with(kSegmentSuffix)) return std::nullopt;
  uint64_t number = 0;
  const char* end = name.data() + name.size() - kSegmentSuffix.size();
  auto [stop, error] = std::from_chars(name.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

std::string SegmentName(uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof(name), "%010llu", static_cast<unsigned long long>(number));
  return name + std::string(kSegmentSuffix);
}

// Numbers are given out one after the other.
std::string SegmentBefore(const std::string& path, uint64_t number) {
  return path.substr(0, path.rfind('/') + 1) + SegmentName(number - 1);
}

std::string MissingText(uint64_t first, uint64_t last) {
  return "records " + std::to_string(first) + " to " + std::to_string(last) + " are missing";
}

// A header that proves itself: magic, hash, a length that fits, a known signal.
bool IsRecord(std::string_view segment, uint64_t at, uint64_t number, RecordHeader* header) {
  if (segment.size() - at < sizeof(RecordHeader)) return false;
  std::memcpy(header, segment.data() + at, sizeof(RecordHeader));
  return header->magic == kRecordMagic && header->hash == HashOf(*header, number) && header->signal < kSignalCount;
}

bool IsWhole(std::string_view segment, uint64_t at, const RecordHeader& header) {
  const uint64_t left = segment.size() - at - sizeof(RecordHeader);
  if (header.size > left) return false;
  const char* request = segment.data() + at + sizeof(RecordHeader);
  return XXH3_64bits(request, header.size) == header.request_hash;
}

// ReadJournalSegment of bytes that were read.
Status ReadRecords(const std::string& path, std::string_view segment, bool newest, uint64_t* expected_sequence,
                   const std::function<Status(const JournalRecord&)>& on_record, std::vector<JournalDamage>* damage) {
  auto report = [&](const std::string& what) { damage->push_back({path, what}); };
  SegmentHeader head{};
  if (segment.size() < sizeof(head)) {
    // A segment that was being created when its writer died.
    if (!newest) report("the file has only " + std::to_string(segment.size()) + " bytes");
    return Status::Ok();
  }
  std::memcpy(&head, segment.data(), sizeof(head));
  const std::string name = path.substr(path.rfind('/') + 1);
  const uint64_t number = SegmentNumber(name).value_or(0);
  const bool header_ok = std::memcmp(head.magic, kSegmentMagic, sizeof(kSegmentMagic)) == 0 && head.number == number &&
                         head.hash == HashOf(head, number);
  if (!header_ok && !newest) report("its header is damaged");
  uint64_t at = sizeof(head);
  uint64_t gap_from = 0;
  RecordHeader header{};
  while (at + sizeof(RecordHeader) <= segment.size()) {
    if (!IsRecord(segment, at, number, &header) || !IsWhole(segment, at, header) ||
        (*expected_sequence != 0 && header.sequence < *expected_sequence)) {
      // Either the end of what was written, or damage with whole records behind it: look for the next one.
      if (gap_from == 0) gap_from = at;
      at += kAlignment;
      continue;
    }
    if (gap_from != 0) {
      report("bytes " + std::to_string(gap_from) + " to " + std::to_string(at) + " are damaged");
      gap_from = 0;
    }
    if (*expected_sequence != 0 && header.sequence > *expected_sequence) {
      // Those before this segment's first were lost with the end of the one before it.
      const uint64_t own = header_ok ? std::clamp(head.first_sequence, *expected_sequence, header.sequence) : *expected_sequence;
      if (own > *expected_sequence) damage->push_back({SegmentBefore(path, number), MissingText(*expected_sequence, own - 1)});
      if (header.sequence > own) report(MissingText(own, header.sequence - 1));
    }
    JournalRecord record;
    record.sequence = header.sequence;
    record.signal = static_cast<Signal>(header.signal);
    record.items = static_cast<int64_t>(header.items);
    record.rejected_items = static_cast<int64_t>(header.rejected_items);
    record.request = segment.substr(at + sizeof(RecordHeader), header.size);
    *expected_sequence = header.sequence + 1;
    OTLP_RETURN_NOT_OK(on_record(record));
    at += sizeof(RecordHeader) + Padded(header.size);
  }
  return Status::Ok();
}

}  // namespace

Status ReadJournalSegment(const std::string& path, bool newest, uint64_t* expected_sequence,
                          const std::function<Status(const JournalRecord&)>& on_record, std::vector<JournalDamage>* damage) {
  OTLP_ASSIGN_OR_RETURN(const std::string segment, platform::ReadFile(path, SIZE_MAX));
  return ReadRecords(path, segment, newest, expected_sequence, on_record, damage);
}

Status ReadJournalRange(const std::vector<JournalPart>& parts, Signal signal, uint64_t first, uint64_t last,
                        const std::function<Status(const JournalRecord&)>& on_record) {
  auto select = [&](const JournalRecord& record) {
    return record.signal == signal && record.sequence >= first && record.sequence <= last ? on_record(record) : Status::Ok();
  };
  std::vector<JournalDamage> damage;
  for (const JournalPart& part : parts) {
    OTLP_ASSIGN_OR_RETURN(const platform::File file, platform::File::Open(part.path, platform::File::Mode::kRead));
    OTLP_ASSIGN_OR_RETURN(const std::string segment, file.ReadAt(0, part.size));
    uint64_t expected = 0;
    OTLP_RETURN_NOT_OK(ReadRecords(part.path, segment, true, &expected, select, &damage));
  }
  if (!damage.empty()) return Status::Io("the journal segment '" + damage[0].path + "' was damaged while in use: " + damage[0].what);
  return Status::Ok();
}

namespace {

// Takes what it can of one segment; `full` where a record no longer fits.
Status ReadOn(const JournalSegment& segment, Signal signal, const JournalBatchLimits& limits, uint64_t* offset, JournalBatch* batch, bool* full) {
  constexpr size_t kWindow = 256 << 10;
  uint64_t at = std::max<uint64_t>(*offset, sizeof(SegmentHeader));
  std::string window;
  uint64_t window_at = 0;
  auto load = [&](uint64_t from, size_t size) -> Status {
    if (from >= window_at && from + size <= window_at + window.size()) return Status::Ok();
    OTLP_ASSIGN_OR_RETURN(window, segment.file->ReadAt(from, std::min<uint64_t>(std::max(size, kWindow), segment.size - from)));
    window_at = from;
    return window.size() >= size ? Status::Ok() : Status::Io("the journal segment '" + segment.file->path() + "' is shorter than it was");
  };
  while (at + sizeof(RecordHeader) <= segment.size) {
    OTLP_RETURN_NOT_OK(load(at, sizeof(RecordHeader)));
    RecordHeader header{};
    const bool is_record = IsRecord(window, at - window_at, segment.number, &header) && header.size <= segment.size - at - sizeof(RecordHeader);
    if (!is_record) {
      batch->damaged_bytes += kAlignment;
      at += kAlignment;
      continue;
    }
    const uint64_t next = at + sizeof(RecordHeader) + Padded(header.size);
    if (static_cast<Signal>(header.signal) == signal) {
      const bool alone = limits.rejected_alone && header.rejected_items > 0;
      if (!batch->empty() && (alone || batch->requests.size() + header.size > limits.bytes)) {
        *full = true;
        break;
      }
      OTLP_RETURN_NOT_OK(load(at, sizeof(RecordHeader) + header.size));
      const auto request = std::string_view(window).substr(at - window_at + sizeof(RecordHeader), header.size);
      if (XXH3_64bits(request.data(), request.size()) == header.request_hash) {
        batch->records.push_back({header.sequence, batch->requests.size(), request.size(), static_cast<int64_t>(header.items),
                                  static_cast<int64_t>(header.rejected_items), header.time});
        batch->requests.append(request);
      } else {
        batch->damaged_bytes += header.size;
      }
      if (alone && !batch->empty()) {
        at = next;
        *full = true;
        break;
      }
    }
    at = next;
  }
  *offset = std::min(at, segment.size);
  return Status::Ok();
}

}  // namespace

Result<JournalBatch> ReadJournalBatch(const std::vector<JournalSegment>& segments, Signal signal, const JournalBatchLimits& limits,
                                      JournalCursor* cursor) {
  JournalBatch batch;
  JournalCursor next = *cursor;
  for (const JournalSegment& segment : segments) {
    if (segment.number < next.segment) continue;
    if (segment.number > next.segment) next = {segment.number, 0};
    bool full = false;
    OTLP_RETURN_NOT_OK(ReadOn(segment, signal, limits, &next.offset, &batch, &full));
    if (full) break;
  }
  *cursor = next;
  return batch;
}

Result<std::vector<std::string>> ListJournalSegments(const std::string& writer_dir) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(writer_dir));
  std::vector<std::string> paths;
  for (const auto& entry : entries) {
    if (SegmentNumber(entry.name)) paths.push_back(writer_dir + "/" + entry.name);
  }
  return paths;  // the numbers are zero-padded: sorted by name is sorted by age
}

Result<JournalSummary> SummarizeJournalSegment(const std::string& path, uint64_t after) {
  constexpr size_t kWindow = 64 << 10;
  JournalSummary summary;
  summary.number = SegmentNumber(path.substr(path.rfind('/') + 1)).value_or(0);
  OTLP_ASSIGN_OR_RETURN(const platform::File file, platform::File::Open(path, platform::File::Mode::kRead));
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  std::string window;
  uint64_t window_at = 0;
  RecordHeader header{};
  for (uint64_t at = sizeof(SegmentHeader); at + sizeof(RecordHeader) <= size;) {
    if (at < window_at || at + sizeof(RecordHeader) > window_at + window.size()) {
      OTLP_ASSIGN_OR_RETURN(window, file.ReadAt(at, kWindow));
      window_at = at;
      if (window.size() < sizeof(RecordHeader)) break;  // cut off meanwhile
    }
    if (!IsRecord(window, at - window_at, summary.number, &header) || header.size > size - at - sizeof(RecordHeader)) {
      at += kAlignment;
      continue;
    }
    at = std::min(size, at + sizeof(RecordHeader) + Padded(header.size));
    summary.size = at;
    summary.last[header.signal] = header.sequence;
    if (summary.first_time == 0) summary.first_time = header.time;
    if (header.sequence <= after) continue;
    summary.items[header.signal] += static_cast<int64_t>(header.items);
    summary.bytes[header.signal] += header.size;
  }
  return summary;
}

namespace {

// 0 where the header cannot be read.
uint64_t FirstSequenceOf(const std::string& path) {
  const auto file = platform::File::Open(path, platform::File::Mode::kRead);
  const auto bytes = file.ok() ? file->ReadAt(0, sizeof(SegmentHeader)) : Result<std::string>(file.status());
  SegmentHeader header{};
  if (!bytes.ok() || bytes->size() < sizeof(header)) return 0;
  std::memcpy(&header, bytes->data(), sizeof(header));
  const bool ok = std::memcmp(header.magic, kSegmentMagic, sizeof(kSegmentMagic)) == 0 && header.hash == HashOf(header, header.number) &&
                  SegmentNumber(path.substr(path.rfind('/') + 1)) == header.number;
  return ok ? header.first_sequence : 0;
}

}  // namespace

std::vector<std::string> WithoutStoredSegments(std::vector<std::string> paths, uint64_t stored_through) {
  if (stored_through == 0) return paths;
  size_t stored = 0;
  while (stored + 1 < paths.size()) {
    const uint64_t next = FirstSequenceOf(paths[stored + 1]);
    if (next == 0 || next > stored_through + 1) break;
    ++stored;
  }
  paths.erase(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(stored));
  return paths;
}

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

void Journal::Retire(Segment&& segment) {
  free_.push_back(std::move(segment));
  if (free_.size() <= kFreeSegmentsKept) return;
  (void)platform::Remove(SegmentPath(free_.front().number));
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

void Journal::Release(const StoredSequences& stored) {
  stored_ = stored;
  MarkHeld();
  ReleaseSegments();
}

void Journal::SetForwarded(const StoredSequences& forwarded) {
  forwarded_ = forwarded;
  ReleaseSegments();
}

void Journal::ReleaseSegments() {
  // The one that is written to goes too when it is worth it; the new one then takes its place in the file it frees.
  // One that is only held for what is not yet forwarded is left when it takes a good part of what may be in use.
  const Segment& active = segments_.back();
  const uint64_t large = std::max(std::min(options_.segment_bytes, options_.max_bytes) / 4, kReleaseActiveAt);
  if (active.size >= kReleaseActiveAt && (MayGo(active) || (active.size >= large && IsBehind(active, stored_)))) (void)StartSegment();
  while (segments_.size() > 1 && MayGo(segments_.front())) {
    bytes_ -= segments_.front().size;
    if (segments_.front().held) bytes_held_ -= segments_.front().size;
    Retire(std::move(segments_.front()));
    segments_.pop_front();
  }
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
