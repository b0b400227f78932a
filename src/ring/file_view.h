// An open file as consumer and inspector see it: checked, mapped, and looked at again whenever it may have changed.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/platform/shared_file.h"
#include "otlp_arrow/status.h"
#include "ring/geometry.h"
#include "ring/ring_reader.h"

namespace otlp_arrow::ring {

class FileView {
 public:
  static Result<std::unique_ptr<FileView>> Open(const std::string& path, platform::SharedFile::Mode mode);

  // Is the file still the one that was opened: as long, with the same headers? Errors: kIo.
  Status CheckUnchanged();
  // Are rings and dictionary header still in the file? To be asked before they are touched. Any thread.
  bool IsWhole() const;
  RingPlace Place(RingKind kind) const { return geometry_.Place(kind, mapping_.data()); }
  FileHeader& header() const { return *reinterpret_cast<FileHeader*>(mapping_.data()); }
  Result<std::string_view> Entry(Ref ref);
  FileStats stats() const;
  Result<std::vector<uint32_t>> LiveWriters() const;

  const Geometry& geometry() const { return geometry_; }
  const DictionaryHeader& dictionary() const { return *reinterpret_cast<const DictionaryHeader*>(mapping_.data() + geometry_.dictionary); }
  platform::RangeLocks& locks() { return locks_; }
  const platform::RangeLocks& locks() const { return locks_; }
  const platform::SharedFile& file() const { return file_; }
  // Bytes [0, end) of the file, where it has as many.
  Result<const char*> BytesTo(uint64_t end);

 private:
  FileView(platform::SharedFile file, platform::SharedFile::Mode mode, platform::Mapping mapping, const Geometry& geometry,
           platform::RangeLocks locks, uint64_t size)
      : file_(std::move(file)), mode_(mode), mapping_(std::move(mapping)), geometry_(geometry), locks_(std::move(locks)), size_(size) {}

  platform::SharedFile file_;
  platform::SharedFile::Mode mode_;
  platform::Mapping mapping_;  // rings and, as far as it reaches, dictionary
  Geometry geometry_;
  platform::RangeLocks locks_;
  uint64_t size_;                         // of the file when last asked
  std::vector<platform::Mapping> grown_;  // of the whole file, ever larger: views of entries stay good
};

}  // namespace otlp_arrow::ring
