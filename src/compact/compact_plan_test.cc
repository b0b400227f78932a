#include "compact/compact_plan.h"

#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "storage/ledger_file.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

// A full hour.
constexpr sys_seconds kHour{seconds(1'699'999'200)};

class CompactPlan : public ::testing::Test {
 protected:
  CompactPlan() {
    options_.rules.min_files = 3;
    options_.rules.min_age_secs = 60;
    options_.rules.target_file_bytes = 100 << 20;
  }

  void Put(seconds after, uint64_t bytes, FileFormat format = FileFormat::kArrow, const std::string& partition = "", bool merged = false) {
    ++sequence_;
    DataFileName name{kHour + after, "w", {sequence_, sequence_}, format, merged};
    files_.push_back({"/data/" + std::to_string(sequence_), partition, name, bytes});
  }
  // Each job as its partition and the numbers of its files.
  std::vector<std::string> Plan(seconds now) {
    std::vector<std::string> jobs;
    for (const MergeJob& job : PlanMerges(options_, Signal::kTraces, files_, kHour + now)) {
      std::string text = job.partition + ":";
      for (const DataFile& file : job.inputs) text += " " + std::to_string(file.name.range.first);
      jobs.push_back(text);
    }
    return jobs;
  }
  using Jobs = std::vector<std::string>;

  CompactOptions options_;
  std::vector<DataFile> files_;
  uint64_t sequence_ = 0;
};

constexpr uint64_t kMiB = 1 << 20;

TEST_F(CompactPlan, NeedsEnoughFilesThatAreOldEnough) {
  for (int i = 0; i < 3; ++i) Put(seconds(5 * i), 1000);
  EXPECT_EQ(Plan(seconds(69)), Jobs{});
  EXPECT_EQ(Plan(seconds(70)), Jobs{": 1 2 3"});
}

TEST_F(CompactPlan, FilesOfLaterTimesAreLeftAlone) {
  for (int i = 0; i < 3; ++i) Put(seconds(100'000 + i), 1000);
  EXPECT_EQ(Plan(seconds(0)), Jobs{});
  EXPECT_EQ(Plan(seconds(-1'000'000)), Jobs{});
}

TEST_F(CompactPlan, AWindowThatIsOverIsMergedToTheEnd) {
  for (int i = 0; i < 2; ++i) Put(seconds(i), 1000);
  Put(seconds(3600), 1000);
  EXPECT_EQ(Plan(seconds(3659)), Jobs{});
  EXPECT_EQ(Plan(seconds(3660)), Jobs{": 1 2"});
}

TEST_F(CompactPlan, FilesOfDifferentWindowsStayApart) {
  for (int i = 0; i < 3; ++i) Put(seconds(i), 1000);
  for (int i = 0; i < 3; ++i) Put(seconds(3600 + i), 1000);
  EXPECT_EQ(Plan(seconds(8000)), (Jobs{": 1 2 3", ": 4 5 6"}));
}

TEST_F(CompactPlan, WhileAWindowFillsLargerFilesWait) {
  Put(seconds(0), 40 * kMiB, FileFormat::kArrow, "", true);
  for (int i = 0; i < 3; ++i) Put(seconds(100 + i), kMiB);
  EXPECT_EQ(Plan(seconds(1000)), Jobs{": 2 3 4"});
  for (int i = 0; i < 40; ++i) Put(seconds(200 + i), kMiB);
  EXPECT_EQ(Plan(seconds(1000)).size(), 1u);
  EXPECT_TRUE(Plan(seconds(1000))[0].starts_with(": 1 2 3 4 5"));
}

TEST_F(CompactPlan, FilesGrowToTheTargetAndNoFurther) {
  for (int i = 0; i < 6; ++i) Put(seconds(i), 40 * kMiB);
  Put(seconds(10), 60 * kMiB);  // large enough
  EXPECT_EQ(Plan(seconds(8000)), (Jobs{": 1 2", ": 3 4", ": 5 6"}));
}

TEST_F(CompactPlan, OtherFormatsAndFoldersAreMovedHoweverFewAndLarge) {
  options_.format = FileFormat::kParquet;
  Put(seconds(0), 90 * kMiB);
  EXPECT_EQ(Plan(seconds(8000)), Jobs{": 1"});
  files_.clear();
  Put(seconds(0), 90 * kMiB, FileFormat::kParquet);
  EXPECT_EQ(Plan(seconds(8000)), Jobs{});
  options_.rules.partition = Partitioning::kHour;
  EXPECT_EQ(Plan(seconds(8000)), Jobs{"date=2023-11-14/hour=22: 2"});
  files_.clear();
  Put(seconds(0), 90 * kMiB, FileFormat::kParquet, "date=2023-11-14/hour=22", true);
  EXPECT_EQ(Plan(seconds(8000)), Jobs{});
}

TEST_F(CompactPlan, EverythingDoesNotWaitForTheEndOfAWindow) {
  options_.everything = true;
  options_.rules.min_age_secs = 0;
  Put(seconds(0), 40 * kMiB);
  Put(seconds(1), kMiB);
  EXPECT_EQ(Plan(seconds(2)), Jobs{});
  options_.rules.min_files = 2;
  EXPECT_EQ(Plan(seconds(2)), Jobs{": 1 2"});
}

TEST_F(CompactPlan, WindowsAreNeverLongerThanAQuarterOfTheRetentionNorThanTheirPartition) {
  options_.rules.window_secs = 100'000;
  EXPECT_EQ(WindowOf(options_, Signal::kTraces), seconds(100'000));
  options_.rules.partition = Partitioning::kDate;
  EXPECT_EQ(WindowOf(options_, Signal::kTraces), seconds(86'400));
  options_.rules.partition = Partitioning::kHour;
  EXPECT_EQ(WindowOf(options_, Signal::kTraces), seconds(3600));
  options_.max_age[static_cast<size_t>(Signal::kTraces)] = seconds(600);
  EXPECT_EQ(WindowOf(options_, Signal::kTraces), seconds(150));
  options_.max_age[static_cast<size_t>(Signal::kTraces)] = seconds(1);
  EXPECT_EQ(WindowOf(options_, Signal::kTraces), seconds(1));
}

TEST_F(CompactPlan, PartitionsAreNamedByTheTimeOfArrivalInUtc) {
  EXPECT_EQ(PartitionOf(Partitioning::kNone, kHour), "");
  EXPECT_EQ(PartitionOf(Partitioning::kDate, kHour), "date=2023-11-14");
  EXPECT_EQ(PartitionOf(Partitioning::kHour, kHour + seconds(7199)), "date=2023-11-14/hour=23");
  EXPECT_EQ(PartitionOf(Partitioning::kHour, kHour + seconds(7200)), "date=2023-11-15/hour=00");
}

TEST_F(CompactPlan, OnlyWhatNobodyAsksTheNamesOfIsSettled) {
  const testing::TempDir dir;
  const StoreLayout layout(dir.path());
  for (int i = 0; i < 3; ++i) Put(seconds(i), 1000);
  Put(seconds(9), 1000, FileFormat::kArrow, "", true);
  EXPECT_EQ(SettledFiles(layout, Signal::kTraces, files_).size(), 4u);  // the writer is gone
  ASSERT_TRUE(platform::CreateDirectories(layout.WriterDir("w")).ok());
  EXPECT_EQ(SettledFiles(layout, Signal::kTraces, files_).size(), 1u);  // at work, and no ledger
  LedgerSnapshot ledger;
  ledger.writer = "w";
  ledger.stored_sequences = {2, 100, 100};
  ASSERT_TRUE(platform::CreateDirectories(layout.LedgersDir()).ok());
  ASSERT_TRUE(WriteLedgerFile(layout, ledger, false).ok());
  const auto settled = SettledFiles(layout, Signal::kTraces, files_);
  ASSERT_EQ(settled.size(), 3u);
  EXPECT_EQ(settled[1].name.range.first, 2u);
  EXPECT_TRUE(settled[2].name.merged);
}

}  // namespace
}  // namespace otlp_arrow
