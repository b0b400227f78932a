// Replacing a whole directory in one step, and the lock that keeps others from changing it meanwhile.
// Errors are kIo statuses that name the operation, the path and the system's reason.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "otlp_arrow/status.h"

namespace otlp_arrow::platform {

// A lock that several may hold shared, or one exclusively, among threads and processes; let go when destroyed or when the
// process ends. Forked children don't hold it.
class PathLock {
 public:
  enum class Kind { kShared, kExclusive };
  // Creates the file where it is missing (not its folder) and waits up to `timeout`; then it is a retryable error.
  static Result<PathLock> Acquire(const std::string& path, Kind kind, std::chrono::milliseconds timeout);
  PathLock(PathLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)), owner_(other.owner_) {}
  PathLock& operator=(PathLock&& other) noexcept;
  PathLock(const PathLock&) = delete;
  ~PathLock();

 private:
  PathLock(int fd, int owner) : fd_(fd), owner_(owner) {}
  int fd_;
  int owner_;  // as OwnDescriptors says
};

// A second name for a file of the same file system. False where the file system has no such thing.
Result<bool> LinkFile(const std::string& from, const std::string& to);

// Each of the two directories gets the other's name, in one step. False where the system or the file system cannot.
Result<bool> ExchangeDirectories(const std::string& one, const std::string& other);

// Is it the same directory as ever: holds it open, so that no other can get its number.
class DirectoryWatch {
 public:
  explicit DirectoryWatch(std::string path);
  DirectoryWatch(const DirectoryWatch&) = delete;
  ~DirectoryWatch();
  // Another directory stands at the path now, or one where there was none.
  bool WasReplaced() const;

 private:
  std::string path_;
  int fd_;
};

}  // namespace otlp_arrow::platform
