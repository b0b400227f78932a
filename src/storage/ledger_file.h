// A writer's ledger on disk: how `inspect` knows, and how the one who adopts a dead writer's journal goes on counting.
#pragma once

#include <string>
#include <string_view>

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
};

std::string SnapshotToJson(const LedgerSnapshot& snapshot);
// Errors: kIo, naming what is wrong with the text.
Result<LedgerSnapshot> SnapshotFromJson(std::string_view json);

// Replaces <output_dir>/ledger/<writer>.json.
Status WriteLedgerFile(const StoreLayout& layout, const LedgerSnapshot& snapshot, bool sync);
// An empty snapshot where the file is missing or unreadable: counts may be lost, data never depends on it.
LedgerSnapshot ReadLedgerFile(const StoreLayout& layout, const std::string& writer);
// The sum of all ledgers of a directory.
Result<Ledger> ReadDirectoryLedger(const StoreLayout& layout);

}  // namespace otlp_arrow
