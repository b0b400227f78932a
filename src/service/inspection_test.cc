#include "service/inspection.h"

#include <fstream>

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/platform/platform.h"
#include "query/stored_files.h"
#include "query/stored_files_testing.h"
#include "storage/journal.h"
#include "storage/layout.h"
#include "storage/ledger_file.h"

namespace otlp_arrow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::LogRequest;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::SpanRequest;
using testing::TestDirectory;
using testing::WriteStoredFile;

// An output directory with two trace files, one log file, a ledger, a journal and two damaged files.
void FillOutputDirectory(const TestDirectory& directory) {
  WriteStoredFile(directory / "otlp/traces/20240506T000001Z-b-000001.arrow", Signal::kTraces,
                  {SpanRequest("shop", 3, 1000), SpanRequest("pay", 2, 2000)});
  WriteStoredFile(directory / "otlp/traces/20240506T000000Z-a-000001.arrow", Signal::kTraces,
                  {SpanRequest("shop", 1, 500)});
  WriteStoredFile(directory / "otlp/logs/20240506T000000Z-a-000001.arrow", Signal::kLogs, {LogRequest(3000)});
  std::ofstream(directory / "otlp/traces/20240506T000002Z-c-000001.arrow") << "ARROW1 and then nothing";
  std::ofstream(directory / "otlp/traces/.half.arrow") << "being written";
  std::filesystem::create_directories(directory / "journal/a");
  std::filesystem::create_directories(directory / "ledger");
  std::ofstream(directory / "ledger/a.json")
      << R"({"traces":{"received":6,"stored":6,"in_flight":0,"expired":0,"refused":{},"invalid":{"bad_span_id":2}},)"
      << R"("metrics":{"received":0},"logs":{"received":1,"stored":1},"unreadable_requests":{"malformed":1}})";
  std::ofstream(directory / "ledger/b.json")
      << R"({"traces":{"received":4,"refused":{"memory_budget":4}},"metrics":{},"logs":{}})";
  std::ofstream(directory / "ledger/c.json") << "{";
  std::filesystem::create_directories(directory / "damaged");
  std::ofstream(directory / "damaged/a-000001.journal") << "?";
}

TEST(InspectionTest, CountsWhatADirectoryHolds) {
  TestDirectory directory;
  FillOutputDirectory(directory);
  auto inspection = Inspect(directory.path());
  ASSERT_TRUE(inspection.ok()) << inspection.status().ToString();
  const InspectedSignal& traces = (*inspection)[Signal::kTraces];
  EXPECT_EQ(traces.files, 2);
  EXPECT_EQ(traces.rows, 6);
  EXPECT_GT(traces.bytes, 1000);
  EXPECT_EQ(traces.first_time, 500'000'000'000);
  EXPECT_EQ(traces.last_time, 2001'500'000'000);
  EXPECT_THAT(traces.services, ElementsAre(Pair("pay", 2), Pair("shop", 4)));
  EXPECT_EQ((*inspection)[Signal::kLogs].first_time, 3000'000'000'000);
  EXPECT_THAT((*inspection)[Signal::kLogs].services, ElementsAre(Pair("", 1)));
  EXPECT_EQ((*inspection)[Signal::kMetrics].files, 0);
  EXPECT_EQ(inspection->live_journals, 0);
  EXPECT_EQ(inspection->left_journals, 1);
}

TEST(InspectionTest, TellsLiveJournalsFromLeftOnes) {
  TestDirectory directory;
  const StoreLayout layout(directory.path());
  std::filesystem::create_directories(layout.WriterDir("a"));
  std::filesystem::create_directories(layout.WriterDir("b"));
  {
    auto journal = Journal::Create(layout.WriterDir("a"));
    ASSERT_TRUE(journal.ok()) << journal.status().ToString();
    ASSERT_TRUE((*journal)->Append(Signal::kTraces, SpanRequest("shop", 3, 1), 3, 0).ok());
    ASSERT_TRUE((*journal)->Append(Signal::kTraces, SpanRequest("shop", 4, 1), 4, 0).ok());
  }
  LedgerSnapshot snapshot;
  snapshot.writer = "a";
  snapshot.stored_sequences[static_cast<size_t>(Signal::kTraces)] = 1;
  std::filesystem::create_directories(layout.LedgersDir());
  ASSERT_TRUE(WriteLedgerFile(layout, snapshot, false).ok());
  auto lock = platform::FileLock::TryLock(layout.WriterLock("b"));
  ASSERT_TRUE(lock.ok() && lock->has_value());
  const Inspection inspection = *Inspect(directory.path());
  EXPECT_EQ(inspection.live_journals, 1);
  EXPECT_EQ(inspection.left_journals, 1);
  EXPECT_EQ(inspection.left_items, 4);
  EXPECT_THAT(InspectionText(inspection, false), HasSubstr("with up to 4 items; 'otlp-arrow recover"));
}

TEST(InspectionTest, SumsLedgers) {
  TestDirectory directory;
  FillOutputDirectory(directory);
  const Inspection inspection = *Inspect(directory.path());
  EXPECT_EQ(inspection.ledgers, 2);
  EXPECT_EQ(inspection.ledger[Signal::kTraces].received, 10);
  EXPECT_THAT(inspection.ledger[Signal::kTraces].refused, ElementsAre(Pair("memory_budget", 4)));
  EXPECT_THAT(inspection.ledger[Signal::kTraces].invalid, ElementsAre(Pair("bad_span_id", 2)));
  EXPECT_THAT(inspection.ledger.unreadable_requests, ElementsAre(Pair("malformed", 1)));
}

TEST(InspectionTest, DamageIsReportedAndTheRestCounts) {
  TestDirectory directory;
  FillOutputDirectory(directory);
  const Inspection inspection = *Inspect(directory.path());
  ASSERT_THAT(inspection.damaged, SizeIs(3));
  EXPECT_THAT(inspection.damaged[0].path, HasSubstr("20240506T000002Z"));
  EXPECT_FALSE(inspection.damaged[0].reason.empty());
  EXPECT_THAT(inspection.damaged[1].path, HasSubstr("c.json"));
  EXPECT_EQ(inspection.damaged[2].reason, "put aside by recovery");
}

TEST(InspectionTest, TellsOfDestinationsAndOfWhatWaitsForThem) {
  TestDirectory directory;
  const StoreLayout layout(directory.path());
  std::filesystem::create_directories(layout.LedgersDir());
  LedgerSnapshot snapshot;
  snapshot.writer = "a";
  snapshot.ledger[Signal::kTraces].received = snapshot.ledger[Signal::kTraces].relayed = 1234;
  snapshot.ledger.destinations["backend"][0] = {1200, 4, {{"backlog_full", 30}}};
  ASSERT_TRUE(WriteLedgerFile(layout, snapshot, false).ok());
  std::filesystem::create_directories(layout.LeftOverDir("b"));
  std::ofstream(layout.LeftOverDir("b") + "/0000000001.journal") << std::string(2048, 'x');
  const Inspection inspection = *Inspect(directory.path());
  EXPECT_EQ(inspection.unsent_journals, 1);
  EXPECT_EQ(inspection.unsent_bytes, 2048);
  EXPECT_EQ(inspection.left_journals, 0);
  const std::string text = InspectionText(inspection, false);
  EXPECT_THAT(text, HasSubstr("relayed"));
  EXPECT_THAT(text, HasSubstr("backend"));
  EXPECT_THAT(text, HasSubstr("backend: traces given up (backlog_full 30)"));
  EXPECT_THAT(text, HasSubstr("waiting to be forwarded: 1"));
  const std::string json = InspectionJson(inspection, false);
  EXPECT_THAT(json, HasSubstr(R"("unsent":{"journals":1,"bytes":2048})"));
  EXPECT_THAT(json, HasSubstr(R"("destinations":{"backend":{"traces":{"sent":1200,"rejected":4,"given_up":{"backlog_full":30}})"));
}

// Bytes all over a file, turned over, give a reading or an error; under the sanitizers this finds what is not checked.
TEST(InspectionTest, NoDamageIsFatal) {
  TestDirectory directory;
  const std::string path = directory / "a.arrow";
  WriteStoredFile(path, Signal::kTraces, {SpanRequest("shop", 3, 1000)});
  std::ifstream in(path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (size_t i = 0; i < good.size(); i += 61) {
    std::string bad = good;
    bad[i] = static_cast<char>(~bad[i]);
    std::ofstream(path, std::ios::binary) << bad;
    auto inspection = Inspect(path);
    ASSERT_TRUE(inspection.ok());
    EXPECT_EQ((*inspection)[Signal::kTraces].files + static_cast<int64_t>(inspection->damaged.size()), 1) << i;
  }
  for (size_t size = 0; size < good.size(); size += 97) {
    std::ofstream(path, std::ios::binary) << good.substr(0, size);
    EXPECT_THAT(Inspect(path)->damaged, SizeIs(1)) << size;
  }
}

TEST(InspectionTest, OneFileAndForeignFiles) {
  TestDirectory directory;
  WriteStoredFile(directory / "a.arrow", Signal::kLogs, {LogRequest(1)});
  EXPECT_EQ((*Inspect(directory / "a.arrow"))[Signal::kLogs].rows, 1);
  auto out = *arrow::io::FileOutputStream::Open(directory / "b.arrow");  // an Arrow file of someone else
  auto writer = *arrow::ipc::MakeFileWriter(out, arrow::schema({arrow::field("x", arrow::int32())}));
  ASSERT_TRUE(writer->Close().ok());
  ASSERT_TRUE(out->Close().ok());
  const Inspection inspection = *Inspect(directory.path());
  EXPECT_EQ(inspection[Signal::kLogs].rows, 1);
  ASSERT_THAT(inspection.damaged, SizeIs(1));
  EXPECT_THAT(inspection.damaged[0].reason, HasSubstr("no table of otlp-arrow"));
}

TEST(InspectionTest, AMissingPathIsAnError) {
  auto inspection = Inspect("/nowhere/at/all");
  ASSERT_FALSE(inspection.ok());
  EXPECT_EQ(inspection.status().message(), "there is no '/nowhere/at/all'");
}

TEST(InspectionTest, TextTellsEverything) {
  TestDirectory directory;
  FillOutputDirectory(directory);
  const Inspection inspection = *Inspect(directory.path());
  const std::string text = InspectionText(inspection, false);
  for (const char* part : {"traces       2     6", "1970-01-01T00:08:20.000Z", "shop", "(none)",
                           "traces refused (memory_budget 4)", "bad_span_id 2", "unreadable requests (malformed 1)",
                           "journals left by writers that are gone: 1", "damaged: "}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(text, Not(HasSubstr("duration_ns")));
  EXPECT_THAT(InspectionText(inspection, true), HasSubstr("duration_ns: int64"));
}

TEST(InspectionTest, JsonTellsEverything) {
  TestDirectory directory;
  FillOutputDirectory(directory);
  const std::string json = InspectionJson(*Inspect(directory.path()), true);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  ASSERT_EQ(parser.parse(json).get(root), simdjson::SUCCESS) << json;
  EXPECT_EQ(int64_t(root["signals"]["traces"]["rows"]), 6);
  EXPECT_EQ(int64_t(root["signals"]["traces"]["first_time_unix_nano"]), 500'000'000'000);
  EXPECT_EQ(std::string_view(root["signals"]["traces"]["first_time"]), "1970-01-01T00:08:20.000Z");
  EXPECT_TRUE(root["signals"]["metrics"]["first_time"].is_null());
  EXPECT_EQ(int64_t(root["signals"]["traces"]["services"]["shop"]), 4);
  EXPECT_EQ(std::string_view(root["signals"]["logs"]["columns"].at(0)["name"]), "time");
  EXPECT_EQ(root["damaged"].get_array().size(), 3u);
  EXPECT_EQ(int64_t(root["journals"]["left"]), 1);
  EXPECT_EQ(int64_t(root["ledger"]["traces"]["received"]), 10);
}

TEST(FindStoredFilesTest, OrdersByNameAcrossSignals) {
  TestDirectory directory;
  FillOutputDirectory(directory);
  std::vector<std::string> names;
  auto files = FindStoredFiles(directory.path());
  ASSERT_TRUE(files.ok());
  for (const auto& f : *files) names.push_back(f.substr(directory.path().size() + 1));
  EXPECT_THAT(
      names, ElementsAre("otlp/logs/20240506T000000Z-a-000001.arrow", "otlp/traces/20240506T000000Z-a-000001.arrow",
                         "otlp/traces/20240506T000001Z-b-000001.arrow", "otlp/traces/20240506T000002Z-c-000001.arrow"));
}

}  // namespace
}  // namespace otlp_arrow
