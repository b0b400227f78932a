// What the merging of files has done.
#pragma once

#include <cstdint>

namespace otlp_arrow {

// Since the start, of all signals.
struct CompactionStats {
  uint64_t rounds = 0;         // that found something to do, or failed
  uint64_t failed_rounds = 0;
  int64_t files_merged = 0;    // that were replaced
  int64_t files_written = 0;
  int64_t rows_merged = 0;
  int64_t bytes_merged = 0;
  int64_t bytes_written = 0;
  int64_t files_left_out = 0;  // that could not be read
};

}  // namespace otlp_arrow
