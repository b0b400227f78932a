#include "storage/merged_counts.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "schema/decode.h"
#include "storage/retention.h"
#include "storage/table_file.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::seconds;

TEST(MergedCounts, ReadsBackWhatItWrote) {
  for (const RowsByWriter& rows : {RowsByWriter{}, RowsByWriter{{"a", 0}}, RowsByWriter{{"0f1e2d3c4b5a", 120}, {"host-7:x", 7}}}) {
    EXPECT_EQ(ParseMergedRows(MergedRowsText(rows)), rows);
  }
}

TEST(MergedCounts, LeavesOutWhatIsNone) {
  EXPECT_EQ(ParseMergedRows("a:1,,b,c:,:4,d:-1,e:1x,f:99999999999999999999,a:2"), (RowsByWriter{{"a", 3}}));
}

TEST(MergedCounts, StandInTheMetadataBesideTheRest) {
  const auto schema = arrow::schema({}, arrow::key_value_metadata({"k"}, {"v"}));
  EXPECT_TRUE(MergedRowsOf(*schema).empty());
  auto merged = WithMergedRows(*schema, {{"a", 1}});
  merged = WithMergedRows(*merged, {{"b", 2}});
  EXPECT_EQ(MergedRowsOf(*merged), (RowsByWriter{{"b", 2}}));
  EXPECT_EQ(*merged->metadata()->Get("k"), "v");
}

class MergedFiles : public ::testing::TestWithParam<FileFormat> {};
INSTANTIATE_TEST_SUITE_P(Each, MergedFiles, ::testing::Values(FileFormat::kArrow, FileFormat::kParquet),
                         [](const auto& param) { return param.param == FileFormat::kArrow ? "Arrow" : "Parquet"; });

TEST_P(MergedFiles, ExpireForEachWriterWhoseRowsTheyHold) {
  const testing::TempDir dir;
  const StoreLayout layout(dir.path());
  const std::string folder = layout.DataDir(Signal::kLogs) + "/date=2023-11-14";
  ASSERT_TRUE(platform::CreateDirectories(folder).ok());
  const std::chrono::sys_seconds time(seconds(1'700'000'000));
  const std::string path = folder + "/" + DataFileName{time, "id", {1, 0}, GetParam(), true}.ToString();
  const auto schema = WithMergedRows(*TableSchema(Signal::kLogs, {}), {{"one", 5}, {"two", 7}});
  TableFileResources resources;
  TableFileOptions options;
  options.format = GetParam();
  auto writer = *TableFileWriter::Create(dir / "tmp", schema, options, &resources);
  const auto rows = *DecodeOtlp(Signal::kLogs, testing::NamedRequest(Signal::kLogs, "a", 12));
  ASSERT_TRUE(writer->Write(*rows[0]).ok());
  ASSERT_TRUE(writer->Publish(*rows[0]->Slice(0, 0), {path, layout.PublishLock()}).ok());
  EXPECT_EQ(*ReadMergedRows(path), (RowsByWriter{{"one", 5}, {"two", 7}}));

  RetentionRules rules;
  rules.max_age = {seconds(10), seconds(10), seconds(10)};
  auto may = [](const std::string& name) { return name == "id"; };
  EXPECT_TRUE(ExpireFiles(layout, rules, time + seconds(10), may)->empty());
  const auto expired = *ExpireFiles(layout, rules, time + seconds(11), may);
  ASSERT_EQ(expired.size(), 2u);
  EXPECT_EQ(expired[0].writer, "one");
  EXPECT_EQ(expired[0].items, 5);
  EXPECT_EQ(expired[1].writer, "two");
  EXPECT_EQ(expired[1].items, 7);
  EXPECT_FALSE(platform::Exists(path));
  EXPECT_FALSE(ReadMergedRows(path).ok());
}

}  // namespace
}  // namespace otlp_arrow
