// An empty directory of its own for a test, gone with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace otlp_arrow::testing {

class TempDir {
 public:
  TempDir() {
    path_ = ::testing::TempDir() + "otlp_arrow_XXXXXX";
    if (!::mkdtemp(path_.data())) ADD_FAILURE() << "cannot create " << path_;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace otlp_arrow::testing
