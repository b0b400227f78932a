#include "base/platform/directory_swap.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "base/platform/fork.h"

namespace otlp_arrow::platform {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kFirstPause = std::chrono::microseconds(100);
constexpr auto kLongestPause = std::chrono::microseconds(5000);

std::string WayOut(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return " (free space on the disk, or lower the retention)";
    case EACCES:
    case EPERM: return " (give the process's user the right to it)";
    case EMLINK: return " (the file system allows no more names of this file)";
    case EMFILE:
    case ENFILE: return " (raise the limit of open files: ulimit -n)";
    default: return "";
  }
}

Status Failed(std::string_view operation, const std::string& path, int error) {
  return Status::Io("cannot " + std::string(operation) + " '" + path + "': " + std::strerror(error) + WayOut(error), true);
}

// What file systems answer that have no hard links, or no exchange.
bool IsUnsupported(int error) { return error == ENOSYS || error == EINVAL || error == EOPNOTSUPP || error == ENOTSUP || error == EPERM; }

bool IsSameFile(int fd, const std::string& path) {
  struct stat open {}, named {};
  return ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

int OpenLocked(const std::string& path, int operation, int* error) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  } while (fd < 0 && errno == EINTR);
  *error = fd < 0 ? errno : 0;
  if (fd < 0) return -1;
  if (::flock(fd, operation | LOCK_NB) == 0) {
    if (IsSameFile(fd, path)) return fd;
    *error = EWOULDBLOCK;  // it was deleted with its folder: another one is there now
  } else {
    *error = errno;
  }
  ::close(fd);
  return -1;
}

}  // namespace

Result<PathLock> PathLock::Acquire(const std::string& path, Kind kind, std::chrono::milliseconds timeout) {
  const auto deadline = SteadyClock::now() + timeout;
  auto pause = kFirstPause;
  for (;;) {
    {
      const auto hold = OwnDescriptors::Hold();
      int error = 0;
      const int fd = OpenLocked(path, kind == Kind::kShared ? LOCK_SH : LOCK_EX, &error);
      if (fd >= 0) return PathLock(fd, OwnDescriptors::Enter(fd));
      if (error != EWOULDBLOCK && error != EINTR) return Failed("lock", path, error);
    }
    if (SteadyClock::now() >= deadline) {
      return Status::Io("cannot lock '" + path + "': another process has held it for " + std::to_string(timeout.count()) +
                            " ms; see which one does: lsof " + path,
                        true);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

PathLock& PathLock::operator=(PathLock&& other) noexcept {
  if (this != &other) {
    OwnDescriptors::Close(fd_, owner_);
    fd_ = std::exchange(other.fd_, -1);
    owner_ = other.owner_;
  }
  return *this;
}

PathLock::~PathLock() { OwnDescriptors::Close(fd_, owner_); }

Result<bool> LinkFile(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return true;
  if (IsUnsupported(errno)) return false;
  return Failed("link '" + from + "' to", to, errno);
}

Result<bool> ExchangeDirectories(const std::string& one, const std::string& other) {
#if defined(__APPLE__)
  const int failed = ::renamex_np(one.c_str(), other.c_str(), RENAME_SWAP);
#else
  const int failed = ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
#endif
  if (failed == 0) return true;
  if (IsUnsupported(errno)) return false;
  return Failed("exchange '" + one + "' with", other, errno);
}

DirectoryWatch::DirectoryWatch(std::string path)
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

DirectoryWatch::~DirectoryWatch() {
  if (fd_ >= 0) ::close(fd_);
}

bool DirectoryWatch::WasReplaced() const {
  if (fd_ >= 0) return !IsSameFile(fd_, path_);
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0;
}

}  // namespace otlp_arrow::platform
