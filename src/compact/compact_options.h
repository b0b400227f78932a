// What is merged, into what, and what came of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/signal.h"

namespace otlp_arrow {

struct CompactOptions {
  CompactionConfig rules;
  FileFormat format = FileFormat::kArrow;  // of merged files
  Compression compression = Compression::kZstd;
  int64_t row_group_rows = 128 << 10;
  // Retention by signal, 0: for ever. A window is never longer than a quarter of it.
  std::array<std::chrono::seconds, kSignalCount> max_age{};
  std::vector<Signal> signals{kAllSignals.begin(), kAllSignals.end()};
  // Windows that are not over yet are merged as those that are, and `rules.min_files` holds for all; otherwise what is over is
  // merged down to as few files as can be.
  bool everything = false;
  bool dry_run = false;
  // How long the old folder stays whole for those who are listing it at the moment of the exchange.
  std::chrono::milliseconds reader_grace{5000};
  // Asked between batches; true ends it, and what is not published yet is dropped.
  std::function<bool()> should_stop;
  std::function<void(const struct CompactReport& so_far)> on_progress;
  // For tests: called with the name of each step before it is taken.
  std::function<void(std::string_view step)> on_step;

  static CompactOptions From(const Config& config);
};

// Of one signal.
struct CompactCounts {
  int64_t files_before = 0, files_after = 0;    // all data files
  int64_t bytes_before = 0, bytes_after = 0;
  int64_t files_merged = 0, files_written = 0;  // that were replaced, and by how many
  int64_t bytes_merged = 0, bytes_written = 0;
  int64_t rows_merged = 0;
};

struct CompactReport {
  std::array<CompactCounts, kSignalCount> signals{};
  int64_t files_planned = 0;          // to be merged, by what is planned so far
  int64_t files_read = 0;
  bool is_busy = false;               // another process is merging this directory: nothing was done
  bool was_stopped = false;
  bool was_exchanged = true;          // false: the file system has no exchange of directories, so readers could see rows twice for a moment
  std::vector<std::string> left_out;  // "<path>: <what>": files that cannot be read; they stay as they are

  int64_t Sum(int64_t CompactCounts::*count) const {
    int64_t sum = 0;
    for (const auto& one : signals) sum += one.*count;
    return sum;
  }
};

}  // namespace otlp_arrow
