#include "query/store_snapshot.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include <arrow/io/file.h>

#include "base/platform/directory_swap.h"
#include "base/platform/platform.h"
#include "query/stored_files.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"
#include "storage/ledger_file.h"
#include "storage/writer_directory.h"

namespace otlp_arrow {
namespace {

using Sequences = std::map<uint64_t, JournaledRequest>;
using Journals = std::map<std::string, Sequences>;  // by writer

// A segment that is not there any more was stored and used again, or its writer has ended: its items are in files.
Status ReadSegment(const std::string& path, Signal signal, uint64_t stored, Sequences* records) {
  auto keep = [&](const JournalRecord& record) {
    if (record.signal == signal && record.sequence > stored) {
      records->insert_or_assign(record.sequence,
                                JournaledRequest{std::string(record.request), record.items, record.rejected_items > 0});
    }
    return Status::Ok();
  };
  // A live segment's end may be half written; what is damaged in a dead one is recovery's to judge.
  std::vector<JournalDamage> ignored;
  uint64_t expected = 0;
  Status status = ReadJournalSegment(path, true, &expected, keep, &ignored);
  return status.ok() || !platform::Exists(path) ? Status::Ok() : status;
}

uint64_t LastStored(const StoreLayout& layout, const std::string& writer, Signal signal) {
  return ReadLedgerFile(layout, writer).stored_sequences[static_cast<size_t>(signal)];
}

bool IsRelay(const std::string& writer_dir) {
  const auto positions = ForwardSnapshot::Take(writer_dir);
  return positions && positions->is_relay;
}

Result<Journals> ReadJournals(const StoreLayout& layout, Signal signal) {
  Journals journals;
  OTLP_ASSIGN_OR_RETURN(const auto writers, platform::ListDirectory(layout.JournalsDir()));
  for (const auto& writer : writers) {
    if (!writer.is_directory || writer.name[0] == kUnfinishedPrefix) continue;
    if (IsRelay(layout.WriterDir(writer.name))) continue;  // none of it is a row of this store
    OTLP_ASSIGN_OR_RETURN(auto segments, ListJournalSegments(layout.WriterDir(writer.name)));
    // Segments that wait to be forwarded or to be used again are full of what is stored: it need not be read.
    const LedgerSnapshot ledger = ReadLedgerFile(layout, writer.name);
    const uint64_t stored = ledger.stored_sequences[static_cast<size_t>(signal)];
    segments = WithoutStoredSegments(std::move(segments), ledger.stored_through);
    for (const auto& path : segments) OTLP_RETURN_NOT_OK(ReadSegment(path, signal, stored, &journals[writer.name]));
  }
  return journals;
}

// What the ledger says is in files: also files that retention has deleted.
void DropStored(const StoreLayout& layout, Signal signal, Journals* journals) {
  for (auto& [writer, records] : *journals) {
    records.erase(records.begin(), records.upper_bound(LastStored(layout, writer, signal)));
  }
}

void DropInFile(const std::string& path, Journals* journals) {
  const auto name = DataFileName::Parse(path.substr(path.rfind('/') + 1));
  if (!name) return;
  const auto found = journals->find(name->writer);
  if (found == journals->end()) return;
  Sequences& records = found->second;
  records.erase(records.lower_bound(name->range.first), records.upper_bound(name->range.last));
}

// Descriptors are scarce: 1024 is the usual limit of a process. Of one snapshot, and of all there are.
constexpr size_t kMostOpen = 128;
constexpr int kMostOpenTogether = 256;
constexpr int kMostListings = 20;
std::atomic<int> open_together{0};

// Gives its place back once it is closed.
InputFile Counted(std::shared_ptr<arrow::io::ReadableFile> file) {
  open_together.fetch_add(1);
  arrow::io::RandomAccessFile* raw = file.get();
  return {raw, [file = std::move(file)](arrow::io::RandomAccessFile*) mutable {
            file.reset();
            open_together.fetch_sub(1);
          }};
}

// Opens the first files. One that cannot be opened because of itself is told about when its turn comes; false where one is gone.
bool OpenFirst(StoreSnapshot* snapshot) {
  snapshot->inputs.clear();
  for (size_t i = 0; i < std::min(kMostOpen, snapshot->files.size()) && open_together.load() < kMostOpenTogether; ++i) {
    auto input = arrow::io::ReadableFile::Open(snapshot->files[i]);
    if (!input.ok() && !platform::Exists(snapshot->files[i])) return false;
    snapshot->inputs.push_back(input.ok() ? Counted(*std::move(input)) : nullptr);
  }
  return true;
}

}  // namespace

Result<StoreSnapshot> TakeFileSnapshot(const std::string& path) {
  StoreSnapshot snapshot;
  for (int i = 0; i < kMostListings; ++i) {
    OTLP_ASSIGN_OR_RETURN(snapshot.files, FindStoredFiles(path));
    if (OpenFirst(&snapshot)) break;  // else retention or compaction was faster
  }
  return snapshot;
}

namespace {

Result<StoreSnapshot> TakeOnce(const StoreLayout& layout, Signal signal, bool include_journal) {
  StoreSnapshot snapshot;
  Journals journals;
  if (include_journal) {
    OTLP_ASSIGN_OR_RETURN(journals, ReadJournals(layout, signal));
    DropStored(layout, signal, &journals);
  }
  if (platform::Exists(layout.DataDir(signal))) {
    OTLP_ASSIGN_OR_RETURN(snapshot, TakeFileSnapshot(layout.DataDir(signal)));
  }
  for (const auto& path : snapshot.files) DropInFile(path, &journals);
  for (auto& [writer, records] : journals) {
    for (auto& [sequence, request] : records) snapshot.requests.push_back(std::move(request));
  }
  return snapshot;
}

}  // namespace

Result<StoreSnapshot> TakeSnapshot(const StoreLayout& layout, Signal signal, bool include_journal) {
  for (int i = 1;; ++i) {
    const platform::DirectoryWatch watch(layout.DataDir(signal));
    OTLP_ASSIGN_OR_RETURN(StoreSnapshot snapshot, TakeOnce(layout, signal, include_journal));
    // Merged files name no journal positions: what was read of a journal may be in one that came meanwhile.
    if (!include_journal || i == kMostListings || !watch.WasReplaced()) return snapshot;
  }
}

}  // namespace otlp_arrow
