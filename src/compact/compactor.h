// Merges the small data files of a directory into large ones. docs/compaction.md
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/platform/platform.h"
#include "compact/compact_options.h"
#include "compact/folder_exchange.h"
#include "compact/merge_files.h"
#include "otlp_arrow/status.h"
#include "storage/layout.h"

namespace otlp_arrow {

class Compactor {
 public:
  Compactor(StoreLayout layout, std::shared_ptr<Clock> clock);
  ~Compactor();

  // Does what there is to do by now. One process at a time compacts a directory: report.is_busy where it is another's turn.
  // Errors: kIo where the disk refuses; what is published by then stays so, and nothing is lost or there twice.
  Result<CompactReport> Run(const CompactOptions& options);

  // As `Run` leaves it, replaced folders wait for their time; this waits until the last is deleted.
  Status Finish(const std::function<bool()>& should_stop = nullptr);

 private:
  class Round;

  // False where another process has the lock.
  Result<bool> Lock(const CompactOptions& options);

  StoreLayout layout_;
  std::shared_ptr<Clock> clock_;
  std::optional<platform::FileLock> lock_;
  std::unique_ptr<FolderExchange> exchange_;
  TableFileResources resources_;
  std::set<std::string> damaged_;  // paths, so that they are not read again and again
  bool has_warned_ = false;
};

}  // namespace otlp_arrow
