#include "storage/writer_directory.h"

#include <chrono>
#include <thread>

namespace otlp_arrow {
namespace {

constexpr int kTries = 100;  // a millisecond apart

// The lock goes last: until then nobody else is at it.
Status RemoveLocked(const std::string& dir, const std::string& lock) {
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(dir));
  for (const auto& entry : entries) {
    const std::string path = dir + "/" + entry.name;
    if (path == lock) continue;
    OTLP_RETURN_NOT_OK(entry.is_directory ? platform::RemoveTree(path) : platform::Remove(path));
  }
  (void)platform::RemoveTree(dir);
  return Status::Ok();
}

}  // namespace

Result<std::optional<platform::FileLock>> CreateWriterDirectory(const StoreLayout& layout, const std::string& writer) {
  const std::string unfinished = layout.JournalsDir() + "/" + kUnfinishedPrefix + writer;
  Status failed = Status::Io("the new writer directory '" + unfinished + "' is locked by another process");
  for (int i = 0; i < kTries; ++i) {
    // RemoveUnfinished may take it away as long as it is not locked.
    if (i > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    OTLP_RETURN_NOT_OK(platform::CreateDirectories(unfinished));
    auto lock = platform::FileLock::TryLock(unfinished + "/lock");
    if (lock.ok() && !*lock) continue;
    Status status = lock.ok() ? platform::Rename(unfinished, layout.WriterDir(writer)) : lock.status();
    if (status.ok()) return lock;
    if (platform::Exists(unfinished)) return status;
    failed = status;
  }
  return failed;
}

void RemoveUnfinished(const StoreLayout& layout, const std::string& name) {
  const std::string dir = layout.JournalsDir() + "/" + name;
  const auto lock = platform::FileLock::TryLock(dir + "/lock");
  if (lock.ok() && *lock) (void)platform::RemoveTree(dir);
}

Status RemoveWriterDirectory(const StoreLayout& layout, const std::string& writer) {
  return RemoveLocked(layout.WriterDir(writer), layout.WriterLock(writer));
}

Status MoveToLeftOvers(const StoreLayout& layout, const std::string& writer) {
  OTLP_RETURN_NOT_OK(platform::CreateDirectories(layout.LeftOversDir()));
  OTLP_ASSIGN_OR_RETURN(const auto entries, platform::ListDirectory(layout.WriterDir(writer)));
  for (const auto& entry : entries) {
    if (entry.name.ends_with(".tmp")) OTLP_RETURN_NOT_OK(platform::Remove(layout.WriterDir(writer) + "/" + entry.name));
  }
  return platform::Rename(layout.WriterDir(writer), layout.LeftOverDir(writer));
}

Status RemoveLeftOver(const StoreLayout& layout, const std::string& writer) {
  return RemoveLocked(layout.LeftOverDir(writer), layout.LeftOverLock(writer));
}

}  // namespace otlp_arrow
