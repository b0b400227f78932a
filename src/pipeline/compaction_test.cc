#include "pipeline/compaction.h"

#include <filesystem>
#include <functional>
#include <thread>

#include <gtest/gtest.h>

#include "pipeline/pipeline.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using testing::NamedRequest;

class CompactionTest : public ::testing::Test {
 protected:
  CompactionTest() {
    config_.output_dir = dir_.path();
    config_.trace_cleanup_interval_secs = 0;
    config_.compaction.enabled = true;
    config_.compaction.interval_secs = 1;
    config_.compaction.min_age_secs = 0;
    config_.compaction.min_files = 2;
  }

  std::unique_ptr<Pipeline> Open() {
    auto pipeline = Pipeline::Open(config_);
    EXPECT_TRUE(pipeline.ok()) << pipeline.status().ToString();
    return *std::move(pipeline);
  }
  // Each in a file of its own.
  void Send(Pipeline* pipeline, int requests) {
    for (int i = 0; i < requests; ++i) {
      const std::string prefix = "r" + std::to_string(sent_++);
      for (const auto& name : testing::ItemNames(prefix, 3)) names_.push_back(name);
      ASSERT_TRUE(pipeline->AcceptAndWait(Signal::kTraces, SharedBytes::Copy(NamedRequest(Signal::kTraces, prefix, 3))).status.ok());
      ASSERT_TRUE(pipeline->Flush(std::chrono::seconds(20)).ok());
    }
    std::sort(names_.begin(), names_.end());
  }
  static bool WaitFor(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  size_t Files() { return testing::DataFiles(dir_.path(), Signal::kTraces).size(); }

  testing::TempDir dir_;
  Config config_;
  std::vector<std::string> names_;
  int sent_ = 0;
};

TEST_F(CompactionTest, MergesWhileThePipelineWrites) {
  auto pipeline = Open();
  Send(pipeline.get(), 10);
  EXPECT_TRUE(WaitFor([&] { return pipeline->GetStats().compaction.files_merged >= 10; }));
  const CompactionStats stats = pipeline->GetStats().compaction;
  EXPECT_GE(stats.rows_merged, 30);
  EXPECT_EQ(stats.failed_rounds, 0u);
  Send(pipeline.get(), 1);
  EXPECT_EQ(testing::StoredNames(dir_.path(), Signal::kTraces), names_);
  EXPECT_EQ(pipeline->GetLedger()[Signal::kTraces].stored, 33);
  EXPECT_TRUE(pipeline->Shutdown(std::chrono::seconds(20)).ok());
  EXPECT_EQ(testing::StoredNames(dir_.path(), Signal::kTraces), names_);
}

TEST_F(CompactionTest, IsTurnedOnAndOff) {
  config_.compaction.enabled = false;
  auto pipeline = Open();
  Send(pipeline.get(), 4);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "compact"));
  config_.compaction.enabled = true;
  ASSERT_TRUE(pipeline->Reconfigure(config_).ok());
  EXPECT_TRUE(WaitFor([&] { return Files() == 1; }));
  config_.compaction.enabled = false;
  ASSERT_TRUE(pipeline->Reconfigure(config_).ok());
  // Then another process may.
  const std::string lock = StoreLayout(dir_.path()).CompactLock();
  EXPECT_TRUE(WaitFor([&] { return platform::FileLock::TryLock(lock)->has_value(); }));
  EXPECT_EQ(testing::StoredNames(dir_.path(), Signal::kTraces), names_);
}

TEST_F(CompactionTest, OneOfTwoPipelinesDoesIt) {
  auto one = Open(), two = Open();
  Send(one.get(), 4);
  Send(two.get(), 4);
  EXPECT_TRUE(WaitFor([&] { return Files() == 1; }));
  EXPECT_EQ(testing::StoredNames(dir_.path(), Signal::kTraces), names_);
  EXPECT_EQ(one->GetStats().compaction.files_merged * two->GetStats().compaction.files_merged, 0);
}

TEST_F(CompactionTest, WhatExpiresWithAMergedFileIsCounted) {
  config_.compaction.window_secs = 60;
  config_.trace_cleanup_interval_secs = 5;
  auto pipeline = Open();
  Send(pipeline.get(), 6);
  EXPECT_TRUE(WaitFor([&] { return pipeline->GetLedger()[Signal::kTraces].expired == 18; }));
  EXPECT_EQ(pipeline->GetLedger()[Signal::kTraces].stored, 0);
  EXPECT_TRUE(pipeline->GetLedger().Balances());
  EXPECT_GE(pipeline->GetStats().compaction.files_merged, 2);
}

}  // namespace
}  // namespace otlp_arrow
