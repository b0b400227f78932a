// What a collector knows of a ring file beyond the file itself, so that its death loses nothing: frames, each written
// before what it tells of is handed on. docs/formats/mmap.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/platform/platform.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

class StateLog {
 public:
  // Opens the log, or creates an empty one. `frames` receives what it holds, up to the first damaged frame; what stands
  // behind that is overwritten. Errors: kIo.
  static Result<StateLog> Open(const std::string& path, std::vector<std::string>* frames);

  // On an error nothing counts as written.
  Status Append(std::string_view frame);
  // One frame instead of all that is there; a crash leaves either.
  Status Replace(std::string_view frame);
  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  StateLog(std::string path, platform::File file) : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  platform::File file_;
  uint64_t size_ = 0;
};

}  // namespace otlp_arrow
