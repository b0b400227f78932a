// Reading journals: whole segments, ranges of records, on and on beside the writer, and headers alone.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "storage/journal.h"
#include "storage/journal_format.h"

namespace otlp_arrow {
namespace {

using namespace journal_format;  // NOLINT: the vocabulary of this file

// Numbers are given out one after the other.
std::string SegmentBefore(const std::string& path, uint64_t number) {
  return path.substr(0, path.rfind('/') + 1) + SegmentName(number - 1);
}

std::string MissingText(uint64_t first, uint64_t last) {
  return "records " + std::to_string(first) + " to " + std::to_string(last) + " are missing";
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
  std::unique_ptr<char[]> memory;
  size_t capacity = 0;
  std::string_view window;
  uint64_t window_at = 0;
  auto load = [&](uint64_t from, size_t size) -> Status {
    if (from >= window_at && from + size <= window_at + window.size()) return Status::Ok();
    const size_t wanted = std::min<uint64_t>(std::max(size, kWindow), segment.size - from);
    if (wanted > capacity) {
      memory = std::make_unique_for_overwrite<char[]>(wanted);
      capacity = wanted;
    }
    OTLP_ASSIGN_OR_RETURN(const size_t read, segment.file->ReadInto(from, memory.get(), wanted));
    window = {memory.get(), read};
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
      const std::string_view request = window.substr(at - window_at + sizeof(RecordHeader), header.size);
      if (XXH3_64bits(request.data(), request.size()) == header.request_hash) {
        batch->records.push_back({header.sequence, batch->requests.size(), request.size(), static_cast<int64_t>(header.items),
                                  static_cast<int64_t>(header.rejected_items), header.time});
        if (batch->requests.empty()) batch->requests.reserve(std::max<size_t>(request.size(), std::min<uint64_t>(limits.bytes, segment.size - at)));
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
  constexpr size_t kWindow = 4 << 10;  // headers are wanted: of larger requests most is not read
  JournalSummary summary;
  summary.number = SegmentNumber(path.substr(path.rfind('/') + 1)).value_or(0);
  OTLP_ASSIGN_OR_RETURN(const platform::File file, platform::File::Open(path, platform::File::Mode::kRead));
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  std::array<char, kWindow> memory;
  std::string_view window;
  uint64_t window_at = 0;
  RecordHeader header{};
  for (uint64_t at = sizeof(SegmentHeader); at + sizeof(RecordHeader) <= size;) {
    if (at < window_at || at + sizeof(RecordHeader) > window_at + window.size()) {
      OTLP_ASSIGN_OR_RETURN(const size_t read, file.ReadInto(at, memory.data(), memory.size()));
      window = {memory.data(), read};
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

}  // namespace otlp_arrow
