#include "otlp_arrow/reader.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/pipeline.h"
#include "query/stored_files_testing.h"
#include "random_otlp.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"
#include "storage/layout.h"
#include "storage/ledger_file.h"
#include "storage/recovery.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;
using testing::DataFiles;
using testing::ItemNames;
using testing::NamedRequest;
using testing::NamesIn;
using testing::SpanRequest;
using testing::TempDir;
using testing::WriteStoredFile;

constexpr int64_t kSecond = 1'000'000'000;
constexpr const char* kFirst = "20240506T070809Z-0f1e2d3c4b5a-0000000001_0000000001.arrow";
constexpr const char* kSecondFile = "20240506T070810Z-0f1e2d3c4b5a-0000000002_0000000002.arrow";

std::shared_ptr<arrow::RecordBatchReader> Stream(StoreReader* reader, Signal signal, const ReadOptions& options = {}) {
  ArrowArrayStream stream{};
  const Status status = reader->Read(signal, options, &stream);
  EXPECT_TRUE(status.ok()) << status.ToString();
  return status.ok() ? *arrow::ImportRecordBatchReader(&stream) : nullptr;
}

arrow::RecordBatchVector Read(StoreReader* reader, Signal signal, const ReadOptions& options = {}) {
  auto batches = Stream(reader, signal, options)->ToRecordBatches();
  EXPECT_TRUE(batches.ok()) << batches.status();
  if (!batches.ok()) return {};
  int64_t rows = 0;
  for (const auto& batch : *batches) {
    EXPECT_TRUE(batch->ValidateFull().ok());
    rows += batch->num_rows();
  }
  // Counted without reading them, it is the same.
  const auto counted = reader->CountRows(signal, options);
  EXPECT_TRUE(counted.ok() && *counted == rows) << *counted << " counted, " << rows << " read";
  return *batches;
}

std::vector<std::string> Names(StoreReader* reader, Signal signal, const ReadOptions& options = {}) {
  return NamesIn(signal, Read(reader, signal, options));
}

std::string TracesDir(const std::string& root) { return root + "/otlp/traces/"; }

class StoreReaderTest : public ::testing::Test {
 protected:
  std::shared_ptr<StoreReader> Open() {
    auto reader = StoreReader::Open(dir_.path());
    EXPECT_TRUE(reader.ok());
    return *reader;
  }
  void WriteTraces(const std::string& name, const std::vector<std::string>& requests) {
    WriteStoredFile(TracesDir(dir_.path()) + name, Signal::kTraces, requests);
  }
  Config LibraryConfig() const {
    Config config;
    config.output_dir = dir_.path();
    config.write_interval_secs = 3600;
    return config;
  }

  TempDir dir_;
};

TEST_F(StoreReaderTest, ReadsEveryFileInTheOrderOfItsTime) {
  WriteTraces(kSecondFile, {SpanRequest("b", 1, 200)});
  WriteTraces(kFirst, {SpanRequest("a", 2, 100), SpanRequest("a", 1, 150)});
  const auto reader = Open();
  EXPECT_THAT(Names(reader.get(), Signal::kTraces), ElementsAre("span 0", "span 1", "span 0", "span 0"));
  EXPECT_EQ(Stream(reader.get(), Signal::kTraces)->schema()->metadata()->Get("otlp_arrow.signal").ValueOr(""), "traces");
}

TEST_F(StoreReaderTest, AnEmptyDirectoryHasEmptyTablesWithTheirColumns) {
  const auto reader = Open();
  for (Signal signal : kAllSignals) {
    const auto stream = Stream(reader.get(), signal);
    EXPECT_GE(stream->schema()->GetFieldIndex("service_name"), 0);
    EXPECT_TRUE((*stream->ToRecordBatches()).empty());
  }
}

TEST_F(StoreReaderTest, FiltersByTimeAndServiceAndSelectsColumns) {
  WriteTraces(kFirst, {SpanRequest("a", 3, 100), SpanRequest("b", 3, 100)});
  ReadOptions options;
  options.start = 101 * kSecond;
  options.end = 102 * kSecond;
  options.services = {"b"};
  options.columns = {"service_name", "name"};
  const auto batches = Read(Open().get(), Signal::kTraces, options);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_THAT(batches[0]->schema()->field_names(), ElementsAre("service_name", "name"));
  EXPECT_THAT(NamesIn(Signal::kTraces, batches), ElementsAre("span 1"));
}

TEST_F(StoreReaderTest, UnknownColumnsAndPathsAreErrors) {
  WriteTraces(kFirst, {SpanRequest("a", 1, 100)});
  ReadOptions options;
  options.columns = {"no.such"};
  ArrowArrayStream stream{};
  const Status unknown = Open()->Read(Signal::kTraces, options, &stream);
  EXPECT_EQ(unknown.code(), StatusCode::kConfig);
  EXPECT_THAT(unknown.message(), HasSubstr("there is no column 'no.such' in traces; its columns are trace_id, "));
  const auto missing = StoreReader::Open(dir_ / "missing");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.status().code(), StatusCode::kIo);
  EXPECT_THAT(missing.status().message(), HasSubstr("there is no '" + dir_ / "missing"));
}

TEST_F(StoreReaderTest, FilesOfDifferentPromotedColumnsAreOneTable) {
  for (const auto& [interval, promote] : std::map<int, std::string>{{1, "color"}, {2, "size:int64"}}) {
    Config config = LibraryConfig();
    config.promote_attributes = {promote};
    auto pipeline = *Pipeline::Open(config);
    testing::TraceRequest request;
    auto* span = request.add_resource_spans()->add_scope_spans()->add_spans();
    span->set_name(promote);
    span->set_trace_id(std::string(16, 't'));
    span->set_span_id(std::string(8, 's'));
    auto* color = span->add_attributes();
    color->set_key("color");
    color->mutable_value()->set_string_value("red");
    auto* size = span->add_attributes();
    size->set_key("size");
    size->mutable_value()->set_int_value(7);
    ASSERT_TRUE(pipeline->AcceptAndWait(Signal::kTraces, SharedBytes::Copy(request.SerializeAsString())).status.ok());
    ASSERT_TRUE(pipeline->Shutdown(seconds(30)).ok());
  }
  ReadOptions options;
  options.columns = {"name", "size", "color"};
  const auto table = *arrow::Table::FromRecordBatches(Read(Open().get(), Signal::kTraces, options));
  ASSERT_EQ(table->num_rows(), 2);
  EXPECT_EQ(table->GetColumnByName("size")->null_count(), 1);
  EXPECT_EQ(table->GetColumnByName("color")->null_count(), 1);
}

TEST_F(StoreReaderTest, AFileThatIsDeletedBeforeItsTurnIsReadAsItWasListed) {
  WriteTraces(kFirst, {SpanRequest("a", 1, 100)});
  WriteTraces(kSecondFile, {SpanRequest("b", 2, 100)});
  const auto reader = Open();
  auto stream = Stream(reader.get(), Signal::kTraces);
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  EXPECT_EQ(batch->num_rows(), 1);
  fs::remove(TracesDir(dir_.path()) + kSecondFile);
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(batch->num_rows(), 2);
}

TEST_F(StoreReaderTest, AFileThatIsDeletedWhileItIsReadIsReadToItsEnd) {
  WriteTraces(kFirst, {SpanRequest("a", 1, 100), SpanRequest("a", 2, 200)});
  ReadOptions options;
  options.services = {"a"};  // the wanted columns are opened after the filter's
  auto stream = Stream(Open().get(), Signal::kTraces, options);
  std::shared_ptr<arrow::RecordBatch> batch;
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  fs::remove(TracesDir(dir_.path()) + kFirst);
  ASSERT_TRUE(stream->ReadNext(&batch).ok());
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(batch->num_rows(), 2);
}

TEST_F(StoreReaderTest, ADamagedFileIsAnErrorThatNamesIt) {
  WriteTraces(kFirst, {SpanRequest("a", 1, 100)});
  const std::string path = TracesDir(dir_.path()) + kSecondFile;
  std::ofstream(path) << "no Arrow";
  const auto batches = Stream(Open().get(), Signal::kTraces)->ToRecordBatches();
  ASSERT_FALSE(batches.ok());
  EXPECT_THAT(batches.status().message(), HasSubstr(path));
}

TEST_F(StoreReaderTest, ReadsAFolderOfMixedFilesAndASingleFile) {
  WriteStoredFile(dir_ / "copied/a.arrow", Signal::kTraces, {SpanRequest("a", 1, 100)});
  WriteStoredFile(dir_ / "copied/deep/b.arrow", Signal::kLogs, {testing::LogRequest(7)});
  const auto folder = *StoreReader::Open(dir_ / "copied");
  EXPECT_THAT(Names(folder.get(), Signal::kTraces), ElementsAre("span 0"));
  EXPECT_THAT(Names(folder.get(), Signal::kLogs), ElementsAre("hello"));
  EXPECT_TRUE(Read(folder.get(), Signal::kMetrics).empty());
  const auto file = *StoreReader::Open(dir_ / "copied/a.arrow");
  EXPECT_THAT(Names(file.get(), Signal::kTraces), ElementsAre("span 0"));
  EXPECT_TRUE(Read(file.get(), Signal::kLogs).empty());
}

// --- rows in journals ------------------------------------------------------------------------------------------------

class JournalReaderTest : public StoreReaderTest {
 protected:
  static ReadOptions WithJournal() {
    ReadOptions options;
    options.include_journal = true;
    return options;
  }
  void Accept(Pipeline* pipeline, Signal signal, const std::string& prefix, int count) {
    const AcceptResult result = pipeline->AcceptAndWait(signal, SharedBytes::Copy(NamedRequest(signal, prefix, count)));
    ASSERT_TRUE(result.status.ok()) << result.status.ToString();
  }
  // Leaves a journal as a killed writer does.
  void LeaveJournal(const std::string& writer, const std::vector<std::string>& prefixes) {
    const StoreLayout layout(dir_.path());
    fs::create_directories(layout.WriterDir(writer));
    std::ofstream{layout.WriterLock(writer)};
    auto journal = *Journal::Create(layout.WriterDir(writer));
    for (const auto& prefix : prefixes) {
      ASSERT_TRUE(journal->Append(Signal::kLogs, NamedRequest(Signal::kLogs, prefix, 2), 2, 0).ok());
    }
  }
};

TEST_F(JournalReaderTest, RowsOfALiveWriterAreThereOnRequestOnly) {
  auto pipeline = *Pipeline::Open(LibraryConfig());
  const auto reader = Open();
  for (Signal signal : kAllSignals) Accept(pipeline.get(), signal, "stored", 2);
  ASSERT_TRUE(pipeline->Flush(seconds(30)).ok());
  for (Signal signal : kAllSignals) Accept(pipeline.get(), signal, "waiting", 3);
  for (Signal signal : kAllSignals) {
    EXPECT_THAT(Names(reader.get(), signal), ElementsAre("stored-0", "stored-1"));
    EXPECT_THAT(Names(reader.get(), signal, WithJournal()), ElementsAre("stored-0", "stored-1", "waiting-0", "waiting-1", "waiting-2"));
  }
  // Nothing was taken from the writer.
  ASSERT_TRUE(pipeline->Shutdown(seconds(30)).ok());
  for (Signal signal : kAllSignals) EXPECT_EQ(Names(reader.get(), signal, WithJournal()).size(), 5u);
}

TEST_F(JournalReaderTest, FiltersAndColumnsHoldForJournaledRowsToo) {
  auto pipeline = *Pipeline::Open(LibraryConfig());
  ASSERT_TRUE(pipeline->AcceptAndWait(Signal::kTraces, SharedBytes::Copy(SpanRequest("a", 3, 100))).status.ok());
  ASSERT_TRUE(pipeline->AcceptAndWait(Signal::kTraces, SharedBytes::Copy(SpanRequest("b", 3, 100))).status.ok());
  ReadOptions options = WithJournal();
  options.services = {"b"};
  options.start = 102 * kSecond;
  options.columns = {"http.route", "name"};
  const auto batches = Read(Open().get(), Signal::kTraces, options);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_THAT(batches[0]->schema()->field_names(), ElementsAre("http.route", "name"));
  EXPECT_THAT(NamesIn(Signal::kTraces, batches), ElementsAre("span 2"));
}

TEST_F(JournalReaderTest, RowsOfAKilledWriterAreThereBeforeAndAfterRecovery) {
  LeaveJournal("0123456789ab", {"one", "two"});
  std::vector<std::string> expected = ItemNames("one", 2);
  for (const auto& name : ItemNames("two", 2)) expected.push_back(name);
  const auto reader = Open();
  EXPECT_TRUE(Names(reader.get(), Signal::kLogs).empty());
  EXPECT_EQ(Names(reader.get(), Signal::kLogs, WithJournal()), expected);
  ASSERT_TRUE(RecoverDirectory(LibraryConfig(), nullptr).ok());
  EXPECT_EQ(Names(reader.get(), Signal::kLogs, WithJournal()), expected);
  EXPECT_EQ(Names(reader.get(), Signal::kLogs), expected);
}

TEST_F(JournalReaderTest, WhatAFilesNameSaysIsStoredIsNotReadFromTheJournalAgain) {
  LeaveJournal("0123456789ab", {"one", "two", "three"});
  WriteStoredFile(dir_ / "otlp/logs/20240506T070809Z-0123456789ab-0000000001_0000000002.arrow", Signal::kLogs,
                  {NamedRequest(Signal::kLogs, "one", 2), NamedRequest(Signal::kLogs, "two", 2)});
  EXPECT_THAT(Names(Open().get(), Signal::kLogs, WithJournal()),
              ElementsAre("one-0", "one-1", "two-0", "two-1", "three-0", "three-1"));
}

TEST_F(JournalReaderTest, WhatARelayPassesOnIsNoRowOfTheStore) {
  LeaveJournal("000000000001", {"relayed"});
  LeaveJournal("000000000002", {"stored"});
  ASSERT_TRUE(ForwardPositions::Open(StoreLayout(dir_.path()).WriterDir("000000000001"), true).ok());
  ASSERT_TRUE(ForwardPositions::Open(StoreLayout(dir_.path()).WriterDir("000000000002"), false).ok());
  EXPECT_THAT(Names(Open().get(), Signal::kLogs, WithJournal()), ElementsAre("stored-0", "stored-1"));
}

TEST_F(JournalReaderTest, WhatIsStoredAndOnlyHeldToBeForwardedIsNotReadAgainEvenWhenItsFileHasExpired) {
  const StoreLayout layout(dir_.path());
  LeaveJournal("000000000001", {});
  fs::create_directories(layout.LedgersDir());
  auto journal = *Journal::Create(layout.WriterDir("000000000001"), {.segment_bytes = 4096});
  journal->SetForwarded({});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(journal->Append(Signal::kLogs, NamedRequest(Signal::kLogs, std::to_string(i), 1, 3000), 1, 0).ok());
  LedgerSnapshot ledger;
  ledger.writer = "000000000001";
  ledger.last_sequence = ledger.stored_through = ledger.stored_sequences[static_cast<size_t>(Signal::kLogs)] = 4;
  ASSERT_TRUE(WriteLedgerFile(layout, ledger, false).ok());
  EXPECT_THAT(Names(Open().get(), Signal::kLogs, WithJournal()), ElementsAre("4-0"));
}

TEST_F(JournalReaderTest, ATornEndIsPassedOver) {
  LeaveJournal("0123456789ab", {"one", "two"});
  const std::string segment = (*ListJournalSegments(StoreLayout(dir_.path()).WriterDir("0123456789ab")))[0];
  fs::resize_file(segment, fs::file_size(segment) - 16);
  EXPECT_THAT(Names(Open().get(), Signal::kLogs, WithJournal()), ElementsAre("one-0", "one-1"));
}

// What was acknowledged before a read began is in it exactly once, whatever the writer publishes meanwhile.
TEST_F(JournalReaderTest, EachRowIsReadOnceBesideAWriterThatPublishes) {
  Config config = LibraryConfig();
  config.workers = 2;
  config.max_file_bytes = 64 << 10;
  auto pipeline = *Pipeline::Open(config);
  const auto reader = Open();
  std::atomic<int> acknowledged{0};
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int i = 0; i < 600; ++i) {
      const std::string request = NamedRequest(Signal::kLogs, "r" + std::to_string(i), 1, 2000);
      ASSERT_TRUE(pipeline->AcceptAndWait(Signal::kLogs, SharedBytes::Copy(request)).status.ok());
      acknowledged = i + 1;
    }
    done = true;
  });
  int reads = 0;
  for (bool last = false; !last; ++reads) {
    last = done;
    const int known = acknowledged;
    const auto names = NamesIn(Signal::kLogs, *Stream(reader.get(), Signal::kLogs, WithJournal())->ToRecordBatches());
    const std::set<std::string> distinct(names.begin(), names.end());
    EXPECT_EQ(distinct.size(), names.size());
    for (int i = 0; i < known; ++i) ASSERT_TRUE(distinct.contains("r" + std::to_string(i) + "-0")) << i << " of " << known;
  }
  writer.join();
  EXPECT_GT(reads, 1);
  EXPECT_GT(DataFiles(dir_.path(), Signal::kLogs).size(), 1u);
}

TEST_F(JournalReaderTest, EachRowIsReadOnceBesideRecovery) {
  for (int i = 0; i < 20; ++i) LeaveJournal("0123456789" + std::to_string(10 + i), {"w" + std::to_string(i)});
  const auto reader = Open();
  std::atomic<bool> done{false};
  std::thread recovery([&] {
    EXPECT_TRUE(RecoverDirectory(LibraryConfig(), nullptr).ok());
    done = true;
  });
  for (bool last = false; !last;) {
    last = done;
    const auto names = NamesIn(Signal::kLogs, *Stream(reader.get(), Signal::kLogs, WithJournal())->ToRecordBatches());
    EXPECT_EQ(names.size(), 40u);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 40u);
  }
  recovery.join();
}

// --- requests --------------------------------------------------------------------------------------------------------

TEST(ReadRequestsTest, GivesTheSameTableAsFiles) {
  ArrowArrayStream stream{};
  ASSERT_TRUE(ReadRequests(Signal::kTraces, {SpanRequest("a", 2, 100), SpanRequest("b", 1, 100)}, {}, &stream).ok());
  const auto reader = *arrow::ImportRecordBatchReader(&stream);
  EXPECT_GE(reader->schema()->GetFieldIndex("http.route"), 0);
  EXPECT_THAT(NamesIn(Signal::kTraces, *reader->ToRecordBatches()), ElementsAre("span 0", "span 1", "span 0"));
}

TEST(ReadRequestsTest, BytesThatAreNoRequestAreAnError) {
  ArrowArrayStream stream{};
  const Status status = ReadRequests(Signal::kLogs, {"\xff\xff"}, {}, &stream);
  EXPECT_EQ(status.code(), StatusCode::kExport);
  EXPECT_THAT(status.message(), HasSubstr("is no OTLP request of logs"));
}

}  // namespace
}  // namespace otlp_arrow
