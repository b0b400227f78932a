// A directory that is gone when its owner is. Below TMPDIR, or /tmp.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <sys/vfs.h>

namespace otlp_arrow::bench {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_((std::filesystem::temp_directory_path() / "otlp-arrow-benchmark-XXXXXX").string()) {
    if (mkdtemp(path_.data())) return;
    std::perror(("cannot create " + path_).c_str());
    std::exit(1);
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

  // Is it on a file system without a device (tmpfs), where a sync costs nothing?
  bool in_memory() const {
    constexpr auto kTmpfsMagic = 0x01021994;
    struct statfs info {};
    return statfs(path_.c_str(), &info) == 0 && info.f_type == kTmpfsMagic;
  }

 private:
  std::string path_;
};

}  // namespace otlp_arrow::bench
