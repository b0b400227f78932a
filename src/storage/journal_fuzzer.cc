// A journal segment that was written, then damaged, to both of its readers: whatever they hand out is what was written.
//
// Input: how many records (byte), for each a signal and a length (bytes), then damage: offset (two bytes) and value each.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <unistd.h>

#include "base/platform/platform.h"
#include "storage/journal.h"

namespace otlp_arrow {
namespace {

struct Written {
  Signal signal;
  std::string request;
};

class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}
  bool empty() const { return left_ == 0; }
  uint8_t Byte() {
    if (left_ == 0) return 0;
    --left_;
    return *data_++;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

void Require(bool condition) {
  if (!condition) std::abort();
}

const std::string& Folder() {
  static const std::string folder = [] {
    const std::string path = "/tmp/otlp-arrow-journal-fuzzer-" + std::to_string(::getpid());
    Require(platform::CreateDirectories(path).ok());
    return path;
  }();
  return folder;
}

std::vector<Written> Write(Input* input) {
  std::vector<Written> written;
  auto journal = Journal::Create(Folder());
  Require(journal.ok());
  for (int records = input->Byte() % 16; records > 0; --records) {
    const auto signal = static_cast<Signal>(input->Byte() % kSignalCount);
    const uint8_t length = input->Byte();
    written.push_back({signal, std::string(length, static_cast<char>('a' + records))});
    Require((*journal)->Append(signal, written.back().request, length % 7, length % 11 == 0 ? 1 : 0).ok());
  }
  return written;
}

// The size of the file afterwards.
uint64_t Damage(const std::string& path, Input* input) {
  auto file = platform::File::Open(path, platform::File::Mode::kReadWrite);
  Require(file.ok());
  const uint64_t size = *file->Size();
  while (!input->empty()) {
    const uint64_t offset = input->Byte() | input->Byte() << 8;
    const char value = static_cast<char>(input->Byte());
    if (offset < size) Require(file->WriteAt(offset, std::string_view(&value, 1)).ok());
  }
  return size;
}

void CheckRecord(const std::vector<Written>& written, uint64_t sequence, Signal signal, std::string_view request) {
  Require(sequence >= 1 && sequence <= written.size());
  Require(written[sequence - 1].signal == signal && written[sequence - 1].request == request);
}

void ReadWhole(const std::string& path, const std::vector<Written>& written, bool is_damaged) {
  uint64_t expected = 0;
  size_t records = 0;
  std::vector<JournalDamage> damage;
  const Status status = ReadJournalSegment(
      path, true, &expected,
      [&](const JournalRecord& r) {
        CheckRecord(written, r.sequence, r.signal, r.request);
        ++records;
        return Status::Ok();
      },
      &damage);
  Require(is_damaged || (status.ok() && damage.empty() && records == written.size()));
}

void ReadAlong(const std::string& path, uint64_t size, const std::vector<Written>& written, bool is_damaged) {
  auto opened = platform::File::Open(path, platform::File::Mode::kRead);
  Require(opened.ok());
  const auto file = std::make_shared<const platform::File>(*std::move(opened));
  size_t records = 0;
  for (Signal signal : kAllSignals) {
    JournalCursor cursor;
    for (;;) {
      const auto batch = ReadJournalBatch({{1, file, size}}, signal, {.bytes = 300, .rejected_alone = true}, &cursor);
      Require(batch.ok());
      if (batch->empty()) break;
      for (const auto& record : batch->records) CheckRecord(written, record.sequence, signal, batch->RequestOf(record));
      records += batch->records.size();
    }
  }
  Require(is_damaged || records == written.size());
}

}  // namespace
}  // namespace otlp_arrow

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace otlp_arrow;  // NOLINT
  Input input(data, size);
  const std::vector<Written> written = Write(&input);
  const auto segments = ListJournalSegments(Folder());
  Require(segments.ok() && segments->size() == 1);
  const bool is_damaged = !input.empty();
  const uint64_t bytes = Damage(segments->front(), &input);
  ReadWhole(segments->front(), written, is_damaged);
  ReadAlong(segments->front(), bytes, written, is_damaged);
  Require(::unlink(segments->front().c_str()) == 0);
  return 0;
}
