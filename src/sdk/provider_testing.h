// A provider over a ring file, and what arrives of it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "otlp_arrow/sdk/provider.h"
#include "recorded_ring.h"
#include "temp_dir.h"

namespace otlp_arrow::sdk {

class ProviderTest : public ::testing::Test {
 protected:
  ProviderTest() : path_(dir_ / "telemetry.mmap") {}

  Provider& Open(ProviderOptions options = {}) {
    FileRecorderOptions file;
    file.path = path_;
    auto recorder = OpenFileRecorder(file);
    EXPECT_TRUE(recorder.ok()) << recorder.status().ToString();
    auto provider = Provider::Create(*recorder, std::move(options));
    EXPECT_TRUE(provider.ok()) << provider.status().ToString();
    provider_ = *provider;
    return *provider_;
  }
  otlp_arrow::testing::RecordedRing Recorded() const { return otlp_arrow::testing::TakeRecorded(path_); }

  otlp_arrow::testing::TempDir dir_;
  const std::string path_;
  std::shared_ptr<Provider> provider_;
};

}  // namespace otlp_arrow::sdk
