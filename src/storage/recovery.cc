#include "storage/recovery.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>
#include <utility>

#include "base/platform/platform.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"
#include "storage/ledger_file.h"
#include "storage/replay_lanes.h"
#include "storage/signal_writer.h"
#include "storage/writer_directory.h"

namespace otlp_arrow {
namespace {

// What becomes one file: chunks wait in memory, two for each thread and one that is being filled.
uint64_t ChunkBytes(uint64_t max_file_bytes, size_t lanes) {
  constexpr uint64_t kLeast = 4 << 20;
  return std::min(max_file_bytes, std::max(kLeast, max_file_bytes / (4 * lanes)));
}

// Threads that there are for one journal, when `journals` are replayed at the same time.
size_t LanesFor(size_t threads, size_t journals) { return std::max<size_t>(1, threads / std::max<size_t>(1, journals)); }

// Items that are neither written, sent on nor known to be lost.
int64_t OpenItems(const SignalLedger& l) { return l.received - l.stored - l.relayed - l.expired - l.RefusedTotal() - l.InvalidTotal(); }

// Puts a damaged segment aside. One that is still to be forwarded, as far as it can be read, stays where it is, too.
Status KeepAside(const StoreLayout& layout, const std::string& writer, const std::string& path, bool stays) {
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout.DamagedDir()));
  const std::string aside = layout.DamagedDir() + "/" + writer + "-" + path.substr(path.rfind('/') + 1);
  if (!platform::Exists(path) || (stays && platform::Exists(aside))) return Status::Ok();  // moved for an earlier damage
  if (!stays) return platform::Rename(path, aside);
  std::error_code error;
  std::filesystem::copy_file(path, aside, error);
  return error ? Status::Io("cannot copy '" + path + "' to '" + aside + "': " + error.message()) : Status::Ok();
}

// A dead relay: only counted.
Status AdoptRelay(const StoreLayout& layout, const std::string& writer, const ForwardSnapshot& positions, bool sync, RecoveryReport* report) {
  LedgerSnapshot snapshot = ReadLedgerFile(layout, writer);
  OTLP_ASSIGN_OR_RETURN(const auto segments, ListJournalSegments(layout.WriterDir(writer)));
  StoredSequences last{};
  const uint64_t counted = snapshot.last_sequence;
  for (const std::string& path : segments) {
    OTLP_ASSIGN_OR_RETURN(const JournalSummary summary, SummarizeJournalSegment(path, counted));
    for (size_t s = 0; s < kSignalCount; ++s) {
      snapshot.ledger.signals[s].received += summary.items[s];
      last[s] = std::max(last[s], summary.last[s]);
      snapshot.last_sequence = std::max(snapshot.last_sequence, summary.last[s]);
    }
  }
  const bool unsent = positions.HasUnsent(last);
  for (SignalLedger& ledger : snapshot.ledger.signals) {
    ledger.in_flight = OpenItems(ledger);
    if (!unsent) ledger.relayed += std::exchange(ledger.in_flight, 0);
  }
  snapshot.ledger.destinations = positions.Counts();
  OTLP_RETURN_NOT_OK(WriteLedgerFile(layout, snapshot, sync));
  report->journals += 1;
  report->unsent += unsent ? 1 : 0;
  return unsent ? MoveToLeftOvers(layout, writer) : RemoveWriterDirectory(layout, writer);
}

// One dead writer. Its files keep its name, so that whoever comes after a crash in here sees what is done already.
class Adoption {
 public:
  Adoption(const StoreLayout& layout, std::string writer, const Config& config, std::vector<PromotedAttribute> promoted,
           std::shared_ptr<Clock> clock, size_t lanes)
      : layout_(layout),
        writer_(std::move(writer)),
        sync_(config.acknowledge == Acknowledge::kFsync),
        chunk_bytes_(ChunkBytes(config.max_file_bytes, lanes)) {
    SignalWriterOptions options;
    options.format = config.format;
    options.compression = config.compression;
    options.row_group_rows = config.parquet.row_group_rows;
    options.sync = sync_;
    options.promoted = std::move(promoted);
    for (size_t lane = 0; lane < lanes; ++lane) {
      options.resources = std::make_shared<TableFileResources>();
      options.temporary_tag = "-" + std::to_string(lane);
      for (Signal s : kAllSignals) {
        writers_.push_back(std::make_unique<SignalWriter>(s, layout_, writer_, options, clock));
      }
    }
    lanes_ = std::make_unique<ReplayLanes>(lanes, [this](size_t lane, const ReplayChunk& chunk) { return Write(lane, chunk); });
  }

  Status Run(RecoveryReport* report) {
    snapshot_ = ReadLedgerFile(layout_, writer_);
    snapshot_.writer = writer_;
    OTLP_RETURN_NOT_OK(FindPublished());
    last_ = snapshot_.stored_sequences;
    OTLP_ASSIGN_OR_RETURN(auto segments, ListJournalSegments(layout_.WriterDir(writer_)));
    segments = WithoutStoredSegments(std::move(segments), snapshot_.stored_through);
    std::vector<JournalDamage> damage;
    uint64_t expected = 0;
    for (size_t i = 0; i < segments.size(); ++i) {
      OTLP_RETURN_NOT_OK(ReadJournalSegment(
          segments[i], i + 1 == segments.size(), &expected, [&](const JournalRecord& r) { return OnRecord(r); }, &damage));
    }
    for (Signal s : kAllSignals) OTLP_RETURN_NOT_OK(GiveChunk(s));
    OTLP_RETURN_NOT_OK(lanes_->Finish());
    OTLP_RETURN_NOT_OK(Finish(damage, report));
    report->journals += 1;
    report->items_recovered += recovered_;
    report->items_already_stored += already_stored_;
    for (const auto& d : damage) report->damaged.push_back(d.path + ": " + d.what);
    return Status::Ok();
  }

 private:
  Status FindPublished() {
    for (Signal s : kAllSignals) {
      OTLP_ASSIGN_OR_RETURN(const auto files, ListDataFiles(layout_, s));
      for (const auto& file : files) {
        if (file.name.writer == writer_ && !file.name.merged) published_[static_cast<size_t>(s)].push_back(file.name.range);
      }
    }
    return Status::Ok();
  }

  bool IsPublished(Signal signal, uint64_t sequence) const {
    for (const SequenceRange& range : published_[static_cast<size_t>(signal)]) {
      if (range.Contains(sequence)) return true;
    }
    return false;
  }

  Status OnRecord(const JournalRecord& record) {
    const auto s = static_cast<size_t>(record.signal);
    SignalLedger& ledger = snapshot_.ledger.signals[s];
    if (record.sequence > snapshot_.last_sequence) {
      ledger.received += record.items;
      snapshot_.last_sequence = record.sequence;
    }
    if (record.sequence <= snapshot_.stored_sequences[s]) return Status::Ok();
    ledger.stored += record.items;
    last_[s] = record.sequence;
    if (IsPublished(record.signal, record.sequence)) {
      already_stored_ += record.items;
      return Status::Ok();
    }
    ReplayChunk& chunk = chunks_[s];
    // A file's range must not span what another file holds.
    if (!chunk.empty() && IsBroken(record.signal, chunk.last_sequence(), record.sequence)) OTLP_RETURN_NOT_OK(GiveChunk(record.signal));
    recovered_ += record.items;
    chunk.Add(record);
    return chunk.byte_size() >= chunk_bytes_ ? GiveChunk(record.signal) : Status::Ok();
  }

  Status GiveChunk(Signal signal) {
    ReplayChunk& chunk = chunks_[static_cast<size_t>(signal)];
    if (chunk.empty()) return Status::Ok();
    return lanes_->Give(std::exchange(chunk, ReplayChunk(signal)));
  }

  // On a lane's thread: a file, or several where dictionaries grow too large for one.
  Status Write(size_t lane, const ReplayChunk& chunk) {
    SignalWriter& writer = *writers_[lane * kSignalCount + static_cast<size_t>(chunk.signal())];
    Status status = chunk.ForEach([&](const JournalRecord& r) {
      OTLP_RETURN_NOT_OK(writer.Add(r.sequence, r.request, r.items, r.rejected_items > 0));
      return writer.dictionaries_full() ? Publish(&writer) : Status::Ok();
    });
    return status.ok() ? Publish(&writer) : status;
  }

  bool IsBroken(Signal signal, uint64_t from, uint64_t to) const {
    for (const SequenceRange& range : published_[static_cast<size_t>(signal)]) {
      if (range.first > from && range.last < to) return true;
    }
    return false;
  }

  static Status Publish(SignalWriter* writer) {
    PublishedFile file;
    return writer->Publish(&file);
  }

  // The counts first, then the journal: a crash between the two leaves a journal in which all is known to be stored.
  Status Finish(const std::vector<JournalDamage>& damage, RecoveryReport* report) {
    const auto positions = ForwardSnapshot::Take(layout_.WriterDir(writer_));
    for (size_t s = 0; s < kSignalCount; ++s) {
      snapshot_.stored_sequences[s] = std::max(snapshot_.stored_sequences[s], last_[s]);
      SignalLedger& ledger = snapshot_.ledger.signals[s];
      ledger.in_flight = 0;
      const int64_t missing = OpenItems(ledger);
      if (missing != 0) ledger.invalid["damaged"] += missing;
    }
    snapshot_.stored_through = std::max(snapshot_.stored_through, snapshot_.last_sequence);
    if (positions) snapshot_.ledger.destinations = positions->Counts();
    const bool unsent = positions && positions->HasUnsent(last_);
    OTLP_RETURN_NOT_OK(WriteLedgerFile(layout_, snapshot_, sync_));
    for (const auto& d : damage) OTLP_RETURN_NOT_OK(KeepAside(layout_, writer_, d.path, unsent));
    report->unsent += unsent ? 1 : 0;
    return unsent ? MoveToLeftOvers(layout_, writer_) : RemoveWriterDirectory(layout_, writer_);
  }

  const StoreLayout& layout_;
  std::string writer_;
  bool sync_;
  uint64_t chunk_bytes_;
  LedgerSnapshot snapshot_;
  std::array<std::vector<SequenceRange>, kSignalCount> published_;
  std::array<ReplayChunk, kSignalCount> chunks_ = {ReplayChunk(Signal::kTraces), ReplayChunk(Signal::kMetrics), ReplayChunk(Signal::kLogs)};
  std::vector<std::unique_ptr<SignalWriter>> writers_;  // by lane and signal
  StoredSequences last_{};  // of each signal
  int64_t recovered_ = 0, already_stored_ = 0;
  std::unique_ptr<ReplayLanes> lanes_;  // the last member: it ends before what its threads use
};

void Merge(RecoveryReport&& from, RecoveryReport* to) {
  to->journals += from.journals;
  to->items_recovered += from.items_recovered;
  to->items_already_stored += from.items_already_stored;
  to->unsent += from.unsent;
  to->damaged.insert(to->damaged.end(), from.damaged.begin(), from.damaged.end());
  to->busy.insert(to->busy.end(), from.busy.begin(), from.busy.end());
}

Status AdoptIfDead(const StoreLayout& layout, const std::string& writer, const Config& config,
                   const std::vector<PromotedAttribute>& promoted, const std::shared_ptr<Clock>& clock, size_t lanes, RecoveryReport* report) {
  if (!platform::Exists(layout.WriterDir(writer))) return Status::Ok();  // adopted by another meanwhile
  auto lock = platform::FileLock::TryLock(layout.WriterLock(writer));
  if (!lock.ok()) return platform::Exists(layout.WriterDir(writer)) ? lock.status() : Status::Ok();
  if (!*lock) {
    report->busy.push_back(writer);
    return Status::Ok();
  }
  // Another may have finished between the look and the lock; then the lock is on a deleted file.
  if (!platform::Exists(layout.WriterLock(writer))) return Status::Ok();
  if (const auto positions = ForwardSnapshot::Take(layout.WriterDir(writer)); positions && positions->is_relay) {
    return AdoptRelay(layout, writer, *positions, config.acknowledge == Acknowledge::kFsync, report);
  }
  return Adoption(layout, writer, config, promoted, clock, lanes).Run(report);
}

}  // namespace

Result<RecoveryReport> RecoverDirectory(const Config& config, std::shared_ptr<Clock> clock) {
  OTLP_ASSIGN_OR_RETURN(const auto promoted, ParsePromotedAttributes(config.promote_attributes));
  if (!clock) clock = Clock::System();
  const StoreLayout layout(config.output_dir);
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(layout.JournalsDir()));
  std::vector<std::string> writers;
  for (const auto& entry : entries) {
    if (!entry.is_directory) continue;
    if (entry.name[0] == kUnfinishedPrefix) {
      RemoveUnfinished(layout, entry.name);
    } else {
      writers.push_back(entry.name);
    }
  }
  RecoveryReport report;
  if (writers.empty()) return report;
  for (Signal s : kAllSignals) OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout.DataDir(s)));
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout.LedgersDir()));

  // Journals are independent of each other: as many at once as there are workers; what is left of those shares one journal.
  const size_t wanted = config.workers ? config.workers : std::max(1u, std::thread::hardware_concurrency());
  const size_t lanes = LanesFor(wanted, writers.size());
  std::mutex mutex;
  Status first_error;
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < writers.size(); i = next++) {
      RecoveryReport own;
      Status status = AdoptIfDead(layout, writers[i], config, promoted, clock, lanes, &own);
      std::lock_guard lock(mutex);
      Merge(std::move(own), &report);
      if (!status.ok() && first_error.ok()) first_error = status;
    }
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(wanted, writers.size()); ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
  if (!first_error.ok()) return first_error;
  return report;
}

}  // namespace otlp_arrow
