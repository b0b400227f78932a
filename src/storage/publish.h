// The moment a file becomes visible to readers.
#pragma once

#include <string>

#include "base/platform/directory_swap.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Where a finished file goes.
struct PublishTarget {
  std::string path;
  std::string lock;   // StoreLayout::PublishLock, where `path` is in a signal's folder; empty: nobody exchanges that folder
  bool sync = false;  // file and folder are on the device afterwards
};

// Shared: files come and go. Exclusive: the folder is exchanged. Creates the lock's folder where it is missing; waits for a bounded time.
Result<platform::PathLock> AcquirePublishLock(const std::string& lock, platform::PathLock::Kind kind);

// Syncs the finished file at `temporary` where that is wanted, and renames it to the target's path, the lock held shared. The
// target's folder is made where it is missing. After an error the file is not at its path.
Status PublishFile(const std::string& temporary, const PublishTarget& target);

}  // namespace otlp_arrow
