#include "storage/ledger_file.h"

#include <limits>

#include <gtest/gtest.h>

#include "storage/forward_positions.h"
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
  EXPECT_EQ(SnapshotToJson(ReadLedgerFile(layout_, "missing")), SnapshotToJson(LedgerSnapshot{{}, "missing", 0, {}, 0, {}}));
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
  EXPECT_EQ(ReadDirectoryLedger(StoreLayout(dir_ / "none")).sum[Signal::kLogs].received, 0);
  LedgerSnapshot a = Example();
  a.ledger[Signal::kTraces].received = 10;
  LedgerSnapshot b = a;
  b.writer = "ba9876543210";
  ASSERT_TRUE(WriteLedgerFile(layout_, a, false).ok());
  ASSERT_TRUE(WriteLedgerFile(layout_, b, false).ok());
  WriteText("damaged", "{");
  ASSERT_TRUE(platform::ReplaceFile(layout_.LedgersDir() + "/notes.txt", "{}", false).ok());
  const DirectoryLedger read = ReadDirectoryLedger(layout_);
  EXPECT_EQ(read.sum[Signal::kTraces].received, 20);
  EXPECT_EQ(read.sum[Signal::kTraces].refused.at("disk"), 8);
  EXPECT_EQ(read.sum[Signal::kLogs].received, 2);
  EXPECT_EQ(read.sum.unreadable_requests.at("malformed"), 14);
  EXPECT_EQ(read.files, 2);
  ASSERT_EQ(read.damaged.size(), 1u);
  EXPECT_EQ(read.damaged[0].first, layout_.LedgerFile("damaged"));
}

TEST_F(LedgerFile, KeepsWhatBecameOfTheItemsOfDestinations) {
  LedgerSnapshot wanted = Example();
  wanted.ledger[Signal::kLogs].relayed = 5;
  wanted.stored_through = 41;
  auto& odd = wanted.ledger.destinations["a \"quoted\" \\ name\n"];
  odd[0] = {3, 1, {{"backlog_full", 7}}};
  wanted.ledger.destinations["idle"];
  ASSERT_TRUE(WriteLedgerFile(layout_, wanted, false).ok());
  const LedgerSnapshot read = ReadLedgerFile(layout_, wanted.writer);
  EXPECT_EQ(SnapshotToJson(read), SnapshotToJson(wanted));
  EXPECT_EQ(read.ledger[Signal::kLogs].relayed, 5);
  EXPECT_EQ(read.stored_through, 41u);
  ASSERT_EQ(read.ledger.destinations.size(), 2u);
  const DestinationLedger& traces = read.ledger.destinations.at("a \"quoted\" \\ name\n")[0];
  EXPECT_EQ(traces.sent, 3);
  EXPECT_EQ(traces.rejected, 1);
  EXPECT_EQ(traces.given_up.at("backlog_full"), 7);
}

TEST_F(LedgerFile, AJournalThatIsThereTellsOfItsDestinationsItself) {
  LedgerSnapshot snapshot = Example();
  snapshot.ledger.destinations["one"][0] = {3, 0, {}};
  ASSERT_TRUE(WriteLedgerFile(layout_, snapshot, false).ok());
  for (const std::string& directory : {layout_.WriterDir(snapshot.writer), layout_.LeftOverDir(snapshot.writer)}) {
    ASSERT_TRUE(platform::CreateDirectories(directory).ok());
    auto positions = *ForwardPositions::Open(directory);
    ForwardState state;
    state.sent = 8;
    state.given_up[static_cast<size_t>(GiveUpReason::kTimeout)] = 2;
    positions->Set(*positions->PlaceOf("one"), Signal::kTraces, state);
    const Ledger sum = ReadDirectoryLedger(layout_).sum;
    EXPECT_EQ(sum.destinations.at("one")[0].sent, 8);
    EXPECT_EQ(sum.destinations.at("one")[0].given_up.at("timeout"), 2);
    ASSERT_TRUE(platform::RemoveTree(directory).ok());
    EXPECT_EQ(ReadDirectoryLedger(layout_).sum.destinations.at("one")[0].sent, 3);
  }
}

class Folding : public LedgerFile {
 protected:
  void WriteWriters(int from, int to) {
    for (int i = from; i < to; ++i) {
      LedgerSnapshot snapshot = Example();
      snapshot.writer = "00000000000" + std::to_string(i);
      snapshot.ledger[Signal::kTraces].received = 10 + i;
      snapshot.ledger.destinations["one"][0].sent = 3;
      ASSERT_TRUE(WriteLedgerFile(layout_, snapshot, false).ok());
    }
  }
  std::string Sum() const { return ReadDirectoryLedger(layout_).sum.ToJson(); }
};

TEST_F(Folding, LedgersOfTheGoneBecomeOneAndTheSumStays) {
  WriteWriters(0, 5);
  ASSERT_TRUE(platform::CreateDirectories(layout_.WriterDir("000000000002")).ok());
  const std::string sum = Sum();
  EXPECT_NE(sum.find("\"sent\":15"), std::string::npos) << sum;
  ASSERT_TRUE(FoldLedgers(layout_, 4).ok());
  EXPECT_EQ(ReadDirectoryLedger(layout_).files, 5) << "no more than are to be kept";
  ASSERT_TRUE(FoldLedgers(layout_, 3).ok());
  EXPECT_EQ(ReadDirectoryLedger(layout_).files, 2) << "the sum and that of the writer at work";
  EXPECT_TRUE(platform::Exists(layout_.LedgerFile("000000000002")));
  EXPECT_EQ(Sum(), sum);

  WriteWriters(5, 9);
  const std::string more = Sum();
  ASSERT_TRUE(FoldLedgers(layout_, 3).ok());
  EXPECT_EQ(ReadDirectoryLedger(layout_).files, 2);
  EXPECT_EQ(Sum(), more);
}

TEST_F(Folding, WhatCannotBeReadIsKept) {
  WriteWriters(0, 3);
  const std::string sum = Sum();
  WriteText("damaged", "{");
  ASSERT_TRUE(FoldLedgers(layout_, 0).ok());
  EXPECT_EQ(*platform::ReadFile(layout_.LedgerFile("damaged")), "{");
  EXPECT_EQ(ReadDirectoryLedger(layout_).damaged.size(), 1u);
  EXPECT_EQ(Sum(), sum);

  WriteText("folded", "no JSON");
  WriteWriters(3, 6);
  const Status status = FoldLedgers(layout_, 0);
  EXPECT_NE(status.message().find("folded.json'"), std::string::npos) << status.message();
  EXPECT_EQ(*platform::ReadFile(layout_.LedgerFile("folded")), "no JSON");
  for (int i = 3; i < 6; ++i) EXPECT_TRUE(platform::Exists(layout_.LedgerFile("00000000000" + std::to_string(i))));
}

TEST_F(Folding, ACrashBeforeTheOldOnesAreRemovedCountsNothingTwice) {
  WriteWriters(0, 3);
  const std::string sum = Sum();
  std::vector<std::string> texts;
  for (int i = 0; i < 3; ++i) texts.push_back(*platform::ReadFile(layout_.LedgerFile("00000000000" + std::to_string(i))));
  ASSERT_TRUE(FoldLedgers(layout_, 0).ok());
  LedgerSnapshot folded = ReadLedgerFile(layout_, "folded");
  folded.includes = {"000000000000", "000000000001", "000000000002"};  // as it was before the removals
  ASSERT_TRUE(WriteLedgerFile(layout_, folded, false).ok());
  for (int i = 1; i < 3; ++i) WriteText("00000000000" + std::to_string(i), texts[static_cast<size_t>(i)]);
  EXPECT_EQ(Sum(), sum);
  ASSERT_TRUE(FoldLedgers(layout_, 0).ok());
  EXPECT_EQ(ReadDirectoryLedger(layout_).files, 1);
  EXPECT_EQ(Sum(), sum);
  // A writer of the past whose file expires now counts in a ledger of its own.
  LedgerSnapshot expiring;
  expiring.writer = "000000000001";
  expiring.ledger[Signal::kTraces].stored = -5;
  expiring.ledger[Signal::kTraces].expired = 5;
  ASSERT_TRUE(WriteLedgerFile(layout_, expiring, false).ok());
  EXPECT_EQ(ReadDirectoryLedger(layout_).sum[Signal::kTraces].expired, 3 * 2 + 5);
}

}  // namespace
}  // namespace otlp_arrow
