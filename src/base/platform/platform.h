// All that depends on the operating system, behind one interface; posix.cc is its implementation for Linux and macOS.
// Paths are UTF-8. Errors are kIo statuses that name the operation, the path and the system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/status.h"

namespace otlp_arrow::platform {

// An open file; closed when destroyed. Not inherited by child programs; one that can be written not even by forked children.
class File {
 public:
  enum class Mode {
    kRead,       // must exist
    kReadWrite,  // created if missing, content kept
    kCreateNew,  // created; an error if it exists
  };
  static Result<File> Open(const std::string& path, Mode mode);

  File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)), owner_(other.owner_), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  ~File();

  // Writes all parts one behind the other at `offset`. After an error any prefix of them may have been written.
  Status WriteAt(uint64_t offset, const std::string_view* parts, size_t count);
  Status WriteAt(uint64_t offset, std::string_view bytes) { return WriteAt(offset, &bytes, 1); }
  // Reads up to `size` bytes; fewer only at the end of the file.
  Result<std::string> ReadAt(uint64_t offset, size_t size) const;
  // The same into memory of the caller; returns how much was read.
  Result<size_t> ReadInto(uint64_t offset, char* bytes, size_t size) const;
  Result<uint64_t> Size() const;
  Status Truncate(uint64_t size);
  // Returns when data and size are on the device.
  Status Sync();
  const std::string& path() const { return path_; }

 private:
  File(int fd, int owner, std::string path) : fd_(fd), owner_(owner), path_(std::move(path)) {}
  void Close();
  int fd_;
  int owner_;  // as OwnDescriptors says; -1: inherited by forked children
  std::string path_;
};

// An exclusive lock on a file, held until destroyed or until the process ends, however it ends. Its forked children do
// not hold it.
class FileLock {
 public:
  // nullopt where another holder has it.
  static Result<std::optional<FileLock>> TryLock(const std::string& path);
  FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)), owner_(other.owner_) {}
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  ~FileLock();

 private:
  FileLock(int fd, int owner) : fd_(fd), owner_(owner) {}
  int fd_;
  int owner_;  // as OwnDescriptors says
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  uint64_t size = 0;
};

Status CreateDirectories(const std::string& path);
// Entries but "." and "..", sorted by name. A missing directory has none.
Result<std::vector<DirectoryEntry>> ListDirectory(const std::string& path);
Status SyncDirectory(const std::string& path);
// Atomic within one file system; replaces what stands at `to`.
Status Rename(const std::string& from, const std::string& to);
// A missing file is no error.
Status Remove(const std::string& path);
// A directory and all in it; a missing one is no error.
Status RemoveTree(const std::string& path);
bool Exists(const std::string& path);
Result<std::string> ReadFile(const std::string& path, size_t most = 64u << 20);
// Writes a file so that readers see either the old content or the whole new one.
Status ReplaceFile(const std::string& path, std::string_view content, bool sync);
// Bytes that an unprivileged process may still write on the file system that holds `path`.
Result<uint64_t> FreeBytes(const std::string& path);

// `n` bytes from the system's random source.
std::string RandomBytes(size_t n);

// Tells the kernel the name of the calling thread, for debuggers and profilers (at most 15 characters are kept).
void SetThreadName(const std::string& name);

// The number of this process; a forked child has another one than its parent.
int ProcessId();

// Raises the process's soft limit of open files to its hard one, up to a million: a server that runs out of them is deaf.
// Returns the limit that holds afterwards.
uint64_t RaiseOpenFileLimit();

// Memory that goes back to the system when it is freed, whatever the C library keeps for itself. Throws std::bad_alloc.
char* AllocatePages(size_t size);
void FreePages(char* data, size_t size);

// For a process whose memory must follow its load: large pieces go back to the system when they are freed, and threads
// share their heaps. Does nothing where the C library has no such switches. Call it before threads are started.
void GiveMemoryBack();

}  // namespace otlp_arrow::platform
