// A writer's ledger on disk: how `inspect` knows, and how the one who adopts a dead writer's journal goes on counting.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/journal.h"
#include "storage/layout.h"
#include "storage/ledger.h"

namespace otlp_arrow {

struct LedgerSnapshot {
  Ledger ledger;
  std::string writer;
  // Records up to here are counted in `ledger` as received.
  uint64_t last_sequence = 0;
  // Records up to here are in published files, by signal.
  StoredSequences stored_sequences{};
  // Records up to here are in published files, whatever their signal: segments that end before need not be read for rows.
  uint64_t stored_through = 0;
  // Writers whose counts are in this ledger too; their own files, where still there, no longer count.
  std::vector<std::string> includes;
};

std::string SnapshotToJson(const LedgerSnapshot& snapshot);
// Errors: kIo, naming what is wrong with the text.
Result<LedgerSnapshot> SnapshotFromJson(std::string_view json);

// Replaces <output_dir>/ledger/<writer>.json.
Status WriteLedgerFile(const StoreLayout& layout, const LedgerSnapshot& snapshot, bool sync);
// An empty snapshot where the file is missing or unreadable: counts may be lost, data never depends on it.
LedgerSnapshot ReadLedgerFile(const StoreLayout& layout, const std::string& writer);

struct DirectoryLedger {
  Ledger sum;
  int64_t files = 0;
  std::vector<std::pair<std::string, std::string>> damaged;  // path, and what is wrong with it
};
// The sum of all ledgers of a directory, with what the journals that are there tell of their destinations; empty where it has none.
DirectoryLedger ReadDirectoryLedger(const StoreLayout& layout);

// Sums the ledgers of writers that are gone (they have no journal any more) into one file, <output_dir>/ledger/folded.json,
// once there are more than `keep` of them: each process leaves one. A crash at any point leaves the same sum. The caller
// holds LedgersLock.
Status FoldLedgers(const StoreLayout& layout, size_t keep);

}  // namespace otlp_arrow
