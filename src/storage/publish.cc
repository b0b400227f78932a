#include "storage/publish.h"

#include <chrono>
#include <optional>

#include "base/platform/platform.h"

namespace otlp_arrow {
namespace {

// Others hold it for milliseconds, the exchange of a folder with very many files for seconds.
constexpr auto kLockTimeout = std::chrono::seconds(30);

std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

Result<platform::PathLock> AcquirePublishLock(const std::string& lock, platform::PathLock::Kind kind) {
  auto held = platform::PathLock::Acquire(lock, kind, kLockTimeout);
  if (held.ok() || platform::Exists(FolderOf(lock))) return held;
  // Somebody removed the folder under us.
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(FolderOf(lock)));
  return platform::PathLock::Acquire(lock, kind, kLockTimeout);
}

Status PublishFile(const std::string& temporary, const PublishTarget& target) {
  if (target.sync) {
    OTLP_ASSIGN_OR_RETURN(platform::File file, platform::File::Open(temporary, platform::File::Mode::kRead));
    OTLP_RETURN_NOT_OK(file.Sync());
  }
  const std::string folder = FolderOf(target.path);
  std::optional<platform::PathLock> lock;
  if (!target.lock.empty()) {
    OTLP_ASSIGN_OR_RETURN(lock, AcquirePublishLock(target.lock, platform::PathLock::Kind::kShared));
    if (!platform::Exists(folder)) OTLP_RETURN_NOT_OK(platform::CreateDirectories(folder));
  }
  OTLP_RETURN_NOT_OK(platform::Rename(temporary, target.path));
  if (!target.sync) return Status::Ok();
  // After an error the same rows are written again, perhaps under another name: this file must not stay.
  Status status = platform::SyncDirectory(folder);
  if (!status.ok()) (void)platform::Remove(target.path);
  return status;
}

}  // namespace otlp_arrow
