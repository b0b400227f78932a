#include "storage/recovery.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include <gtest/gtest.h>

#include "random_otlp.h"
#include "storage/forward_positions.h"
#include "storage/journal.h"
#include "storage/ledger_file.h"
#include "storage/signal_writer.h"
#include "storage/writer_directory.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace fs = std::filesystem;
using testing::DataFiles;
using testing::ItemNames;
using testing::NamedRequest;
using testing::StoredNames;

// What a writer does, step by step, so that it can die between any two.
class Writer {
 public:
  Writer(const StoreLayout& layout, const std::string& id, JournalOptions options = {}) : layout_(layout), id_(id) {
    for (Signal s : kAllSignals) EXPECT_TRUE(platform::CreateDirectories(layout_.DataDir(s)).ok());
    EXPECT_TRUE(platform::CreateDirectories(layout_.LedgersDir()).ok());
    auto lock = CreateWriterDirectory(layout_, id);
    EXPECT_TRUE(lock.ok()) << lock.status().ToString();
    lock_ = std::move(*lock);
    journal_ = std::move(*Journal::Create(layout_.WriterDir(id), options));
    for (Signal s : kAllSignals) writers_.push_back(std::make_unique<SignalWriter>(s, layout_, id, SignalWriterOptions{}, Clock::System()));
    snapshot_.writer = id;
  }

  void Accept(Signal signal, const std::string& prefix, int items, size_t padding = 0) {
    const std::string request = NamedRequest(signal, prefix, items, padding);
    auto sequence = journal_->Append(signal, request, items, 0);
    ASSERT_TRUE(sequence.ok());
    ASSERT_TRUE(writers_[static_cast<size_t>(signal)]->Add(*sequence, request, items, false).ok());
    snapshot_.ledger[signal].received += items;
    snapshot_.ledger[signal].in_flight += items;
    snapshot_.last_sequence = *sequence;
  }
  void Publish(Signal signal) {
    PublishedFile file;
    ASSERT_TRUE(writers_[static_cast<size_t>(signal)]->Publish(&file).ok());
    snapshot_.ledger[signal].stored += file.items;
    snapshot_.ledger[signal].in_flight -= file.items;
    snapshot_.stored_sequences[static_cast<size_t>(signal)] = file.range.last;
  }
  void SaveLedger() { ASSERT_TRUE(WriteLedgerFile(layout_, snapshot_, false).ok()); }
  void Release() { journal_->Release(snapshot_.stored_sequences); }
  // As the kernel ends a process: nothing is tidied up but the lock.
  void Die() {
    const std::string dir = layout_.WriterDir(id_);
    const std::string copy = layout_.root() + "/" + id_;
    fs::copy(dir, copy, fs::copy_options::recursive);
    writers_.clear();
    journal_.reset();
    fs::remove_all(dir);
    fs::rename(copy, dir);
    lock_.reset();
  }
  Journal& journal() { return *journal_; }

 private:
  StoreLayout layout_;
  std::string id_;
  std::optional<platform::FileLock> lock_;
  std::unique_ptr<Journal> journal_;
  std::vector<std::unique_ptr<SignalWriter>> writers_;
  LedgerSnapshot snapshot_;
};

class Recovery : public ::testing::Test {
 protected:
  Recovery() : layout_(dir_.path()) {
    config_.output_dir = dir_.path();
    config_.workers = 2;
  }
  RecoveryReport Recover() {
    auto report = RecoverDirectory(config_, nullptr);
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *report : RecoveryReport{};
  }
  void Want(Signal signal, const std::string& prefix, int items) {
    for (std::string& name : ItemNames(prefix, items)) wanted_[static_cast<size_t>(signal)].push_back(std::move(name));
  }
  void ExpectStored() {
    for (Signal s : kAllSignals) {
      auto& wanted = wanted_[static_cast<size_t>(s)];
      std::sort(wanted.begin(), wanted.end());
      EXPECT_EQ(StoredNames(dir_.path(), s), wanted) << SignalName(s);
    }
  }
  // The ledgers of the directory account for what is stored, and for nothing else.
  void ExpectLedger(int64_t damaged = 0) {
    const Ledger ledger = ReadDirectoryLedger(layout_).sum;
    int64_t invalid = 0;
    for (Signal s : kAllSignals) {
      EXPECT_TRUE(ledger[s].Balances()) << ledger.ToJson();
      EXPECT_EQ(ledger[s].stored, static_cast<int64_t>(wanted_[static_cast<size_t>(s)].size())) << ledger.ToJson();
      EXPECT_EQ(ledger[s].in_flight, 0) << ledger.ToJson();
      invalid += ledger[s].InvalidTotal();
    }
    EXPECT_EQ(invalid, damaged) << ledger.ToJson();
  }
  size_t Journals() { return platform::ListDirectory(layout_.JournalsDir())->size(); }

  testing::TempDir dir_;
  StoreLayout layout_;
  Config config_;
  std::array<std::vector<std::string>, kSignalCount> wanted_;
};

TEST_F(Recovery, AnEmptyDirectoryHasNothingToRecover) {
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.journals, 0);
  EXPECT_TRUE(report.busy.empty());
  EXPECT_TRUE(platform::ListDirectory(dir_.path())->empty()) << "nothing is created where there is nothing to do";
}

TEST_F(Recovery, WritesWhatADeadWriterLeft) {
  Writer writer(layout_, "dead");
  for (int i = 0; i < 10; ++i) {
    const Signal signal = static_cast<Signal>(i % 3);
    writer.Accept(signal, "r" + std::to_string(i), i);
    Want(signal, "r" + std::to_string(i), i);
  }
  writer.Die();
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.journals, 1);
  EXPECT_EQ(report.items_recovered, 45);
  EXPECT_EQ(report.items_already_stored, 0);
  EXPECT_TRUE(report.damaged.empty());
  EXPECT_TRUE(report.busy.empty());
  EXPECT_EQ(Journals(), 0u);
  ExpectStored();
  ExpectLedger();
  for (const std::string& path : DataFiles(dir_.path(), Signal::kTraces)) {
    EXPECT_EQ(DataFileName::Parse(fs::path(path).filename().string())->writer, "dead");
  }
  EXPECT_EQ(Recover().journals, 0);
  ExpectStored();
}

TEST_F(Recovery, NothingTwiceWhereverTheWriterDied) {
  // Publish, save the ledger, release: the steps between which it dies.
  for (int steps = 0; steps <= 3; ++steps) {
    const std::string id = "dead" + std::to_string(steps);
    JournalOptions options;
    options.segment_bytes = 1000;
    Writer writer(layout_, id, options);
    for (int i = 0; i < 8; ++i) writer.Accept(Signal::kTraces, id + "a" + std::to_string(i), 5);
    writer.Accept(Signal::kLogs, id, 4);
    for (int i = 0; i < 8; ++i) Want(Signal::kTraces, id + "a" + std::to_string(i), 5);
    Want(Signal::kLogs, id, 4);
    if (steps >= 1) writer.Publish(Signal::kTraces);
    if (steps >= 2) writer.SaveLedger();
    if (steps >= 3) writer.Release();
    writer.Accept(Signal::kTraces, id + "b", 3);
    Want(Signal::kTraces, id + "b", 3);
    writer.Die();

    const RecoveryReport report = Recover();
    EXPECT_TRUE(report.damaged.empty()) << report.damaged[0];
    EXPECT_EQ(report.items_recovered, steps >= 1 ? 7 : 47) << steps;
    EXPECT_EQ(report.items_already_stored, steps == 1 ? 40 : 0) << steps;
    ExpectStored();
    ExpectLedger();
  }
}

TEST_F(Recovery, WithoutALedgerFileNamesTellWhatIsStored) {
  Writer writer(layout_, "dead");
  writer.Accept(Signal::kTraces, "a", 5);
  writer.Accept(Signal::kLogs, "l", 2);
  writer.Publish(Signal::kTraces);
  writer.SaveLedger();
  writer.Accept(Signal::kTraces, "b", 3);
  Want(Signal::kTraces, "a", 5);
  Want(Signal::kTraces, "b", 3);
  Want(Signal::kLogs, "l", 2);
  writer.Die();
  ASSERT_TRUE(platform::ReplaceFile(layout_.LedgerFile("dead"), "{\"damaged", false).ok());
  EXPECT_EQ(Recover().items_already_stored, 5);
  ExpectStored();
  ExpectLedger();
}

TEST_F(Recovery, SegmentsThatWereUsedAgainAreNoDamage) {
  JournalOptions options;
  options.segment_bytes = 600;
  Writer writer(layout_, "dead", options);
  for (int round = 0; round < 30; ++round) {
    const std::string prefix = "r" + std::to_string(round);
    writer.Accept(static_cast<Signal>(round % 3), prefix, 3);
    Want(static_cast<Signal>(round % 3), prefix, 3);
    if (round % 7 != 6) continue;
    for (Signal s : kAllSignals) writer.Publish(s);
    writer.SaveLedger();
    writer.Release();
  }
  writer.Die();
  const RecoveryReport report = Recover();
  EXPECT_TRUE(report.damaged.empty()) << report.damaged[0];
  EXPECT_EQ(report.items_recovered, 6);
  ExpectStored();
  ExpectLedger();
}

TEST_F(Recovery, AnInterruptedAdoptionIsRepeatedWithoutDoubles) {
  config_.max_file_bytes = 1;  // a file for each request
  Writer writer(layout_, "dead");
  for (int i = 0; i < 6; ++i) {
    writer.Accept(Signal::kTraces, "r" + std::to_string(i), 2);
    Want(Signal::kTraces, "r" + std::to_string(i), 2);
  }
  writer.SaveLedger();
  writer.Die();
  const std::string backup = dir_ / "backup";
  fs::copy(layout_.WriterDir("dead"), backup, fs::copy_options::recursive);
  const std::string ledger = *platform::ReadFile(layout_.LedgerFile("dead"));
  Recover();
  ExpectStored();
  ExpectLedger();
  ASSERT_EQ(DataFiles(dir_.path(), Signal::kTraces).size(), 6u);

  // Any of the files may have been published when the first adopter died.
  for (unsigned published = 0; published < 64; ++published) {
    fs::copy(backup, layout_.WriterDir("dead"), fs::copy_options::recursive);
    ASSERT_TRUE(platform::ReplaceFile(layout_.LedgerFile("dead"), ledger, false).ok());
    int missing = 0;
    for (const std::string& path : DataFiles(dir_.path(), Signal::kTraces)) {
      const auto range = DataFileName::Parse(fs::path(path).filename().string())->range;
      bool keep = true;
      for (uint64_t s = range.first; s <= range.last; ++s) keep = keep && (published >> (s - 1) & 1);
      if (keep) continue;
      missing += 2 * static_cast<int>(range.last - range.first + 1);
      fs::remove(path);
    }
    config_.max_file_bytes = published % 2 ? 1 : 64 << 20;
    const RecoveryReport report = Recover();
    EXPECT_EQ(report.items_recovered, missing);
    EXPECT_EQ(report.items_already_stored, 12 - missing);
    ExpectStored();
    ExpectLedger();
  }
}

TEST_F(Recovery, ADeathBetweenLedgerAndRemovalIsHarmless) {
  Writer writer(layout_, "dead");
  writer.Accept(Signal::kTraces, "a", 5);
  Want(Signal::kTraces, "a", 5);
  writer.Die();
  const std::string backup = dir_ / "backup";
  fs::copy(layout_.WriterDir("dead"), backup, fs::copy_options::recursive);
  Recover();
  fs::copy(backup, layout_.WriterDir("dead"), fs::copy_options::recursive);
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.items_recovered, 0);
  ExpectStored();
  ExpectLedger();
  // Of the directory only the lock may be left, or nothing.
  ASSERT_TRUE(platform::CreateDirectories(layout_.WriterDir("dead")).ok());
  EXPECT_EQ(Recover().items_recovered, 0);
  EXPECT_EQ(Journals(), 0u);
  ExpectStored();
  ExpectLedger();
}

TEST_F(Recovery, ABusyWriterIsLeftAlone) {
  Writer live(layout_, "live");
  Writer dead(layout_, "dead");
  live.Accept(Signal::kTraces, "live", 5);
  dead.Accept(Signal::kTraces, "dead", 3);
  Want(Signal::kTraces, "dead", 3);
  dead.Die();
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.busy, std::vector<std::string>{"live"});
  EXPECT_EQ(report.journals, 1);
  ExpectStored();
  live.Die();
  Want(Signal::kTraces, "live", 5);
  EXPECT_EQ(Recover().journals, 1);
  ExpectStored();
}

TEST_F(Recovery, AWriterThatIsBeingMadeIsPassedOver) {
  ASSERT_TRUE(platform::CreateDirectories(layout_.JournalsDir() + "/.0123456789ab").ok());
  ASSERT_TRUE(platform::ReplaceFile(layout_.JournalsDir() + "/notes.txt", "x", false).ok());
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.journals, 0);
  EXPECT_TRUE(report.busy.empty());
}

TEST_F(Recovery, DamagedSegmentsAreKeptAsideAndTheirItemsCounted) {
  JournalOptions options;
  options.segment_bytes = 600;
  Writer writer(layout_, "dead", options);
  for (int i = 0; i < 12; ++i) writer.Accept(Signal::kTraces, "r" + std::to_string(i), 2);
  writer.SaveLedger();
  writer.Die();
  const auto segments = *ListJournalSegments(layout_.WriterDir("dead"));
  ASSERT_GE(segments.size(), 3u);
  // The first record of the second segment.
  std::string content = *platform::ReadFile(segments[1]);
  uint64_t sequence = 0;
  std::memcpy(&sequence, content.data() + 64 + 8, 8);
  content[64 + 64 + 5] = static_cast<char>(content[64 + 64 + 5] ^ 1);
  ASSERT_TRUE(platform::ReplaceFile(segments[1], content, false).ok());
  for (uint64_t i = 0; i < 12; ++i) {
    if (i + 1 != sequence) Want(Signal::kTraces, "r" + std::to_string(i), 2);
  }

  const RecoveryReport report = Recover();
  EXPECT_EQ(report.journals, 1);
  EXPECT_EQ(report.items_recovered, 22);
  ASSERT_FALSE(report.damaged.empty());
  EXPECT_EQ(report.damaged[0].find(segments[1] + ": bytes 64 to "), 0u) << report.damaged[0];
  EXPECT_EQ(*platform::ReadFile(layout_.DamagedDir() + "/dead-" + fs::path(segments[1]).filename().string()), content);
  EXPECT_EQ(platform::ListDirectory(layout_.DamagedDir())->size(), 1u);
  EXPECT_EQ(Journals(), 0u);
  ExpectStored();
  ExpectLedger(2);
}

TEST_F(Recovery, AMissingSegmentIsReportedAndTheRestIsStored) {
  JournalOptions options;
  options.segment_bytes = 300;
  Writer writer(layout_, "dead", options);
  for (int i = 0; i < 6; ++i) writer.Accept(Signal::kLogs, "r" + std::to_string(i), 1);
  writer.Die();
  const auto segments = *ListJournalSegments(layout_.WriterDir("dead"));
  ASSERT_GE(segments.size(), 3u);
  fs::remove(segments[1]);
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.journals, 1);
  EXPECT_GT(report.items_recovered, 0);
  EXPECT_LT(report.items_recovered, 6);
  EXPECT_EQ(StoredNames(dir_.path(), Signal::kLogs).size(), static_cast<size_t>(report.items_recovered));
  ASSERT_EQ(report.damaged.size(), 1u);
  EXPECT_EQ(report.damaged[0].find(segments[1] + ": records "), 0u) << report.damaged[0];
  EXPECT_EQ(Journals(), 0u);
}

TEST_F(Recovery, WhereTheDiskRefusesTheJournalStays) {
  Writer writer(layout_, "dead");
  writer.Accept(Signal::kTraces, "a", 5);
  writer.Accept(Signal::kLogs, "l", 5);
  Want(Signal::kTraces, "a", 5);
  Want(Signal::kLogs, "l", 5);
  writer.Die();
  fs::remove(layout_.DataDir(Signal::kLogs));
  fs::create_symlink("/proc/nowhere", layout_.DataDir(Signal::kLogs));
  EXPECT_EQ(RecoverDirectory(config_, nullptr).status().code(), StatusCode::kIo);
  EXPECT_EQ(Journals(), 1u);
  fs::remove(layout_.DataDir(Signal::kLogs));
  EXPECT_EQ(Recover().journals, 1);
  ExpectStored();
  ExpectLedger();
}

TEST_F(Recovery, InvalidItemsOfARequestStayLeftOut) {
  Writer writer(layout_, "dead");
  testing::TraceRequest message;
  ASSERT_TRUE(message.ParseFromString(NamedRequest(Signal::kTraces, "a", 3)));
  message.mutable_resource_spans(0)->mutable_scope_spans(0)->mutable_spans(2)->set_span_id("short");
  ASSERT_TRUE(writer.journal().Append(Signal::kTraces, message.SerializeAsString(), 2, 1).ok());
  Want(Signal::kTraces, "a", 2);
  writer.Die();
  EXPECT_EQ(Recover().items_recovered, 2);
  ExpectStored();
  ExpectLedger();
}

TEST_F(Recovery, InvalidSettingsAreRefused) {
  config_.promote_attributes = {"name"};
  EXPECT_EQ(RecoverDirectory(config_, nullptr).status().code(), StatusCode::kConfig);
}

TEST_F(Recovery, SeveralAtOnceAdoptEachJournalOnce) {
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 8; ++i) {
      const std::string id = "dead" + std::to_string(round) + "x" + std::to_string(i);
      Writer writer(layout_, id);
      writer.Accept(Signal::kTraces, id, 3);
      Want(Signal::kTraces, id, 3);
      writer.Die();
    }
    std::vector<std::thread> adopters;
    std::atomic<int64_t> recovered{0};
    for (int i = 0; i < 4; ++i) {
      adopters.emplace_back([&] {
        const auto report = RecoverDirectory(config_, nullptr);
        EXPECT_TRUE(report.ok()) << report.status().ToString();
        if (report.ok()) recovered += report->items_recovered;
      });
    }
    for (auto& adopter : adopters) adopter.join();
    Recover();  // empty directories may be left
    EXPECT_EQ(recovered, 24);
    EXPECT_EQ(Journals(), 0u);
  }
  ExpectStored();
  ExpectLedger();
}

// --- journals that are forwarded, too ---

class ForwardedRecovery : public Recovery {
 protected:
  // A writer with a destination that takes traces only and has got those up to `sent`.
  void LeaveWriter(uint64_t sent, bool is_relay) {
    Writer writer(layout_, "0123456789ab");
    auto positions = *ForwardPositions::Open(layout_.WriterDir("0123456789ab"), is_relay);
    const size_t place = *positions->PlaceOf("one");
    ForwardState nothing;
    nothing.sequence = UINT64_MAX;
    for (Signal s : {Signal::kMetrics, Signal::kLogs}) positions->Set(place, s, nothing);
    for (int i = 0; i < 3; ++i) writer.Accept(Signal::kTraces, "t" + std::to_string(i), 2);
    writer.Accept(Signal::kLogs, "l", 1);
    ForwardState state;
    state.sequence = sent;
    state.sent = static_cast<int64_t>(2 * sent);
    positions->Set(place, Signal::kTraces, state);
    writer.SaveLedger();
    writer.Accept(Signal::kTraces, "late", 2);  // not counted yet
    writer.Die();
    if (is_relay) return;
    for (int i = 0; i < 3; ++i) Want(Signal::kTraces, "t" + std::to_string(i), 2);
    Want(Signal::kTraces, "late", 2);
    Want(Signal::kLogs, "l", 1);
  }
  bool IsLeftOver() const { return platform::Exists(layout_.LeftOverLock("0123456789ab")); }
};

TEST_F(ForwardedRecovery, WhatIsNotSentIsStoredAndWaitsInForward) {
  LeaveWriter(2, false);
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.unsent, 1);
  EXPECT_EQ(report.items_recovered, 9);
  ExpectStored();
  ExpectLedger();
  EXPECT_EQ(Journals(), 0u);
  EXPECT_TRUE(IsLeftOver());
  EXPECT_EQ(ListJournalSegments(layout_.LeftOverDir("0123456789ab"))->size(), 1u);
  EXPECT_EQ(ReadDirectoryLedger(layout_).sum.destinations.at("one")[0].sent, 4);
  EXPECT_EQ(Recover().journals, 0) << "nothing is left to be stored";
  ExpectStored();
}

TEST_F(ForwardedRecovery, WhatIsSentIsStoredAndGone) {
  LeaveWriter(5, false);
  EXPECT_EQ(Recover().unsent, 0);
  ExpectStored();
  ExpectLedger();
  EXPECT_FALSE(IsLeftOver());
  EXPECT_EQ(Journals(), 0u);
  EXPECT_EQ(ReadDirectoryLedger(layout_).sum.destinations.at("one")[0].sent, 10) << "its ledger has the counts";
}

TEST_F(ForwardedRecovery, ARelaysJournalIsCountedAndNotStored) {
  LeaveWriter(2, true);
  const RecoveryReport report = Recover();
  EXPECT_EQ(report.unsent, 1);
  EXPECT_EQ(report.items_recovered, 0);
  for (Signal s : kAllSignals) EXPECT_TRUE(DataFiles(dir_.path(), s).empty());
  EXPECT_TRUE(IsLeftOver());
  const Ledger ledger = ReadDirectoryLedger(layout_).sum;
  EXPECT_EQ(ledger[Signal::kTraces].received, 8);
  EXPECT_EQ(ledger[Signal::kTraces].in_flight, 8);
  EXPECT_TRUE(ledger.Balances());
}

TEST_F(ForwardedRecovery, ARelaysJournalThatIsSentIsGone) {
  LeaveWriter(5, true);
  EXPECT_EQ(Recover().unsent, 0);
  EXPECT_FALSE(IsLeftOver());
  EXPECT_EQ(Journals(), 0u);
  const Ledger ledger = ReadDirectoryLedger(layout_).sum;
  EXPECT_EQ(ledger[Signal::kTraces].relayed, 8);
  EXPECT_EQ(ledger[Signal::kTraces].in_flight, 0);
  EXPECT_TRUE(ledger.Balances());
}

TEST_F(ForwardedRecovery, ADamagedSegmentIsKeptAsideAndStillSent) {
  LeaveWriter(0, false);
  const std::string path = ListJournalSegments(layout_.WriterDir("0123456789ab"))->front();
  auto bytes = *platform::ReadFile(path);
  bytes[64 + 64 + 10] ^= 1;  // in the first request
  ASSERT_TRUE(platform::ReplaceFile(path, bytes, false).ok());
  EXPECT_EQ(Recover().damaged.size(), 1u);
  EXPECT_TRUE(platform::Exists(layout_.DamagedDir() + "/0123456789ab-0000000001.journal"));
  EXPECT_EQ(ListJournalSegments(layout_.LeftOverDir("0123456789ab"))->size(), 1u);
}

}  // namespace
}  // namespace otlp_arrow
