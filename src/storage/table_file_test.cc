#include "storage/table_file.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "plain_batch.h"
#include "random_otlp.h"
#include "schema/decode.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using testing::PlainBatch;
using testing::RandomOtlp;
using testing::ReadBatches;

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

std::string CompressionName(const ::testing::TestParamInfo<Compression>& info) {
  return info.param == Compression::kNone ? "None" : info.param == Compression::kLz4 ? "Lz4" : "Zstd";
}

class TableFile : public ::testing::TestWithParam<Compression> {
 protected:
  std::unique_ptr<TableFileWriter> Create(const std::shared_ptr<arrow::Schema>& schema) {
    auto writer = TableFileWriter::Create(temporary_, schema, {.compression = GetParam()}, &resources_);
    EXPECT_TRUE(writer.ok()) << writer.status().ToString();
    return *std::move(writer);
  }

  // Decodes requests into batches of few rows and writes them as they come; returns what a reader should find.
  Batches WriteRequests(Signal signal, const std::vector<std::string>& requests, int64_t max_rows, const std::string& path) {
    Batches wanted;
    std::unique_ptr<TableFileWriter> writer;
    std::unique_ptr<TableDecoder> decoder;
    auto on_batch = [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
      if (!writer) writer = Create(decoder->schema());
      wanted.push_back(PlainBatch(*batch));
      return writer->Write(*batch);
    };
    DecoderOptions options;
    options.max_rows = max_rows;
    decoder = TableDecoder::Make(signal, {}, on_batch, options);
    int64_t rows = 0;
    for (const std::string& request : requests) {
      int64_t items = 0;
      EXPECT_TRUE(decoder->Append(request, false, &items).ok());
      rows += items;
    }
    EXPECT_TRUE(decoder->Flush().ok());
    EXPECT_EQ(writer->rows(), rows);
    EXPECT_FALSE(platform::Exists(path)) << "visible before it is whole";
    const Status published = writer->Publish(*decoder->DictionaryBatch(), PublishTarget{path});
    EXPECT_TRUE(published.ok()) << published.ToString();
    EXPECT_FALSE(platform::Exists(temporary_));
    return wanted;
  }

  static void ExpectSameBatch(const arrow::RecordBatch& wanted, const arrow::RecordBatch& read, const std::string& what) {
    const auto plain = PlainBatch(read);
    ASSERT_EQ(plain->num_columns(), wanted.num_columns()) << what;
    for (int c = 0; c < wanted.num_columns(); ++c) {
      const auto options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
      ASSERT_TRUE(plain->column(c)->Equals(*wanted.column(c), options))
          << what << ", column " << wanted.column_name(c) << "\n" << plain->column(c)->Diff(*wanted.column(c));
    }
  }
  static void ExpectSame(const Batches& wanted, const Batches& read) {
    ASSERT_EQ(read.size(), wanted.size());
    for (size_t i = 0; i < read.size(); ++i) {
      ExpectSameBatch(*wanted[i], *read[i], "batch " + std::to_string(i));
    }
  }

  testing::TempDir dir_;
  std::string temporary_ = dir_ / "traces.tmp";
  TableFileResources resources_;
};

TEST_P(TableFile, ReadsBackAsTheBatchesThatWereWritten) {
  for (Signal signal : kAllSignals) {
    RandomOtlp random(static_cast<uint64_t>(signal) + 1);
    std::vector<std::string> requests;
    for (int i = 0; i < 20; ++i) requests.push_back(random.Request(signal));
    const std::string path = dir_ / std::string(SignalName(signal)) + ".arrow";
    const Batches wanted = WriteRequests(signal, requests, 16384, path);
    ExpectSame(wanted, ReadBatches(path));
  }
}

TEST_P(TableFile, DictionariesThatGrowFromBatchToBatchReadBack) {
  // Every batch brings texts that the one before did not have, and uses old ones.
  std::vector<std::string> requests;
  for (int i = 0; i < 40; ++i) {
    requests.push_back(testing::NamedRequest(Signal::kTraces, "new" + std::to_string(i), 5));
    requests.push_back(testing::NamedRequest(Signal::kTraces, "old", 3));
  }
  const std::string path = dir_ / "file.arrow";
  const Batches wanted = WriteRequests(Signal::kTraces, requests, 16, path);
  ASSERT_GE(wanted.size(), 10u);
  const Batches read = ReadBatches(path);
  ExpectSame(wanted, read);
  // One dictionary for the whole file, read in any order.
  auto reader = *arrow::ipc::RecordBatchFileReader::Open(*arrow::io::ReadableFile::Open(path));
  for (int i = reader->num_record_batches(); i-- > 0;) {
    ExpectSameBatch(*wanted[static_cast<size_t>(i)], **reader->ReadRecordBatch(i), "batch " + std::to_string(i));
  }
}

TEST_P(TableFile, TheSchemaCarriesItsMetadata) {
  const std::string path = dir_ / "file.arrow";
  WriteRequests(Signal::kLogs, {testing::NamedRequest(Signal::kLogs, "x", 1)}, 16, path);
  auto reader = *arrow::ipc::RecordBatchFileReader::Open(*arrow::io::ReadableFile::Open(path));
  EXPECT_TRUE(reader->schema()->Equals(*TableSchema(Signal::kLogs, {}), true)) << reader->schema()->ToString(true);
}

TEST_P(TableFile, ResourcesServeOneFileAfterTheOther) {
  for (int i = 0; i < 5; ++i) {
    RandomOtlp random(static_cast<uint64_t>(100 + i));
    const std::string path = dir_ / std::to_string(i) + ".arrow";
    std::vector<std::string> requests;
    for (int j = 0; j < 10; ++j) requests.push_back(random.Request(Signal::kMetrics));
    const Batches wanted = WriteRequests(Signal::kMetrics, requests, 7, path);
    ExpectSame(wanted, ReadBatches(path));
  }
}

TEST_P(TableFile, AnAbandonedWriterLeavesNothing) {
  const auto batches = *DecodeOtlp(Signal::kTraces, testing::NamedRequest(Signal::kTraces, "x", 100));
  auto writer = Create(batches[0]->schema());
  EXPECT_TRUE(platform::Exists(temporary_));
  ASSERT_TRUE(writer->Write(*batches[0]).ok());
  ::testing::internal::CaptureStderr();
  writer.reset();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(platform::ListDirectory(dir_.path())->empty());
}

TEST_P(TableFile, ReplacesWhatAFormerLifeLeft) {
  ASSERT_TRUE(platform::ReplaceFile(temporary_, std::string(1 << 20, 'x'), false).ok());
  const std::string path = dir_ / "file.arrow";
  const Batches wanted = WriteRequests(Signal::kTraces, {testing::NamedRequest(Signal::kTraces, "x", 3)}, 16, path);
  ExpectSame(wanted, ReadBatches(path));
}

TEST_P(TableFile, CountsRowsOfWholeFilesOnly) {
  const std::string path = dir_ / "file.arrow";
  WriteRequests(Signal::kTraces, {testing::NamedRequest(Signal::kTraces, "x", 33)}, 10, path);
  EXPECT_EQ(*CountRows(path), 33);
  const std::string whole = *platform::ReadFile(path);
  for (size_t size : {size_t{0}, size_t{5}, whole.size() / 2, whole.size() - 1}) {
    ASSERT_TRUE(platform::ReplaceFile(path, whole.substr(0, size), false).ok());
    const auto rows = CountRows(path);
    ASSERT_FALSE(rows.ok()) << size;
    EXPECT_EQ(rows.status().code(), StatusCode::kIo);
    EXPECT_NE(rows.status().message().find("'" + path + "' is no whole Arrow file"), std::string::npos) << rows.status().message();
  }
  EXPECT_FALSE(CountRows(dir_ / "missing").ok());
}

TEST_P(TableFile, ErrorsNameThePathAndCanBeTriedAgain) {
  const auto refused = TableFileWriter::Create(dir_ / "none/traces.tmp", TableSchema(Signal::kTraces, {}), {.compression = GetParam()}, &resources_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), StatusCode::kIo);
  EXPECT_TRUE(refused.status().retryable());
  EXPECT_NE(refused.status().message().find(dir_ / "none/traces.tmp"), std::string::npos) << refused.status().message();

  const auto batches = *DecodeOtlp(Signal::kTraces, testing::NamedRequest(Signal::kTraces, "x", 1));
  auto writer = Create(batches[0]->schema());
  ASSERT_TRUE(writer->Write(*batches[0]).ok());
  EXPECT_EQ(writer->Publish(*batches[0]->Slice(0, 0), PublishTarget{dir_ / "none/file.arrow"}).code(), StatusCode::kIo);
  writer.reset();
  EXPECT_TRUE(platform::ListDirectory(dir_.path())->empty());
}

TEST_P(TableFile, SyncsWhenAsked) {
  const auto batches = *DecodeOtlp(Signal::kTraces, testing::NamedRequest(Signal::kTraces, "x", 4));
  auto writer = Create(batches[0]->schema());
  ASSERT_TRUE(writer->Write(*batches[0]).ok());
  const Status published = writer->Publish(*batches[0]->Slice(0, 0), PublishTarget{dir_ / "file.arrow", "", true});
  ASSERT_TRUE(published.ok()) << published.ToString();
  EXPECT_EQ(testing::NamesIn(Signal::kTraces, ReadBatches(dir_ / "file.arrow")), testing::ItemNames("x", 4));
}

INSTANTIATE_TEST_SUITE_P(EachCompression, TableFile, ::testing::Values(Compression::kNone, Compression::kLz4, Compression::kZstd),
                         CompressionName);

}  // namespace
}  // namespace otlp_arrow
