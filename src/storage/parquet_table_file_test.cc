#include "storage/parquet_table_file.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/bloom_filter.h>
#include <parquet/bloom_filter_reader.h>
#include <parquet/file_reader.h>
#include <parquet/statistics.h>

#include "base/platform/platform.h"
#include "plain_batch.h"
#include "random_otlp.h"
#include "schema/decode.h"
#include "storage/dense_text.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using testing::PlainBatch;
using testing::RandomOtlp;
using testing::ReadBatches;
using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;
using ::testing::HasSubstr;

// All of them in one, without dictionaries.
std::shared_ptr<arrow::RecordBatch> Together(const Batches& batches) {
  Batches plain;
  for (const auto& batch : batches) plain.push_back(PlainBatch(*batch));
  return *(*arrow::Table::FromRecordBatches(plain))->CombineChunksToBatch();
}

void ExpectSameRows(const Batches& wanted, const Batches& read) {
  const auto a = Together(wanted), b = Together(read);
  ASSERT_EQ(a->num_rows(), b->num_rows());
  ASSERT_EQ(a->num_columns(), b->num_columns());
  for (int c = 0; c < a->num_columns(); ++c) {
    EXPECT_EQ(a->column_name(c), b->column_name(c));
    const auto options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
    ASSERT_TRUE(a->column(c)->Equals(*b->column(c), options)) << a->column_name(c) << "\n" << a->column(c)->Diff(*b->column(c));
  }
}

class ParquetTableFile : public ::testing::Test {
 protected:
  // Decodes the requests into batches of `batch_rows` and writes them as they come; returns what a reader should find.
  Batches Write(Signal signal, const std::vector<std::string>& requests, TableFileOptions options = {}, int64_t batch_rows = 16384) {
    options.format = FileFormat::kParquet;
    Batches wanted;
    std::unique_ptr<TableFileWriter> writer;
    std::unique_ptr<TableDecoder> decoder;
    const auto on_batch = [&](const std::shared_ptr<arrow::RecordBatch>& batch) -> Status {
      if (!writer) {
        OTLP_ASSIGN_OR_RETURN(writer, TableFileWriter::Create(temporary_, decoder->schema(), options, &resources_));
      }
      wanted.push_back(PlainBatch(*batch));
      return writer->Write(*batch);
    };
    decoder = TableDecoder::Make(signal, promoted_, on_batch, {.max_rows = batch_rows});
    for (const auto& request : requests) {
      int64_t items = 0;
      const Status appended = decoder->Append(request, true, &items);
      EXPECT_TRUE(appended.ok()) << appended.ToString();
    }
    const Status flushed = decoder->Flush();
    EXPECT_TRUE(flushed.ok()) << flushed.ToString();
    const Status published = writer->Publish(*decoder->DictionaryBatch(), PublishTarget{path_});
    EXPECT_TRUE(published.ok()) << published.ToString();
    EXPECT_FALSE(platform::Exists(temporary_));
    return wanted;
  }

  std::unique_ptr<parquet::ParquetFileReader> Open() const { return parquet::ParquetFileReader::OpenFile(path_); }

  testing::TempDir dir_;
  std::string temporary_ = dir_ / "traces.tmp";
  std::string path_ = dir_ / "file.parquet";
  std::vector<PromotedAttribute> promoted_ = *ParsePromotedAttributes({"http.route", "n:int64", "x:double", "b:bool"});
  TableFileResources resources_;
};

std::vector<std::string> RandomRequests(Signal signal, uint64_t seed, int count) {
  RandomOtlp random(seed);
  std::vector<std::string> requests;
  for (int i = 0; i < count; ++i) requests.push_back(random.Request(signal));
  return requests;
}

TEST_F(ParquetTableFile, ReadsBackAsTheRowsThatWereWritten) {
  for (const Signal signal : kAllSignals) {
    for (const Compression compression : {Compression::kNone, Compression::kLz4, Compression::kZstd}) {
      // Row groups end within batches, and batches within row groups.
      for (const int64_t rows : {7, 40, 100'000}) {
        SCOPED_TRACE(std::string(SignalName(signal)) + ", row groups of " + std::to_string(rows));
        const auto requests = RandomRequests(signal, static_cast<uint64_t>(rows) + static_cast<uint64_t>(signal), 12);
        const Batches wanted = Write(signal, requests, {.compression = compression, .row_group_rows = rows}, 16);
        ExpectSameRows(wanted, ReadBatches(path_));
        EXPECT_EQ(*CountRows(path_), Together(wanted)->num_rows());
        const auto metadata = Open()->metadata();
        for (int group = 0; group + 1 < metadata->num_row_groups(); ++group) EXPECT_EQ(metadata->RowGroup(group)->num_rows(), rows);
      }
    }
  }
}

TEST_F(ParquetTableFile, ArrowReadersGetOurColumns) {
  for (const Signal signal : kAllSignals) {
    Write(signal, RandomRequests(signal, 3, 5));
    const auto batch = ReadBatches(path_).at(0);
    const auto wanted = DenseSchema(*TableSchema(signal, promoted_), true);  // text in lists and maps is plain
    EXPECT_TRUE(batch->schema()->Equals(*wanted, false)) << batch->schema()->ToString() << "\n" << wanted->ToString();
    EXPECT_EQ(SignalOfSchema(*batch->schema()), signal);
  }
}

TEST_F(ParquetTableFile, EachRowGroupHasAFilterOfItsTraceIds) {
  const Batches wanted = Write(Signal::kTraces, RandomRequests(Signal::kTraces, 5, 30), {.row_group_rows = 20}, 16);
  const auto reader = Open();
  const auto rows = Together(wanted);
  const auto& ids = static_cast<const arrow::StringArray&>(*rows->GetColumnByName("trace_id"));
  ASSERT_GT(reader->metadata()->num_row_groups(), 3);
  int64_t row = 0;
  int foreign = 0, found = 0;
  for (int group = 0; group < reader->metadata()->num_row_groups(); ++group) {
    const auto filter = reader->GetBloomFilterReader().RowGroup(group)->GetColumnBloomFilter(0);
    ASSERT_NE(filter, nullptr);
    const int64_t end = row + reader->metadata()->RowGroup(group)->num_rows();
    for (int64_t i = 0; i < ids.length(); ++i) {
      const std::string_view id = ids.GetView(i);
      const parquet::ByteArray bytes(id);
      const bool has = filter->FindHash(filter->Hash(&bytes));
      if (i >= row && i < end) {
        EXPECT_TRUE(ids.IsNull(i) || has) << i;
      } else if (ids.IsValid(i)) {
        ++foreign;
        found += has ? 1 : 0;
      }
    }
    row = end;
  }
  ASSERT_GT(foreign, 1000);
  EXPECT_LT(found, foreign / 10);
  // Logs have trace ids too, metrics have none.
  Write(Signal::kLogs, RandomRequests(Signal::kLogs, 5, 30));
  EXPECT_NE(Open()->GetBloomFilterReader().RowGroup(0), nullptr);
  const Batches points = Write(Signal::kMetrics, RandomRequests(Signal::kMetrics, 5, 30), {.row_group_rows = 9});
  ExpectSameRows(points, ReadBatches(path_));
}

TEST_F(ParquetTableFile, RowGroupsWithoutTraceIdsHaveNoFilter) {
  testing::LogsRequest request;
  auto* records = request.add_resource_logs()->add_scope_logs();
  for (int i = 0; i < 30; ++i) {
    auto* record = records->add_log_records();
    record->mutable_body()->set_string_value("x" + std::to_string(i));
    if (i >= 10 && i < 20) record->set_trace_id(std::string(16, static_cast<char>('a' + i)));
  }
  const Batches wanted = Write(Signal::kLogs, {request.SerializeAsString()}, {.row_group_rows = 10});
  ExpectSameRows(wanted, ReadBatches(path_));
  const auto metadata = Open()->metadata();
  const int column = metadata->schema()->ColumnIndex("trace_id");
  for (int group = 0; group < 3; ++group) {
    EXPECT_EQ(metadata->RowGroup(group)->ColumnChunk(column)->bloom_filter_offset().has_value(), group == 1) << group;
  }
}

TEST_F(ParquetTableFile, TimesHaveStatisticsAndPages) {
  Write(Signal::kTraces, {testing::NamedRequest(Signal::kTraces, "x", 50)}, {.row_group_rows = 20, .sorted_by = "start_time"});
  const auto reader = Open();
  const int column = reader->metadata()->schema()->ColumnIndex("start_time");
  for (int group = 0; group < 3; ++group) {
    const auto row_group = reader->metadata()->RowGroup(group);
    const auto chunk = row_group->ColumnChunk(column);
    ASSERT_TRUE(chunk->statistics()->HasMinMax());
    EXPECT_EQ(static_cast<const parquet::Int64Statistics&>(*chunk->statistics()).min(), 1'700'000'000'000'000'000);
    EXPECT_TRUE(chunk->GetColumnIndexLocation() && chunk->GetOffsetIndexLocation());
    ASSERT_EQ(row_group->sorting_columns().size(), 1u);
    EXPECT_EQ(row_group->sorting_columns()[0].column_idx, column);
  }
}

TEST_F(ParquetTableFile, WithoutRowsItIsAFileToo) {
  auto writer = *TableFileWriter::Create(temporary_, TableSchema(Signal::kTraces, {}), {.format = FileFormat::kParquet}, &resources_);
  const auto none = *arrow::RecordBatch::MakeEmpty(TableSchema(Signal::kTraces, {}));
  ASSERT_TRUE(writer->Write(*none).ok());
  ASSERT_TRUE(writer->Publish(*none, PublishTarget{path_}).ok());
  EXPECT_EQ(*CountRows(path_), 0);
}

// A text that all rows share is small in memory, and as large as rows times its length without its dictionary.
TEST_F(ParquetTableFile, LongTextsThatRowsShareDoNotMultiply) {
  testing::TraceRequest request;
  auto* spans = request.add_resource_spans();
  auto* attribute = spans->mutable_resource()->add_attributes();
  attribute->set_key("long");
  attribute->mutable_value()->set_string_value(std::string(1 << 20, 'x'));
  auto* scope = spans->add_scope_spans();
  for (int i = 0; i < 40'000; ++i) scope->add_spans()->set_name("n" + std::to_string(i));
  auto writer = *TableFileWriter::Create(temporary_, TableSchema(Signal::kTraces, {}), {.format = FileFormat::kParquet}, &resources_);
  const auto decoder = TableDecoder::Make(Signal::kTraces, {}, [&](const auto& batch) { return writer->Write(*batch); });
  int64_t items = 0;
  ASSERT_TRUE(decoder->Append(request.SerializeAsString(), true, &items).ok() && decoder->Flush().ok());  // row by row 40 GiB of text
  ASSERT_TRUE(writer->Publish(*decoder->DictionaryBatch(), PublishTarget{path_}).ok());
  EXPECT_EQ(*CountRows(path_), 40'000);
  EXPECT_LT(platform::ReadFile(path_)->size(), 4u << 20);
}

TEST_F(ParquetTableFile, AnAbandonedWriterLeavesNothing) {
  const auto batches = *DecodeOtlp(Signal::kTraces, testing::NamedRequest(Signal::kTraces, "x", 100));
  auto writer = *TableFileWriter::Create(temporary_, batches[0]->schema(), {.format = FileFormat::kParquet}, &resources_);
  EXPECT_TRUE(platform::Exists(temporary_));
  ASSERT_TRUE(writer->Write(*batches[0]).ok());
  writer.reset();
  EXPECT_TRUE(platform::ListDirectory(dir_.path())->empty());
}

TEST_F(ParquetTableFile, ErrorsNameThePathAndCanBeTriedAgain) {
  const TableFileOptions options{.format = FileFormat::kParquet};
  const auto schema = TableSchema(Signal::kTraces, {});
  const auto refused = TableFileWriter::Create(dir_ / "none/traces.tmp", schema, options, &resources_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kIo);
  EXPECT_TRUE(refused.status().retryable());
  EXPECT_THAT(refused.status().message(), HasSubstr(dir_ / "none/traces.tmp"));
}

TEST_F(ParquetTableFile, DamagedFilesAreNotCounted) {
  Write(Signal::kTraces, {testing::NamedRequest(Signal::kTraces, "x", 33)});
  const std::string whole = *platform::ReadFile(path_);
  for (const size_t size : {size_t{0}, size_t{5}, whole.size() / 2, whole.size() - 1}) {
    ASSERT_TRUE(platform::ReplaceFile(path_, whole.substr(0, size), false).ok());
    const auto rows = CountRows(path_);
    ASSERT_FALSE(rows.ok()) << size;
    EXPECT_EQ(rows.status().code(), StatusCode::kIo);
    EXPECT_THAT(rows.status().message(), HasSubstr("'" + path_ + "' is no whole Parquet file"));
  }
  EXPECT_FALSE(CountRows(dir_ / "missing.parquet").ok());
}

}  // namespace
}  // namespace otlp_arrow
