// What a directory holds of one signal at one moment: data files, and the requests that only journals have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "query/table_reader.h"
#include "storage/layout.h"

namespace otlp_arrow {

struct JournaledRequest {
  std::string bytes;
  int64_t items = 0;                // valid ones
  bool has_rejected_items = false;  // others, which the decoder skips
};

struct StoreSnapshot {
  std::vector<std::string> files;  // in the order of their names, which begin with a time
  // The first of them, opened when they were listed: they can be read to their end although they are merged or deleted meanwhile.
  std::vector<InputFile> inputs;
  std::vector<JournaledRequest> requests;
};

// Takes no lock and changes nothing. Journals are read first, then the ledgers, then the files are listed: what a writer
// or recovery moves from a journal to a file meanwhile is found at least once, and is taken from the file where it is in both,
// since the names of the files tell their journal positions. So each item is there exactly once.
Result<StoreSnapshot> TakeSnapshot(const StoreLayout& layout, Signal signal, bool include_journal);

// The files that `path` means, without those that only journals have.
Result<StoreSnapshot> TakeFileSnapshot(const std::string& path);

}  // namespace otlp_arrow
