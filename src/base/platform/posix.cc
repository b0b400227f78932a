#include <dirent.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <random>

#include "base/platform/fork.h"
#include "base/platform/platform.h"

namespace otlp_arrow::platform {
namespace {

std::string WayOut(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return " (free space on the disk, or lower the retention)";
    case EACCES:
    case EPERM: return " (give the process's user the right to it, or choose another directory)";
    case EROFS: return " (choose a directory on a writable file system)";
    case EMFILE:
    case ENFILE: return " (raise the limit of open files: ulimit -n)";
    default: return "";
  }
}

Status Failed(std::string_view operation, const std::string& path, int error) {
  return Status::Io("cannot " + std::string(operation) + " '" + path + "': " + std::strerror(error) + WayOut(error), true);
}

int OpenRetrying(const char* path, int flags, mode_t mode) {
  int fd;
  do {
    fd = ::open(path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

std::string ParentOf(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace

Result<File> File::Open(const std::string& path, Mode mode) {
  int flags = O_RDONLY;
  if (mode == Mode::kReadWrite) flags = O_RDWR | O_CREAT;
  if (mode == Mode::kCreateNew) flags = O_RDWR | O_CREAT | O_EXCL;
  const int fd = OpenRetrying(path.c_str(), flags, 0644);
  if (fd < 0) return Failed(mode == Mode::kRead ? "open" : "create", path, errno);
  if (mode == Mode::kRead) return File(fd, -1, path);
  const auto hold = OwnDescriptors::Hold();
  return File(fd, OwnDescriptors::Enter(fd), path);
}

File& File::operator=(File&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    owner_ = other.owner_;
    path_ = std::move(other.path_);
  }
  return *this;
}

File::~File() { Close(); }

void File::Close() {
  if (owner_ >= 0) {
    OwnDescriptors::Close(fd_, owner_);
  } else if (fd_ >= 0) {
    ::close(fd_);
  }
}

Status File::WriteAt(uint64_t offset, const std::string_view* parts, size_t count) {
  std::vector<iovec> rest;
  rest.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    if (!parts[i].empty()) rest.push_back({const_cast<char*>(parts[i].data()), parts[i].size()});
  }
  for (size_t first = 0; first < rest.size();) {
    const int n = static_cast<int>(std::min<size_t>(rest.size() - first, IOV_MAX));
    const ssize_t written = ::pwritev(fd_, &rest[first], n, static_cast<off_t>(offset));
    if (written < 0) {
      if (errno == EINTR) continue;
      return Failed("write to", path_, errno);
    }
    if (written == 0) return Failed("write to", path_, ENOSPC);
    offset += static_cast<uint64_t>(written);
    size_t left = static_cast<size_t>(written);
    while (first < rest.size() && left >= rest[first].iov_len) left -= rest[first++].iov_len;
    if (left > 0) {
      rest[first].iov_base = static_cast<char*>(rest[first].iov_base) + left;
      rest[first].iov_len -= left;
    }
  }
  return Status::Ok();
}

Result<std::string> File::ReadAt(uint64_t offset, size_t size) const {
  std::string bytes(size, 0);
  OTLP_ASSIGN_OR_RETURN(const size_t done, ReadInto(offset, bytes.data(), size));
  bytes.resize(done);
  return bytes;
}

Result<size_t> File::ReadInto(uint64_t offset, char* bytes, size_t size) const {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd_, bytes + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      return Failed("read", path_, errno);
    }
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return done;
}

Result<uint64_t> File::Size() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return Failed("read the size of", path_, errno);
  return static_cast<uint64_t>(info.st_size);
}

Status File::Truncate(uint64_t size) {
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return Failed("truncate", path_, errno);
  return Status::Ok();
}

Status File::Sync() {
#if defined(__APPLE__)
  const int failed = ::fcntl(fd_, F_FULLFSYNC);
#else
  const int failed = ::fdatasync(fd_);
#endif
  if (failed != 0) return Failed("sync", path_, errno);
  return Status::Ok();
}

Result<std::optional<FileLock>> FileLock::TryLock(const std::string& path) {
  const auto hold = OwnDescriptors::Hold();
  const int fd = OpenRetrying(path.c_str(), O_RDWR | O_CREAT, 0644);
  if (fd < 0) return Failed("create the lock file", path, errno);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(fd);
    if (error == EWOULDBLOCK) return std::optional<FileLock>();
    return Failed("lock", path, error);
  }
  return std::optional<FileLock>(FileLock(fd, OwnDescriptors::Enter(fd)));
}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    OwnDescriptors::Close(fd_, owner_);
    fd_ = std::exchange(other.fd_, -1);
    owner_ = other.owner_;
  }
  return *this;
}

FileLock::~FileLock() { OwnDescriptors::Close(fd_, owner_); }

Status CreateDirectories(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Failed("create the directory", path, error.value());
  return Status::Ok();
}

Result<std::vector<DirectoryEntry>> ListDirectory(const std::string& path) {
  std::vector<DirectoryEntry> entries;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path.c_str()), &::closedir);
  if (!dir) {
    if (errno == ENOENT) return entries;
    return Failed("list the directory", path, errno);
  }
  while (const dirent* found = ::readdir(dir.get())) {
    const std::string name = found->d_name;
    if (name == "." || name == "..") continue;
    struct stat info {};
    if (::fstatat(::dirfd(dir.get()), name.c_str(), &info, 0) != 0) continue;  // removed meanwhile
    entries.push_back({name, S_ISDIR(info.st_mode), static_cast<uint64_t>(info.st_size)});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Status SyncDirectory(const std::string& path) {
  const int fd = OpenRetrying(path.c_str(), O_RDONLY | O_DIRECTORY, 0);
  if (fd < 0) return Failed("open the directory", path, errno);
  const int failed = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (failed != 0) return Failed("sync the directory", path, error);
  return Status::Ok();
}

Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return Failed("rename '" + from + "' to", to, errno);
  return Status::Ok();
}

Status Remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Failed("delete", path, errno);
  return Status::Ok();
}

Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return Failed("delete", path, error.value());
  return Status::Ok();
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

Result<std::string> ReadFile(const std::string& path, size_t most) {
  OTLP_ASSIGN_OR_RETURN(const File file, File::Open(path, File::Mode::kRead));
  OTLP_ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size > most) {
    return Status::Io("'" + path + "' has " + std::to_string(size) + " bytes, more than the " + std::to_string(most) + " that are read");
  }
  return file.ReadAt(0, static_cast<size_t>(size));
}

Status ReplaceFile(const std::string& path, std::string_view content, bool sync) {
  const std::string temporary = path + ".tmp";
  {
    OTLP_ASSIGN_OR_RETURN(File file, File::Open(temporary, File::Mode::kReadWrite));
    OTLP_RETURN_NOT_OK(file.Truncate(0));
    OTLP_RETURN_NOT_OK(file.WriteAt(0, content));
    if (sync) OTLP_RETURN_NOT_OK(file.Sync());
  }
  OTLP_RETURN_NOT_OK(Rename(temporary, path));
  return sync ? SyncDirectory(ParentOf(path)) : Status::Ok();
}

Result<uint64_t> FreeBytes(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return Failed("read the free space of", path, errno);
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

std::string RandomBytes(size_t n) {
  std::random_device source;
  std::string bytes;
  while (bytes.size() < n) bytes.push_back(static_cast<char>(source()));
  return bytes;
}

uint64_t RaiseOpenFileLimit() {
  constexpr rlim_t kMost = 1 << 20;  // more only makes tables of descriptors large
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t wanted = std::min(limit.rlim_max, kMost);
  if (limit.rlim_cur < wanted) {
    const rlimit raised{wanted, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

char* AllocatePages(size_t size) {
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  return static_cast<char*>(data);
}

void FreePages(char* data, size_t size) { munmap(data, size); }

void GiveMemoryBack() {
#ifdef __GLIBC__
  constexpr int kLargeBytes = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  // Setting the one keeps the other at 128 KiB, and then each batch that is forwarded comes in fresh pages: a third of a relay's CPU.
  mallopt(M_TRIM_THRESHOLD, 16 * kLargeBytes);
  mallopt(M_ARENA_MAX, 2);
#endif
}

void SetThreadName(const std::string& name) {
  const std::string kept = name.substr(0, 15);
#if defined(__APPLE__)
  pthread_setname_np(kept.c_str());
#else
  pthread_setname_np(pthread_self(), kept.c_str());
#endif
}

int ProcessId() { return ::getpid(); }

}  // namespace otlp_arrow::platform
