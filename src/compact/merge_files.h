// The rows of several data files into one: in time order as far as a row group's worth of memory can put them so, with the columns of
// all of them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "compact/compact_options.h"
#include "compact/compact_plan.h"
#include "otlp_arrow/status.h"
#include "storage/layout.h"
#include "storage/table_file.h"

namespace otlp_arrow {

// A finished file that is not published yet.
struct MergedFile {
  std::string temporary_path;
  std::string partition;
  DataFileName name;
  uint64_t bytes = 0;
  int64_t rows = 0;
};

// What of a job could be done at once.
struct MergeOutcome {
  MergedFile file;                                // unless `used` is empty
  std::vector<DataFile> used;                     // whose rows are in it, all of them
  std::vector<DataFile> postponed;                // for a file of their own: their columns differ in type, or there would be too many texts
  std::vector<DataFile> vanished;                 // deleted meanwhile
  std::vector<std::pair<DataFile, std::string>> damaged;  // and what is wrong with them
};

// Writes the job's rows to a file in `folder`. Memory: one batch of an input, up to a row group or 128 MiB of rows, and what the writer
// takes. Errors: kIo where the disk refuses, kShutdown where options.should_stop says so; then nothing is left in the folder.
Result<MergeOutcome> MergeFiles(const MergeJob& job, const CompactOptions& options, const std::string& folder, TableFileResources* resources,
                                const std::function<void()>& on_file_read);

}  // namespace otlp_arrow
