// A file whose memory several processes share: mapping it, reserving its space, locking single bytes of it.
// Errors are kIo statuses that name the operation, the path and the system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "otlp_arrow/status.h"

namespace otlp_arrow::platform {

// Part of the address space; given back when destroyed. Forked children have it too.
class Mapping {
 public:
  Mapping() = default;
  Mapping(char* data, size_t size) : data_(data), size_(size) {}
  Mapping(Mapping&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  ~Mapping();
  char* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  char* data_ = nullptr;
  size_t size_ = 0;
};

// Open; closed when destroyed. Forked children inherit it, other programs don't.
class SharedFile {
 public:
  enum class Mode { kRead, kReadWrite };
  static Result<SharedFile> Open(const std::string& path, Mode mode);
  // Creates the file whole: nobody sees it before `fill` has returned OK. Where it exists by then, that one is opened.
  static Result<SharedFile> OpenOrCreate(const std::string& path, const std::function<Status(SharedFile*)>& fill);

  SharedFile(SharedFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}
  SharedFile& operator=(SharedFile&& other) noexcept;
  SharedFile(const SharedFile&) = delete;
  ~SharedFile();

  Result<uint64_t> Size() const;
  // Makes bytes [offset, offset + size) the file's own on the disk, so that writing to them through a mapping cannot
  // fail. What is there is kept; the file grows where it must.
  Status Reserve(uint64_t offset, uint64_t size);
  // Maps `size` bytes from the beginning; may reach behind the end of the file, but nobody may touch what lies there.
  Result<Mapping> Map(size_t size, Mode mode) const;
  // Does the path name this file?
  bool IsAt(const std::string& path) const;
  const std::string& path() const { return path_; }

 private:
  friend class RangeLocks;
  SharedFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_;
  std::string path_;
};

// Exclusive locks on single bytes of a file, which may lie behind its end. They are held until let go or until the process
// ends, however it ends; forked children don't hold them. Two objects exclude each other within a process, too.
class RangeLocks {
 public:
  // Opens the file once more, whatever name it has by now.
  static Result<RangeLocks> Open(const SharedFile& file, SharedFile::Mode mode = SharedFile::Mode::kReadWrite);
  RangeLocks(RangeLocks&& other) noexcept : fd_(std::exchange(other.fd_, -1)), owner_(other.owner_), path_(std::move(other.path_)) {}
  RangeLocks& operator=(RangeLocks&& other) noexcept;
  RangeLocks(const RangeLocks&) = delete;
  ~RangeLocks();

  // False where another holder has it. Needs kReadWrite.
  Result<bool> TryLock(int64_t offset);
  void Unlock(int64_t offset);
  // The bytes in [first, last] that others hold, in rising order; locks of more than one byte are nobody's of ours and
  // left out.
  Result<std::vector<int64_t>> HeldWithin(int64_t first, int64_t last) const;

 private:
  RangeLocks(int fd, int owner, std::string path) : fd_(fd), owner_(owner), path_(std::move(path)) {}
  Status FindHeld(int64_t first, int64_t last, std::vector<int64_t>* held) const;
  int fd_;
  int owner_;  // as OwnDescriptors says
  std::string path_;
};

}  // namespace otlp_arrow::platform
