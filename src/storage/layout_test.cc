#include "storage/layout.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::sys_seconds;
using std::chrono::seconds;

TEST(DataFileName, IsTimeWriterAndRange) {
  const DataFileName name{sys_seconds(seconds(1'700'000'000)), "0123456789ab", {1, 25}};
  EXPECT_EQ(name.ToString(), "20231114T221320Z-0123456789ab-0000000001_0000000025.arrow");
}

TEST(DataFileName, ReadsBackWhatItWrote) {
  for (const DataFileName& name : {DataFileName{sys_seconds(seconds(0)), "a", {1, 1}},
                                   DataFileName{sys_seconds(seconds(1'709'164'799)), "host-7-0123456789ab", {1, 2}},
                                   DataFileName{sys_seconds(seconds(4'102'444'800)), "f", {12345678901ull, UINT64_MAX}}}) {
    const auto parsed = DataFileName::Parse(name.ToString());
    ASSERT_TRUE(parsed) << name.ToString();
    EXPECT_EQ(parsed->time, name.time);
    EXPECT_EQ(parsed->writer, name.writer);
    EXPECT_EQ(parsed->range.first, name.range.first);
    EXPECT_EQ(parsed->range.last, name.range.last);
  }
}

TEST(DataFileName, SaysTheFormat) {
  const DataFileName name{sys_seconds(seconds(1'700'000'000)), "0123456789ab", {1, 25}, FileFormat::kParquet};
  EXPECT_EQ(name.ToString(), "20231114T221320Z-0123456789ab-0000000001_0000000025.parquet");
  EXPECT_EQ(DataFileName::Parse(name.ToString())->format, FileFormat::kParquet);
  EXPECT_EQ(FormatOfFileName("a.arrow"), FileFormat::kArrow);
  EXPECT_EQ(FormatOfFileName("a.parquet"), FileFormat::kParquet);
  for (const char* other : {"", "arrow", ".a.arrow", "a.parquet.tmp", "a.csv"}) EXPECT_FALSE(FormatOfFileName(other)) << other;
}

TEST(DataFileName, OfAMergedFileHoldsNoJournalPositions) {
  DataFileName name{sys_seconds(seconds(1'700'000'000)), "0123456789ab", {7, 9}, FileFormat::kParquet, true};
  EXPECT_EQ(name.ToString(), "20231114T221320Z-0123456789ab-merged.parquet");
  const auto parsed = DataFileName::Parse(name.ToString());
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->merged);
  EXPECT_EQ(parsed->time, name.time);
  EXPECT_EQ(parsed->writer, name.writer);
  for (const uint64_t sequence : {0, 1, 7, 9}) EXPECT_FALSE(parsed->range.Contains(sequence));
}

class ListDataFilesTest : public ::testing::Test {
 protected:
  void Touch(const std::string& path, size_t bytes = 0) {
    const auto whole = std::filesystem::path(dir_ / ("otlp/traces/" + path));
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << std::string(bytes, 'x');
  }
  std::vector<std::string> Listed() {
    auto files = ListDataFiles(StoreLayout(dir_.path()), Signal::kTraces);
    EXPECT_TRUE(files.ok());
    std::vector<std::string> names;
    for (const DataFile& file : *files) {
      EXPECT_EQ(file.path, dir_ / ("otlp/traces/" + file.partition + (file.partition.empty() ? "" : "/") + file.name.ToString()));
      names.push_back(file.partition + ":" + file.name.writer + ":" + std::to_string(file.bytes));
    }
    return names;
  }
  testing::TempDir dir_;
};

TEST_F(ListDataFilesTest, FindsThoseOfPartitionsTooTheOldestFirst) {
  Touch("20231114T221322Z-c-0000000001_0000000002.arrow", 3);
  Touch("date=2023-11-14/hour=22/20231114T221321Z-b-merged.parquet", 2);
  Touch("date=2023-11-14/20231114T221320Z-a-merged.arrow", 1);
  EXPECT_EQ(Listed(), (std::vector<std::string>{"date=2023-11-14:a:1", "date=2023-11-14/hour=22:b:2", ":c:3"}));
}

TEST_F(ListDataFilesTest, PassesOverWhatIsNotOurs) {
  EXPECT_TRUE(Listed().empty());  // no such folder
  Touch(".date=1/20231114T221321Z-b-merged.parquet");
  Touch("backup/20231114T221321Z-b-merged.parquet");
  Touch("a=1/b=2/c=3/d=4/e=5/20231114T221321Z-b-merged.parquet");
  Touch("date=1/notes.parquet");
  Touch("20231114T221321Z-b-merged.parquet/inside");
  EXPECT_TRUE(Listed().empty());
}

TEST(DataFileName, NamesSortByTime) {
  const DataFileName early{sys_seconds(seconds(1'700'000'000)), "z", {5, 6}};
  const DataFileName late{sys_seconds(seconds(1'700'000'001)), "a", {1, 2}};
  EXPECT_LT(early.ToString(), late.ToString());
}

TEST(DataFileName, RefusesNamesOfOthers) {
  for (const char* name : {
           "",
           ".arrow",
           "notes.arrow",
           "20231114T221320Z-0123456789ab-0000000001_0000000025.parquets",
           ".20231114T221320Z-0123456789ab-0000000001_0000000025.parquet",
           "20231114T221320Z--merged.parquet",
           "20231114T221320Z-merged.parquet",
           "20231114T221320Z-0123456789ab-merger.parquet",
           "20231114T221320Z-0123456789ab-0000000001_0000000025.arrow.tmp",
           "20231114T221320Z-0123456789ab.arrow",
           "20231114T221320Z--0000000001_0000000025.arrow",
           "20231114T221320Z-0123456789ab-.arrow",
           "20231114T221320Z-0123456789ab-1.arrow",
           "20231114T221320Z-0123456789ab-0000000001_.arrow",
           "20231114T221320Z-0123456789ab-_0000000025.arrow",
           "20231114T221320Z-0123456789ab-0000000001_00000000x5.arrow",
           "20231114T221320Z-0123456789ab-0000000001_0000000025_3.arrow",
           "20231114T221320Z-0123456789ab-0000000001_99999999999999999999.arrow",
           "20231114T221320-0123456789ab-0000000001_0000000025.arrow",
           "2023-11-14T22:13-0123456789ab-0000000001_0000000025.arrow",
           "20231314T221320Z-0123456789ab-0000000001_0000000025.arrow",
           "20231114T251320Z-0123456789ab-0000000001_0000000025.arrow",
           "traces-20231114T221320Z-0000000001_0000000025.arrow",
       }) {
    EXPECT_FALSE(DataFileName::Parse(name)) << name;
  }
}

TEST(SequenceRange, HoldsBothEnds) {
  const SequenceRange range{3, 5};
  EXPECT_FALSE(range.Contains(2));
  EXPECT_TRUE(range.Contains(3));
  EXPECT_TRUE(range.Contains(5));
  EXPECT_FALSE(range.Contains(6));
}

TEST(WriterId, IsTwelveHexDigitsAndNew) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string id = NewWriterId();
    EXPECT_EQ(id.size(), 12u);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 50u);
}

TEST(StoreLayout, StandsBelowTheOutputDirectory) {
  const StoreLayout layout("/data");
  EXPECT_EQ(layout.DataDir(Signal::kTraces), "/data/otlp/traces");
  EXPECT_EQ(layout.DataDir(Signal::kMetrics), "/data/otlp/metrics");
  EXPECT_EQ(layout.DataDir(Signal::kLogs), "/data/otlp/logs");
  EXPECT_EQ(layout.WriterDir("w"), "/data/journal/w");
  EXPECT_EQ(layout.WriterLock("w"), "/data/journal/w/lock");
  EXPECT_EQ(layout.LedgerFile("w"), "/data/ledger/w.json");
  EXPECT_EQ(layout.DamagedDir(), "/data/damaged");
}

}  // namespace
}  // namespace otlp_arrow
