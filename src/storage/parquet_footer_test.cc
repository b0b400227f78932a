#include "storage/parquet_footer.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>

#include <cstring>

namespace otlp_arrow {
namespace {

using Places = std::vector<std::optional<BloomFilterPlace>>;
using ::testing::HasSubstr;

// A file of `groups` row groups with an integer, a text, and a list column, written by Arrow.
std::string WriteFile(int groups) {
  auto numbers = arrow::Int64Builder();
  auto texts = arrow::StringBuilder();
  auto values = std::make_shared<arrow::Int64Builder>();
  auto lists = arrow::ListBuilder(arrow::default_memory_pool(), values);
  for (int i = 0; i < groups * 10; ++i) {
    EXPECT_TRUE(numbers.Append(i).ok() && texts.Append("text " + std::to_string(i)).ok() && lists.Append().ok() && values->Append(i).ok());
  }
  auto schema = arrow::schema({arrow::field("n", arrow::int64()), arrow::field("t", arrow::utf8()), arrow::field("l", arrow::list(arrow::int64()))});
  const auto table = arrow::Table::Make(schema, {*numbers.Finish(), *texts.Finish(), *lists.Finish()});
  auto sink = *arrow::io::BufferOutputStream::Create();
  const auto properties = parquet::WriterProperties::Builder().enable_write_page_index()->enable_page_checksum()->build();
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 10, properties, parquet::ArrowWriterProperties::Builder().store_schema()->build()).ok());
  return (*sink->Finish())->ToString();
}

// What stands before the footer, and the footer.
std::pair<std::string, std::string> Split(const std::string& file) {
  uint32_t length = 0;
  std::memcpy(&length, file.data() + file.size() - 8, 4);
  const size_t begin = file.size() - 8 - length;
  return {file.substr(0, begin), file.substr(begin, length)};
}

std::unique_ptr<parquet::ParquetFileReader> Open(std::string data, const std::string& footer) {
  const auto length = static_cast<uint32_t>(footer.size());
  data += footer;
  data.append(reinterpret_cast<const char*>(&length), 4);
  data += "PAR1";
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::move(data))));
}

TEST(ParquetFooter, ReadersFindTheFilters) {
  auto [data, footer] = Split(WriteFile(3));
  parquet::BlockSplitBloomFilter filter;
  filter.Init(1024);
  const parquet::ByteArray inside("text 7"), outside("text 8");
  filter.InsertHash(filter.Hash(&inside));
  auto sink = *arrow::io::BufferOutputStream::Create();
  filter.WriteTo(sink.get());
  const std::string bytes = (*sink->Finish())->ToString();
  const BloomFilterPlace place{static_cast<int64_t>(data.size()), static_cast<int32_t>(bytes.size())};
  const auto placed = PlaceBloomFilters(footer, 1, {place, std::nullopt, place});
  ASSERT_TRUE(placed.ok()) << placed.status().ToString();

  const auto reader = Open(data + bytes, *placed);
  for (int group = 0; group < 3; ++group) {
    const auto of_group = reader->GetBloomFilterReader().RowGroup(group);
    EXPECT_EQ(reader->metadata()->RowGroup(group)->ColumnChunk(0)->bloom_filter_offset(), std::nullopt);
    const auto found = of_group ? of_group->GetColumnBloomFilter(1) : nullptr;
    ASSERT_EQ(found != nullptr, group != 1);
    if (!found) continue;
    EXPECT_TRUE(found->FindHash(found->Hash(&inside)));
    EXPECT_FALSE(found->FindHash(found->Hash(&outside)));
    EXPECT_EQ(reader->metadata()->RowGroup(group)->ColumnChunk(1)->bloom_filter_length(), place.bytes);
  }
}

TEST(ParquetFooter, AllElseStaysAsItWas) {
  for (const int groups : {1, 2, 20}) {  // lists of more than 14 items have another header
    auto [data, footer] = Split(WriteFile(groups));
    Places none(static_cast<size_t>(groups));
    EXPECT_EQ(*PlaceBloomFilters(footer, 2, none), footer);
    Places all(static_cast<size_t>(groups), BloomFilterPlace{(int64_t{1} << 40) + 7, 300});
    const std::string placed = *PlaceBloomFilters(footer, 0, all);
    const auto before = Open(data, footer)->metadata(), after = Open(data, placed)->metadata();
    for (int group = 0; group < groups; ++group) {
      for (int column = 0; column < before->num_columns(); ++column) {
        const auto was = before->RowGroup(group)->ColumnChunk(column), is = after->RowGroup(group)->ColumnChunk(column);
        EXPECT_EQ(is->bloom_filter_offset(), column == 0 ? std::optional(all[0]->offset) : std::nullopt);
        EXPECT_EQ(is->data_page_offset(), was->data_page_offset());
        EXPECT_EQ(is->encodings(), was->encodings());
        EXPECT_EQ(is->statistics()->EncodeMax(), was->statistics()->EncodeMax());
        EXPECT_EQ(is->GetOffsetIndexLocation()->offset, was->GetOffsetIndexLocation()->offset);
        EXPECT_EQ(is->total_compressed_size(), was->total_compressed_size());
      }
    }
    EXPECT_TRUE(after->schema()->Equals(*before->schema()));
    EXPECT_TRUE(after->key_value_metadata()->Equals(*before->key_value_metadata()));
    EXPECT_EQ(after->created_by(), before->created_by());
  }
}

TEST(ParquetFooter, WhatIsNoSuchFooterIsRefused) {
  const std::string footer = Split(WriteFile(2)).second;
  const Places places(2, BloomFilterPlace{100, 20});
  const auto why = [&](std::string_view bytes, size_t column, const Places& wanted) {
    const auto placed = PlaceBloomFilters(bytes, column, wanted);
    EXPECT_FALSE(placed.ok());
    return placed.ok() ? std::string() : placed.status().message();
  };
  EXPECT_THAT(why(footer, 1, Places(1)), HasSubstr("more than 1 row groups"));
  EXPECT_THAT(why(footer, 1, Places(3)), HasSubstr("2 row groups instead of 3"));
  EXPECT_THAT(why(footer, 9, places), HasSubstr("only 3 columns"));
  EXPECT_THAT(why(*PlaceBloomFilters(footer, 1, places), 1, places), HasSubstr("bloom filters already"));
  EXPECT_THAT(why(footer + "x", 1, places), HasSubstr("1 bytes follow it"));
  for (size_t size = 0; size < footer.size(); ++size) EXPECT_FALSE(PlaceBloomFilters({footer.data(), size}, 1, places).ok()) << size;
}

// No byte of it may lead outside the memory: the sanitizers' build looks.
TEST(ParquetFooter, DamagedBytesAreReadSafely) {
  const std::string footer = Split(WriteFile(2)).second;
  const Places places(2, BloomFilterPlace{100, 20});
  int refused = 0;
  for (size_t at = 0; at < footer.size(); ++at) {
    for (const char damage : {'\0', '\xff', '\x19', '\x1c'}) {
      std::string damaged = footer;
      damaged[at] = damage;
      refused += PlaceBloomFilters(damaged, 1, places).ok() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 100);
  EXPECT_FALSE(PlaceBloomFilters(std::string(100'000, '\x1c'), 1, places).ok());  // structures in structures
  EXPECT_FALSE(PlaceBloomFilters(std::string(100'000, '\x19'), 1, places).ok());  // lists in lists
}

}  // namespace
}  // namespace otlp_arrow
