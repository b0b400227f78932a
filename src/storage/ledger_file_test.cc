#include "storage/ledger_file.h"

#include <limits>

#include <gtest/gtest.h>

#include "temp_dir.h"

namespace otlp_arrow {
namespace {

LedgerSnapshot Example() {
  LedgerSnapshot snapshot;
  snapshot.writer = "0123456789ab";
  snapshot.last_sequence = 42;
  snapshot.stored_sequences = {40, 0, 17};
  SignalLedger& traces = snapshot.ledger[Signal::kTraces];
  traces.received = std::numeric_limits<int64_t>::max();
  traces.stored = 12;
  traces.in_flight = 3;
  traces.expired = 2;
  traces.refused = {{"disk", 4}, {"memory_budget", 5}};
  traces.invalid = {{"bad_trace_id", 6}};
  snapshot.ledger[Signal::kLogs].received = 1;
  snapshot.ledger.unreadable_requests = {{"malformed", 7}};
  return snapshot;
}

class LedgerFile : public ::testing::Test {
 protected:
  LedgerFile() : layout_(dir_.path()) { EXPECT_TRUE(platform::CreateDirectories(layout_.LedgersDir()).ok()); }
  void WriteText(const std::string& writer, std::string_view text) {
    ASSERT_TRUE(platform::ReplaceFile(layout_.LedgerFile(writer), text, false).ok());
  }

  testing::TempDir dir_;
  StoreLayout layout_;
};

TEST_F(LedgerFile, ReadsBackWhatWasWritten) {
  const LedgerSnapshot wanted = Example();
  for (bool sync : {false, true}) {
    ASSERT_TRUE(WriteLedgerFile(layout_, wanted, sync).ok());
    const LedgerSnapshot read = ReadLedgerFile(layout_, wanted.writer);
    EXPECT_EQ(SnapshotToJson(read), SnapshotToJson(wanted));
    EXPECT_EQ(read.writer, wanted.writer);
    EXPECT_EQ(read.last_sequence, 42u);
    EXPECT_EQ(read.stored_sequences, wanted.stored_sequences);
    EXPECT_EQ(read.ledger[Signal::kTraces].received, std::numeric_limits<int64_t>::max());
    EXPECT_EQ(read.ledger[Signal::kTraces].refused, wanted.ledger[Signal::kTraces].refused);
    EXPECT_EQ(read.ledger[Signal::kTraces].invalid, wanted.ledger[Signal::kTraces].invalid);
    EXPECT_EQ(read.ledger.unreadable_requests, wanted.ledger.unreadable_requests);
  }
}

TEST_F(LedgerFile, AnUnreadableOneCountsAsEmpty) {
  EXPECT_EQ(SnapshotToJson(ReadLedgerFile(layout_, "missing")), SnapshotToJson(LedgerSnapshot{{}, "missing", 0, {}}));
  for (const char* text : {"", "{", "[]", "not json", R"({"traces":{}})", R"({"traces":5,"metrics":{},"logs":{}})"}) {
    WriteText("writer", text);
    const LedgerSnapshot read = ReadLedgerFile(layout_, "writer");
    EXPECT_EQ(read.writer, "writer") << text;
    EXPECT_EQ(read.last_sequence, 0u) << text;
    EXPECT_TRUE(read.ledger.Balances()) << text;
  }
}

TEST_F(LedgerFile, TheFileNameIsTheWriter) {
  WriteText("real", R"({"traces":{"received":3,"stored":3},"metrics":{},"logs":{},"writer":"other"})");
  EXPECT_EQ(ReadLedgerFile(layout_, "real").writer, "real");
  WriteText("real", R"({"traces":{"received":3,"stored":3},"metrics":{},"logs":{}})");
  const LedgerSnapshot read = ReadLedgerFile(layout_, "real");
  EXPECT_EQ(read.writer, "real");
  EXPECT_EQ(read.ledger[Signal::kTraces].stored, 3);
}

TEST_F(LedgerFile, SaysWhatIsWrongWithAText) {
  const auto broken = SnapshotFromJson("{\"traces\":");
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.status().message().find("no valid JSON"), std::string::npos) << broken.status().message();
  const auto incomplete = SnapshotFromJson(R"({"traces":{},"logs":{}})");
  ASSERT_FALSE(incomplete.ok());
  EXPECT_NE(incomplete.status().message().find("no entry for metrics"), std::string::npos) << incomplete.status().message();
}

TEST_F(LedgerFile, ADirectorysLedgerIsTheSumOfTheReadableOnes) {
  EXPECT_EQ((*ReadDirectoryLedger(StoreLayout(dir_ / "none")))[Signal::kLogs].received, 0);
  LedgerSnapshot a = Example();
  a.ledger[Signal::kTraces].received = 10;
  LedgerSnapshot b = a;
  b.writer = "ba9876543210";
  ASSERT_TRUE(WriteLedgerFile(layout_, a, false).ok());
  ASSERT_TRUE(WriteLedgerFile(layout_, b, false).ok());
  WriteText("damaged", "{");
  ASSERT_TRUE(platform::ReplaceFile(layout_.LedgersDir() + "/notes.txt", "{}", false).ok());
  const auto sum = ReadDirectoryLedger(layout_);
  ASSERT_TRUE(sum.ok());
  EXPECT_EQ((*sum)[Signal::kTraces].received, 20);
  EXPECT_EQ((*sum)[Signal::kTraces].refused.at("disk"), 8);
  EXPECT_EQ((*sum)[Signal::kLogs].received, 2);
  EXPECT_EQ(sum->unreadable_requests.at("malformed"), 14);
}

}  // namespace
}  // namespace otlp_arrow
