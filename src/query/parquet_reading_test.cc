// Parquet files, alone and beside Arrow files, as our reader sees them.
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/platform/platform.h"
#include "otlp/scan.h"
#include "otlp_arrow/reader.h"
#include "plain_batch.h"
#include "query/message_stream.h"
#include "query/stored_files.h"
#include "query/stored_files_testing.h"
#include "query/stream_planner.h"
#include "random_otlp.h"
#include "schema/encode.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::NamesIn;
using testing::SpanRequest;
using testing::TempDir;
using testing::WriteStoredFile;

constexpr int64_t kSecond = 1'000'000'000;
constexpr const char* kArrow = "20240506T070809Z-0f1e2d3c4b5a-0000000001_0000000001.arrow";
constexpr const char* kParquet = "20240506T070810Z-0f1e2d3c4b5a-0000000002_0000000002.parquet";
constexpr const char* kMerged = "20240506T070811Z-aaaaaaaaaaaa-merged.parquet";

arrow::Result<arrow::RecordBatchVector> Stream(StoreReader* reader, Signal signal, const ReadOptions& options) {
  ArrowArrayStream stream{};
  const Status status = reader->Read(signal, options, &stream);
  EXPECT_TRUE(status.ok()) << status.ToString();
  ARROW_ASSIGN_OR_RAISE(const auto batches, arrow::ImportRecordBatchReader(&stream));
  return batches->ToRecordBatches();
}

std::vector<std::string> Names(StoreReader* reader, const ReadOptions& options = {}) {
  const auto batches = Stream(reader, Signal::kTraces, options);
  EXPECT_TRUE(batches.ok()) << batches.status();
  const auto names = batches.ok() ? NamesIn(Signal::kTraces, *batches) : std::vector<std::string>();
  EXPECT_EQ(*reader->CountRows(Signal::kTraces, options), static_cast<int64_t>(names.size()));
  return names;
}

// Spans of one second each, each of a trace of its own, in row groups of `group_rows`.
std::string TraceIdOf(int i) {
  char id[33];
  std::snprintf(id, sizeof(id), "%032x", 0xabc000 + i * 7919);
  return id;
}

void WriteSpans(const std::string& path, int count, int64_t group_rows) {
  testing::TraceRequest request;
  auto* spans = request.add_resource_spans()->add_scope_spans();
  for (int i = 0; i < count; ++i) {
    auto* span = spans->add_spans();
    const std::string hex = TraceIdOf(i);
    std::string id;
    for (size_t at = 0; at < hex.size(); at += 2) id += static_cast<char>(std::stoi(hex.substr(at, 2), nullptr, 16));
    span->set_trace_id(id);
    span->set_span_id("12345678");
    span->set_name("n" + std::to_string(i));
    span->set_start_time_unix_nano(static_cast<uint64_t>(kSecond) * static_cast<uint64_t>(i + 1));
  }
  fs::create_directories(fs::path(path).parent_path());
  TableFileResources resources;
  TableFileOptions options;
  options.format = FileFormat::kParquet;
  options.row_group_rows = group_rows;
  auto writer = *TableFileWriter::Create(path + ".tmp", TableSchema(Signal::kTraces, {}), options, &resources);
  const auto decoder = TableDecoder::Make(Signal::kTraces, {}, [&](const auto& batch) { return writer->Write(*batch); });
  int64_t items = 0;
  ASSERT_TRUE(decoder->Append(request.SerializeAsString(), false, &items).ok() && decoder->Flush().ok());
  ASSERT_TRUE(writer->Publish(*decoder->DictionaryBatch(), PublishTarget{path}).ok());
}

std::string EncodedBytes(Signal signal, const arrow::RecordBatch& batch) {
  const auto encoded = EncodeOtlp(signal, batch);
  EXPECT_TRUE(encoded.ok()) << encoded.status().ToString();
  std::string bytes;
  for (const auto& request : *encoded) bytes += request.bytes;
  return bytes;
}

class ParquetReading : public ::testing::Test {
 protected:
  std::string Traces(const std::string& name) const { return dir_.path() + "/otlp/traces/" + name; }
  std::shared_ptr<StoreReader> Open() const { return *StoreReader::Open(dir_.path()); }
  TempDir dir_;
};

TEST_F(ParquetReading, BothFormatsAreOneTable) {
  WriteStoredFile(Traces(kArrow), Signal::kTraces, {SpanRequest("a", 2, 100)});
  WriteStoredFile(Traces(std::string("date=2024-05-06/hour=07/") + kParquet), Signal::kTraces, {SpanRequest("b", 3, 200)});
  WriteStoredFile(dir_.path() + "/otlp/.traces-0a1b/" + kParquet, Signal::kTraces, {SpanRequest("hidden", 3, 200)});
  const auto reader = Open();
  EXPECT_THAT(Names(reader.get()), ElementsAre("span 0", "span 1", "span 0", "span 1", "span 2"));
  EXPECT_THAT(Names(reader.get(), {.services = {"b"}}), ElementsAre("span 0", "span 1", "span 2"));
  EXPECT_THAT(Names(reader.get(), {.start = 201 * kSecond, .end = 202 * kSecond}), ElementsAre("span 1"));
  EXPECT_THAT(Names(reader.get(), {.columns = {"events", "name", "attributes"}}), ElementsAre("span 0", "span 1", "span 0", "span 1", "span 2"));
  // Also where the hidden folder is not known to be one of ours.
  EXPECT_EQ(FindStoredFiles(dir_.path())->size(), 2u);
  EXPECT_EQ(Names(StoreReader::Open(dir_.path() + "/otlp")->get()).size(), 5u);
  EXPECT_EQ(Names(StoreReader::Open(Traces(std::string("date=2024-05-06/hour=07/") + kParquet))->get()).size(), 3u);
}

// Random requests of every kind: what is read of a Parquet file is what is read of an Arrow file, and OTLP again.
TEST_F(ParquetReading, RowsAreThoseOfTheArrowFileAndTurnBackIntoOtlp) {
  const auto seeds = testing::TestSeeds(12);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    for (const Signal signal : kAllSignals) {
      SCOPED_TRACE(std::string(SignalName(signal)) + " " + std::to_string(seed));
      std::vector<std::string> requests;
      testing::RandomOtlp random(seed);
      for (int i = 0; i < 4; ++i) {
        std::string request = random.Request(signal);
        if (ScanOtlp(signal, request).rejected_items == 0) requests.push_back(std::move(request));
      }
      if (requests.empty()) continue;
      const std::string parquet = dir_ / "x.parquet", arrow = dir_ / "x.arrow";
      WriteStoredFile(parquet, signal, requests);
      WriteStoredFile(arrow, signal, requests);
      const auto a = Stream(StoreReader::Open(arrow)->get(), signal, {});
      const auto b = Stream(StoreReader::Open(parquet)->get(), signal, {});
      ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
      const auto of_arrow = *arrow::Table::FromRecordBatches(*a), of_parquet = *arrow::Table::FromRecordBatches(*b);
      ASSERT_TRUE(of_arrow->schema()->Equals(*of_parquet->schema(), true)) << of_parquet->schema()->ToString();
      const auto wanted = testing::PlainBatch(**of_arrow->CombineChunksToBatch()), found = testing::PlainBatch(**of_parquet->CombineChunksToBatch());
      for (int c = 0; c < wanted->num_columns(); ++c) {
        const auto equal = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
        ASSERT_TRUE(found->column(c)->Equals(*wanted->column(c), equal)) << wanted->column_name(c) << "\n" << found->column(c)->Diff(*wanted->column(c));
      }
      // What replay makes of the file's own batches.
      auto file = StoredFile::Open(parquet);
      ASSERT_TRUE(file.ok());
      ASSERT_EQ(file->batch_count(), 1);
      EXPECT_EQ(EncodedBytes(signal, **file->ReadBatch(0)), EncodedBytes(signal, *wanted));
    }
  }
}

TEST_F(ParquetReading, RowGroupsWithoutAWantedRowAreNotRead) {
  WriteSpans(Traces(kParquet), 1000, 100);
  const auto reader = Open();
  EXPECT_THAT(Names(reader.get(), {.trace_ids = {TraceIdOf(512)}}), ElementsAre("n512"));
  std::string upper = TraceIdOf(7);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_THAT(Names(reader.get(), {.trace_ids = {upper, TraceIdOf(999)}}), ElementsAre("n7", "n999"));
  EXPECT_THAT(Names(reader.get(), {.trace_ids = {std::string(32, 'f')}}), ElementsAre());
  EXPECT_THAT(Names(reader.get(), {.start = 300 * kSecond, .end = 302 * kSecond}), ElementsAre("n299", "n300"));

  // Which batches are read at all.
  auto file = *StoredFile::Open(Traces(kParquet));
  ASSERT_EQ(file.batch_count(), 10);
  const auto read = [&](const RowFilter& filter) {
    auto fresh = *file.WithColumns({"name"});
    std::vector<int> batches;
    for (int i = 0; i < fresh.batch_count(); ++i) {
      if (fresh.MayHave(i, filter)) batches.push_back(i);
    }
    return batches;
  };
  EXPECT_THAT(read({.start = 250 * kSecond, .end = 251 * kSecond}), ElementsAre(2));
  EXPECT_THAT(read({.start = 900 * kSecond}), ElementsAre(8, 9));
  EXPECT_THAT(read({.end = 1 * kSecond}), ElementsAre());
  EXPECT_THAT(read({.services = {"x"}}).size(), 10u);  // no row has a service: nothing is known of the column
  int found = 0;
  for (int i = 0; i < 1000; i += 50) {
    const auto batches = read({.trace_ids = {TraceIdOf(i)}});
    EXPECT_THAT(batches, ::testing::Contains(i / 100));
    found += static_cast<int>(batches.size());
  }
  EXPECT_LT(found, 40);  // of 20 ids: hardly one in a row group that has it not
}

TEST_F(ParquetReading, BatchesMayBeReadInAnyOrder) {
  WriteSpans(Traces(kParquet), 40'000, 35'000);
  auto file = *StoredFile::Open(Traces(kParquet), {"name"});
  ASSERT_EQ(file.batch_count(), 4);  // 16384 rows at most, and at the end of the row group
  for (const int i : {2, 0, 3, 1, 1}) {
    const auto batch = file.ReadBatch(i);
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    const int first = i == 3 ? 35'000 : i * 16'384;
    EXPECT_EQ((*batch)->num_rows(), i == 3 ? 5'000 : i == 2 ? 2'232 : 16'384);
    EXPECT_EQ(NamesIn(Signal::kTraces, {*batch}).front(), "n" + std::to_string(first));
    EXPECT_EQ(NamesIn(Signal::kTraces, {*batch}).back(), "n" + std::to_string(first + (*batch)->num_rows() - 1));
  }
}

TEST_F(ParquetReading, WhatIsNoTraceIdIsRefused) {
  const auto reader = Open();
  EXPECT_THAT(reader->CountRows(Signal::kTraces, {.trace_ids = {"4bf9"}}).status().message(), HasSubstr("'4bf9' is no trace id; it has 32"));
  EXPECT_THAT(reader->CountRows(Signal::kMetrics, {.trace_ids = {TraceIdOf(1)}}).status().message(), HasSubstr("trace_ids: data points have none"));
}

TEST_F(ParquetReading, StreamsOfMessagesHaveBothFormats) {
  WriteStoredFile(Traces(kArrow), Signal::kTraces, {SpanRequest("a", 2, 100)});
  WriteStoredFile(Traces(kParquet), Signal::kTraces, {SpanRequest("b", 3, 200)});
  StreamPlanner planner(dir_.path());
  MessageStream stream(*planner.Plan(Signal::kTraces, {}), {});
  int64_t batches = 0;
  for (;;) {
    const auto payload = stream.Next();
    ASSERT_TRUE(payload.ok()) << payload.status().ToString();
    if (!*payload) break;
    batches += (*payload)->type == arrow::ipc::MessageType::RECORD_BATCH ? 1 : 0;
  }
  EXPECT_EQ(batches, 2);
}

// --- files that go while they are read -----------------------------------------------------------------------------------------------

// More files than are opened at once.
void WriteMany(const std::string& folder, int count) {
  for (int i = 0; i < count; ++i) {
    char name[100];
    std::snprintf(name, sizeof(name), "20240506T0%02d%02d00Z-0f1e2d3c4b5a-%010d_%010d.arrow", i / 60, i % 60, i + 1, i + 1);
    WriteStoredFile(folder + name, Signal::kTraces, {SpanRequest("s", 1, 100)});
  }
}

void RemoveAll(const std::string& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) fs::remove(entry.path());
}

TEST_F(ParquetReading, WhatWasListedIsReadAlthoughItIsMergedMeanwhile) {
  WriteStoredFile(Traces(kArrow), Signal::kTraces, {SpanRequest("a", 2, 100)});
  WriteStoredFile(Traces(kParquet), Signal::kTraces, {SpanRequest("b", 3, 200)});
  StreamPlanner planner(dir_.path());
  StoreStream stream(*planner.Plan(Signal::kTraces, {}));
  RemoveAll(Traces(""));
  WriteStoredFile(Traces(kMerged), Signal::kTraces, {SpanRequest("a", 2, 100), SpanRequest("b", 3, 200)});
  const auto batches = stream.ToRecordBatches();
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_EQ(NamesIn(Signal::kTraces, *batches).size(), 5u);
}

TEST_F(ParquetReading, FilesMergedBeforeTheirTurnArePlannedAnewOrToldOf) {
  WriteMany(Traces(""), 150);
  StreamPlanner planner(dir_.path());
  StreamPlan plan = *planner.Plan(Signal::kTraces, {});
  plan.snapshot.inputs.clear();  // as if all stood behind those that are open
  StoreStream untouched(plan), begun(plan), counted(plan);
  ASSERT_TRUE((*begun.Next())->num_rows() == 1);
  RemoveAll(Traces(""));
  WriteSpans(Traces(kMerged), 150, 100);
  const auto batches = untouched.ToRecordBatches();
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_EQ(NamesIn(Signal::kTraces, *batches).size(), 150u);
  EXPECT_EQ(*counted.Count(), 150);
  Result<std::shared_ptr<arrow::RecordBatch>> next = begun.Next();
  ASSERT_FALSE(next.ok());
  EXPECT_TRUE(next.status().retryable());
  EXPECT_THAT(next.status().message(), HasSubstr("was merged with others by compaction before it was read; read again"));
}

TEST_F(ParquetReading, FilesThatRetentionDeletesBeforeTheirTurnAreLeftOut) {
  WriteMany(Traces(""), 150);
  StreamPlanner planner(dir_.path());
  StoreStream stream(*planner.Plan(Signal::kTraces, {}));
  RemoveAll(Traces(""));
  const auto batches = stream.ToRecordBatches();
  ASSERT_TRUE(batches.ok()) << batches.status();
  EXPECT_EQ(NamesIn(Signal::kTraces, *batches).size(), 128u);
}

// --- damaged and hostile files -------------------------------------------------------------------------------------------------------

// Reads all there is to be read; errors are fine, crashes and exceptions are not.
void ReadWhatThereIs(const std::string& path, int* errors) {
  auto file = StoredFile::Open(path);
  if (!file.ok()) {
    ++*errors;
    return;
  }
  (void)file->CountRows();
  for (int i = 0; i < file->batch_count(); ++i) {
    (void)file->MayHave(i, {.start = 1, .end = 2, .services = {"a"}, .trace_ids = {std::string(32, 'a')}});
    if (!file->ReadBatch(i).ok()) ++*errors;
  }
}

TEST_F(ParquetReading, DamagedFilesGiveErrors) {
  const std::string path = dir_ / "x.parquet";
  testing::RandomOtlp random(4);
  WriteStoredFile(path, Signal::kTraces, {random.Request(Signal::kTraces), SpanRequest("a", 20, 100)});
  const std::string whole = *platform::ReadFile(path);
  int errors = 0, cases = 0;
  const auto read = [&](const std::string& bytes) {
    ++cases;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    ReadWhatThereIs(path, &errors);
  };
  for (size_t i = 0; i < 40; ++i) read(whole.substr(0, whole.size() * i / 40));
  EXPECT_EQ(errors, cases);
  std::mt19937_64 dice(7);
  errors = cases = 0;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole;
    // Half of them in the footer, where structures are.
    const size_t from = i % 2 ? 0 : whole.size() - whole.size() / 4;
    for (int k = 0; k < 3; ++k) damaged[from + dice() % (whole.size() - from)] = static_cast<char>(dice());
    read(damaged);
  }
  EXPECT_GT(errors, cases / 3);
  EXPECT_THAT(StoredFile::Open(path).status().message(), ::testing::AnyOf(::testing::Eq(""), HasSubstr("Parquet")));
}

TEST_F(ParquetReading, ParquetFilesOfOthersAreNoTables) {
  const std::string path = Traces(kParquet);
  WriteStoredFile(path, Signal::kTraces, {SpanRequest("a", 2, 100)});
  std::string bytes = *platform::ReadFile(path);
  for (size_t at = bytes.find("otlp_arrow.signal"); at != bytes.npos; at = bytes.find("otlp_arrow.signal", at + 1)) bytes[at] = 'x';
  // The schema for Arrow's readers, in base64, has it too.
  if (const size_t at = bytes.find("ARROW:schema"); at != bytes.npos) bytes[at] = 'x';
  ASSERT_TRUE(platform::ReplaceFile(path, bytes, false).ok());
  EXPECT_THAT(StoredFile::Open(path).status().message(), HasSubstr("is a Parquet file, but holds no table of otlp-arrow"));
  const auto error = Stream(Open().get(), Signal::kTraces, {});
  EXPECT_THAT(error.status().message(), HasSubstr(kParquet));
}

}  // namespace
}  // namespace otlp_arrow
