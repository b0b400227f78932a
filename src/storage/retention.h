// Deleting data files that have outlived their time or the space given to them.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "storage/layout.h"

namespace otlp_arrow {

struct RetentionRules {
  std::array<std::chrono::seconds, kSignalCount> max_age{};  // by the time in the file's name; 0: no limit
  uint64_t max_total_bytes = 0;                              // of all signals together; 0: no limit
  static RetentionRules From(const Config& config);
  bool any() const;
};

struct ExpiredFile {
  Signal signal;
  std::string writer;
  std::string path;
  int64_t items = 0;  // that the writer had stored in it
};

// Deletes what the rules say, the oldest first, and returns what was deleted; a merged file stands there once for each writer whose
// rows it held. `may_delete(writer)` says whose files are ours to judge: a live writer looks after its own, and whoever looks after the
// dead after merged ones, whose `writer` nobody is. Files whose names are not ours are left alone. Holds PublishLock shared.
Result<std::vector<ExpiredFile>> ExpireFiles(const StoreLayout& layout, const RetentionRules& rules, std::chrono::sys_seconds now,
                                             const std::function<bool(const std::string& writer)>& may_delete);

}  // namespace otlp_arrow
