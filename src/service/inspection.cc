#include "service/inspection.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/platform/platform.h"
#include "query/stored_files.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"
#include "storage/layout.h"
#include "storage/ledger_file.h"
#include "storage/writer_directory.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;

struct TimeColumns {
  const char* first;
  const char* last;
};
TimeColumns TimeColumnsOf(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return {"start_time", "end_time"};
    case Signal::kMetrics: return {"time", "time"};
    case Signal::kLogs: return {"time", "observed_time"};
  }
  return {"time", "time"};
}

// What is read of each file: the rest of the columns stays on the disk.
const std::vector<std::string> kInspectedColumns = {"start_time", "end_time", "time", "observed_time", "service_name"};

// Widens the range by the values of a timestamp column; 0 is OTLP's "unknown".
void AddTimes(const arrow::RecordBatch& batch, const char* name, InspectedSignal* result) {
  const auto column = batch.GetColumnByName(name);
  if (column == nullptr || column->type_id() != arrow::Type::TIMESTAMP) return;
  const auto& times = static_cast<const arrow::TimestampArray&>(*column);
  for (int64_t i = 0; i < times.length(); ++i) {
    if (times.IsNull(i) || times.Value(i) == 0) continue;
    const int64_t time = times.Value(i);
    if (!result->first_time || time < *result->first_time) result->first_time = time;
    if (!result->last_time || time > *result->last_time) result->last_time = time;
  }
}

void AddServices(const arrow::RecordBatch& batch, std::map<std::string, int64_t>* services) {
  const auto column = batch.GetColumnByName("service_name");
  if (column == nullptr || column->type_id() != arrow::Type::DICTIONARY) return;
  const auto& names = static_cast<const arrow::DictionaryArray&>(*column);
  if (names.dictionary()->type_id() != arrow::Type::STRING) return;
  const auto& texts = static_cast<const arrow::StringArray&>(*names.dictionary());
  std::vector<int64_t> counts(static_cast<size_t>(texts.length()));
  int64_t without = 0;
  for (int64_t i = 0; i < names.length(); ++i) {
    if (names.IsNull(i)) {
      ++without;
    } else {
      ++counts[static_cast<size_t>(names.GetValueIndex(i))];
    }
  }
  if (without > 0) (*services)[""] += without;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) (*services)[texts.GetString(static_cast<int64_t>(i))] += counts[i];
  }
}

void Add(const InspectedSignal& file, InspectedSignal* sum) {
  sum->files += file.files;
  sum->rows += file.rows;
  sum->bytes += file.bytes;
  if (file.first_time && (!sum->first_time || *file.first_time < *sum->first_time)) sum->first_time = file.first_time;
  if (file.last_time && (!sum->last_time || *file.last_time > *sum->last_time)) sum->last_time = file.last_time;
  for (const auto& [name, rows] : file.services) sum->services[name] += rows;
  sum->columns = file.columns;
}

// Counts one file as a whole, or not at all.
Status InspectFile(const std::string& path, Inspection* inspection) {
  OTLP_ASSIGN_OR_RETURN(StoredFile file, StoredFile::Open(path, kInspectedColumns));
  InspectedSignal result;
  result.files = 1;
  result.bytes = file.bytes();
  const TimeColumns times = TimeColumnsOf(file.signal());
  for (int i = 0; i < file.batch_count(); ++i) {
    OTLP_ASSIGN_OR_RETURN(auto batch, file.ReadBatch(i));
    result.rows += batch->num_rows();
    AddTimes(*batch, times.first, &result);
    AddTimes(*batch, times.last, &result);
    AddServices(*batch, &result.services);
  }
  for (const auto& f : file.schema()->fields()) result.columns.emplace_back(f->name(), f->type()->ToString());
  Add(result, &(*inspection)[file.signal()]);
  return Status::Ok();
}

void SumLedgers(const StoreLayout& layout, Inspection* inspection) {
  DirectoryLedger ledger = ReadDirectoryLedger(layout);
  inspection->ledgers += ledger.files;
  inspection->ledger += ledger.sum;
  for (auto& [path, what] : ledger.damaged) inspection->damaged.push_back({std::move(path), std::move(what)});
}

bool IsAtWork(const StoreLayout& layout, const std::string& writer) {
  if (!platform::Exists(layout.WriterLock(writer))) return false;
  const auto lock = platform::FileLock::TryLock(layout.WriterLock(writer));
  return lock.ok() && !*lock;
}

// The items behind the last known stored position of each signal.
int64_t CountUnstored(const StoreLayout& layout, const std::string& writer, std::vector<DamagedFile>* damaged) {
  const LedgerSnapshot ledger = ReadLedgerFile(layout, writer);
  const StoredSequences& stored = ledger.stored_sequences;
  auto segments = ListJournalSegments(layout.WriterDir(writer));
  if (segments.ok()) segments = WithoutStoredSegments(*std::move(segments), ledger.stored_through);
  int64_t items = 0;
  uint64_t expected = 0;
  std::vector<JournalDamage> damage;
  for (size_t i = 0; segments.ok() && i < segments->size(); ++i) {
    const auto count = [&](const JournalRecord& record) {
      if (record.sequence > stored[static_cast<size_t>(record.signal)]) items += record.items;
      return Status::Ok();
    };
    const Status status = ReadJournalSegment((*segments)[i], i + 1 == segments->size(), &expected, count, &damage);
    if (!status.ok()) damaged->push_back({(*segments)[i], status.message()});
  }
  for (const auto& d : damage) damaged->push_back({d.path, d.what});
  return items;
}

void SurveyJournals(const StoreLayout& layout, Inspection* inspection) {
  const auto entries = platform::ListDirectory(layout.JournalsDir());
  if (!entries.ok()) return;
  for (const auto& entry : *entries) {
    if (!entry.is_directory || entry.name[0] == kUnfinishedPrefix) continue;
    const auto positions = ForwardSnapshot::Take(layout.WriterDir(entry.name));
    if (IsAtWork(layout, entry.name)) {
      ++inspection->live_journals;
    } else if (positions && positions->is_relay) {
      ++inspection->left_journals;  // nothing of it is to be in a file
    } else {
      ++inspection->left_journals;
      inspection->left_items += CountUnstored(layout, entry.name, &inspection->damaged);
    }
  }
}

void SurveyLeftOvers(const StoreLayout& layout, Inspection* inspection) {
  const auto writers = platform::ListDirectory(layout.LeftOversDir());
  if (!writers.ok()) return;
  for (const auto& writer : *writers) {
    if (!writer.is_directory) continue;
    ++inspection->unsent_journals;
    const auto segments = platform::ListDirectory(layout.LeftOverDir(writer.name));
    for (const auto& segment : segments.ok() ? *segments : std::vector<platform::DirectoryEntry>()) {
      if (segment.name.ends_with(".journal")) inspection->unsent_bytes += static_cast<int64_t>(segment.size);
    }
  }
}

// What recovery could not read and put aside.
void ListDamagedDir(const fs::path& directory, Inspection* inspection) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    inspection->damaged.push_back({entry.path().string(), "put aside by recovery"});
  }
}

}  // namespace

Result<Inspection> Inspect(const std::string& path) {
  Inspection inspection;
  inspection.path = path;
  OTLP_ASSIGN_OR_RETURN(const auto files, FindStoredFiles(path));
  for (const auto& f : files) {
    const Status status = InspectFile(f, &inspection);
    std::error_code ignored;
    // Retention may delete a file while this runs.
    if (!status.ok() && fs::exists(f, ignored)) inspection.damaged.push_back({f, status.message()});
  }
  const StoreLayout layout(path);
  SumLedgers(layout, &inspection);
  SurveyJournals(layout, &inspection);
  SurveyLeftOvers(layout, &inspection);
  ListDamagedDir(layout.DamagedDir(), &inspection);
  return inspection;
}

}  // namespace otlp_arrow
