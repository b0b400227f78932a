#include "base/platform/shared_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/platform/fork.h"
#include "base/platform/platform.h"

namespace otlp_arrow::platform {
namespace {

#ifdef F_OFD_SETLK
constexpr int kSetLock = F_OFD_SETLK, kGetLock = F_OFD_GETLK;
#else  // macOS has them under these numbers
constexpr int kSetLock = 90, kGetLock = 92;
#endif

std::string WayOut(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT: return " (free space on the file system, or choose smaller rings)";
    case EFBIG: return " (raise the limit of file sizes: ulimit -f)";
    case EACCES:
    case EPERM: return " (give the process's user the right to read and write it)";
    case ENOMEM: return " (raise the limit of address space: ulimit -v)";
    default: return "";
  }
}

Status Failed(std::string_view operation, const std::string& path, int error) {
  const bool may_pass = error == ENOSPC || error == EDQUOT || error == EMFILE || error == ENFILE || error == ENOMEM;
  return Status::Io("cannot " + std::string(operation) + " '" + path + "': " + std::strerror(error) + WayOut(error), may_pass);
}

int OpenRetrying(const char* path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = ::open(path, flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int FlagsOf(SharedFile::Mode mode) { return mode == SharedFile::Mode::kRead ? O_RDONLY : O_RDWR; }

// Where the file system cannot reserve: zeros behind the end of the file.
int WriteZeros(int fd, uint64_t from, uint64_t to) {
  static constexpr char kZeros[1 << 16] = {};
  while (from < to) {
    const ssize_t n = ::pwrite(fd, kZeros, std::min<uint64_t>(sizeof(kZeros), to - from), static_cast<off_t>(from));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : ENOSPC;
    from += static_cast<uint64_t>(n);
  }
  return 0;
}

struct flock LockOf(int64_t first, int64_t last, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(first);
  lock.l_len = static_cast<off_t>(last - first + 1);
  return lock;
}

}  // namespace

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

Mapping::~Mapping() {
  if (data_) ::munmap(data_, size_);
}

SharedFile& SharedFile::operator=(SharedFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

SharedFile::~SharedFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<SharedFile> SharedFile::Open(const std::string& path, Mode mode) {
  const int fd = OpenRetrying(path.c_str(), FlagsOf(mode));
  if (fd < 0) return Failed("open", path, errno);
  SharedFile file(fd, path);
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Failed("open", path, errno);
  if (!S_ISREG(info.st_mode)) return Status::Io("cannot open '" + path + "': it is no regular file");
  return file;
}

Result<SharedFile> SharedFile::OpenOrCreate(const std::string& path, const std::function<Status(SharedFile*)>& fill) {
  // As often as others create and remove the file in between, within reason.
  for (int attempt = 0; attempt < 10; ++attempt) {
    if (Exists(path)) {
      auto opened = Open(path, Mode::kReadWrite);
      if (opened.ok() || Exists(path)) return opened;
    }
    std::string temporary = path + ".";
    for (const char c : RandomBytes(6)) temporary += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
    temporary += ".tmp";
    const int fd = OpenRetrying(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL, 0644);
    if (fd < 0) return Failed("create", path, errno);
    SharedFile file(fd, path);
    const Status filled = fill(&file);
    const bool linked = filled.ok() && ::link(temporary.c_str(), path.c_str()) == 0;
    const int error = errno;
    ::unlink(temporary.c_str());
    if (linked) return file;
    if (!filled.ok()) return filled;
    if (error != EEXIST) return Failed("create", path, error);
  }
  return Status::Io("cannot open '" + path + "': it is created and removed again all the time", true);
}

Result<uint64_t> SharedFile::Size() const {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return Failed("read the size of", path_, errno);
  return static_cast<uint64_t>(info.st_size);
}

Status SharedFile::Reserve(uint64_t offset, uint64_t size) {
#ifdef __linux__
  int error;
  do {
    error = ::fallocate(fd_, 0, static_cast<off_t>(offset), static_cast<off_t>(size)) == 0 ? 0 : errno;
  } while (error == EINTR);
  if (error != EOPNOTSUPP && error != ENOSYS) return error == 0 ? Status::Ok() : Failed("reserve space for", path_, error);
#endif
  OTLP_ASSIGN_OR_RETURN(const uint64_t end, Size());
  const int failed = WriteZeros(fd_, end, offset + size);
  return failed == 0 ? Status::Ok() : Failed("reserve space for", path_, failed);
}

Result<Mapping> SharedFile::Map(size_t size, Mode mode) const {
  const int protection = mode == Mode::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* data = ::mmap(nullptr, size, protection, MAP_SHARED, fd_, 0);
  if (data == MAP_FAILED) return Failed("map " + std::to_string(size) + " bytes of", path_, errno);
  return Mapping(static_cast<char*>(data), size);
}

bool SharedFile::IsAt(const std::string& path) const {
  struct stat own {}, other {};
  return ::fstat(fd_, &own) == 0 && ::stat(path.c_str(), &other) == 0 && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

Result<RangeLocks> RangeLocks::Open(const SharedFile& file, SharedFile::Mode mode) {
#ifdef __linux__
  const std::string self = "/proc/self/fd/" + std::to_string(file.fd_);
#else
  const std::string self = file.path_;
#endif
  const auto hold = OwnDescriptors::Hold();
  int fd = OpenRetrying(self.c_str(), FlagsOf(mode));
  if (fd < 0 && file.IsAt(file.path_)) fd = OpenRetrying(file.path_.c_str(), FlagsOf(mode));
  if (fd < 0) return Failed("open", file.path_, errno);
  return RangeLocks(fd, OwnDescriptors::Enter(fd), file.path_);
}

RangeLocks& RangeLocks::operator=(RangeLocks&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(owner_, other.owner_);
  std::swap(path_, other.path_);
  return *this;
}

RangeLocks::~RangeLocks() { OwnDescriptors::Close(fd_, owner_); }

Result<bool> RangeLocks::TryLock(int64_t offset) {
  struct flock lock = LockOf(offset, offset, F_WRLCK);
  if (::fcntl(fd_, kSetLock, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return Failed("lock a byte of", path_, errno);
}

void RangeLocks::Unlock(int64_t offset) {
  struct flock lock = LockOf(offset, offset, F_UNLCK);
  (void)::fcntl(fd_, kSetLock, &lock);
}

Result<std::vector<int64_t>> RangeLocks::HeldWithin(int64_t first, int64_t last) const {
  std::vector<int64_t> held;
  OTLP_RETURN_NOT_OK(FindHeld(first, last, &held));
  std::sort(held.begin(), held.end());
  return held;
}

// The system names any one lock of a range; what lies before and behind it is asked for in turn.
Status RangeLocks::FindHeld(int64_t first, int64_t last, std::vector<int64_t>* held) const {
  while (first <= last) {
    struct flock lock = LockOf(first, last, F_WRLCK);
    if (::fcntl(fd_, kGetLock, &lock) != 0) return Failed("look for locks of", path_, errno);
    if (lock.l_type == F_UNLCK) return Status::Ok();
    const int64_t begin = std::max<int64_t>(first, lock.l_start);
    const int64_t end = lock.l_len == 0 ? last : std::min<int64_t>(last, lock.l_start + lock.l_len - 1);
    if (begin == end) held->push_back(begin);
    OTLP_RETURN_NOT_OK(FindHeld(first, begin - 1, held));
    first = end + 1;
  }
  return Status::Ok();
}

}  // namespace otlp_arrow::platform
