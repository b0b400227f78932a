// The pipeline with destinations: what is stored is sent on, whatever ends in between.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/platform/platform.h"
#include "child_process.h"
#include "forward/forwarding_testing.h"
#include "pipeline/pipeline.h"
#include "storage/forward_positions.h"
#include "storage/layout.h"
#include "storage/ledger_file.h"
#include "storage/recovery.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::DataFiles;
using testing::FakeFactory;
using testing::FakePeer;
using testing::ItemNames;
using testing::NamedRequest;
using testing::Quick;
using testing::StoredNames;
using testing::TempDir;

constexpr auto kLong = seconds(30);  // no test that passes waits for it

bool Eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

std::vector<std::string> Sorted(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return names;
}

int64_t Total(const std::array<int64_t, kGiveUpReasonCount>& counts) {
  int64_t total = 0;
  for (const int64_t n : counts) total += n;
  return total;
}

class ForwardingTest : public ::testing::Test {
 protected:
  ForwardingTest() : layout_(dir_.path()) {
    config_.output_dir = dir_.path();
    config_.workers = 2;
    config_.write_interval_secs = 3600;
    config_.shutdown_timeout_secs = 60;
    RegisterSenderFactory(factory_);
  }
  ~ForwardingTest() override {
    pipeline_.reset();
    RegisterSenderFactory(nullptr);
  }

  FakePeer& AddPeer(const std::string& name, std::vector<Signal> signals = {Signal::kTraces}) {
    config_.forwarding.push_back(Quick(name));
    config_.forwarding.back().signals = std::move(signals);
    return factory_->peer(name);
  }
  // Until somebody lets it take something, the peer is away.
  static void Down(FakePeer& peer) {
    peer.AnswerWith([](const auto&) { return testing::Retryable("away"); });
  }
  static void Up(FakePeer& peer) { peer.AnswerWith(nullptr); }

  void Open() {
    auto pipeline = Pipeline::Open(config_);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status().ToString();
    pipeline_ = *std::move(pipeline);
  }
  AcceptResult Send(const std::string& prefix, int items, size_t padding = 0, Signal signal = Signal::kTraces) {
    return pipeline_->AcceptAndWait(signal, SharedBytes::Take(NamedRequest(signal, prefix, items, padding)));
  }
  void MustSend(const std::string& prefix, int items, size_t padding = 0) {
    const AcceptResult result = Send(prefix, items, padding);
    ASSERT_TRUE(result.status.ok()) << result.status.ToString();
    for (std::string& name : ItemNames(prefix, items)) wanted_.push_back(std::move(name));
  }
  void MustShutDown() {
    const Status status = pipeline_->Shutdown(kLong);
    EXPECT_TRUE(status.ok()) << status.ToString();
    pipeline_.reset();
  }
  // Ends at once, as a process that has no time does: what is not in files then stays in journal/.
  void End() {
    (void)pipeline_->Shutdown(milliseconds(0));
    pipeline_.reset();
  }
  void ExpectReceived(const FakePeer& peer) { EXPECT_EQ(Sorted(peer.received()), Sorted(wanted_)); }
  bool HasAll(const FakePeer& peer) { return peer.received().size() >= wanted_.size(); }
  void ExpectStored() { EXPECT_EQ(StoredNames(layout_.root(), Signal::kTraces), Sorted(wanted_)); }

  std::vector<std::string> Writers(const std::string& directory) const {
    std::vector<std::string> names;
    const auto entries = platform::ListDirectory(directory);
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }
  std::vector<std::string> Journals() const { return Writers(layout_.JournalsDir()); }
  std::vector<std::string> LeftOvers() const { return Writers(layout_.LeftOversDir()); }
  Ledger Saved() const { return ReadDirectoryLedger(layout_).sum; }
  int64_t SavedSent(const std::string& name) {
    const Ledger ledger = Saved();
    const auto found = ledger.destinations.find(name);
    return found == ledger.destinations.end() ? -1 : found->second[static_cast<size_t>(Signal::kTraces)].sent;
  }
  DestinationSignalStats StatsOf(size_t destination) const {
    return pipeline_->ForwardingStats().at(destination).signals[static_cast<size_t>(Signal::kTraces)];
  }

  TempDir dir_;
  StoreLayout layout_;
  Config config_;
  std::shared_ptr<FakeFactory> factory_ = std::make_shared<FakeFactory>();
  std::unique_ptr<Pipeline> pipeline_;
  std::vector<std::string> wanted_;
};

TEST_F(ForwardingTest, WhatOthersAreOwedWaitsForThem) {
  Down(AddPeer("away"));
  Open();
  MustSend("a", 50);
  MustShutDown();
  ASSERT_EQ(LeftOvers().size(), 1u);

  const std::vector<ForwardingConfig> away = std::exchange(config_.forwarding, {});
  FakePeer& other = AddPeer("other");
  Open();
  ASSERT_TRUE(Send("b", 5).status.ok());
  EXPECT_TRUE(Eventually([&] { return other.received().size() == 5; }));
  MustShutDown();
  EXPECT_EQ(LeftOvers().size(), 1u) << "it has nothing for 'other', but 'away' has not got it";

  config_.forwarding = away;
  Up(factory_->peer("away"));
  Open();
  EXPECT_TRUE(Eventually([&] { return HasAll(factory_->peer("away")); }));
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  ExpectReceived(factory_->peer("away"));
}

TEST_F(ForwardingTest, WhatNobodySendsGoesFirstOverTheBudget) {
  Down(AddPeer("away"));
  Open();
  MustSend("a", 400, 1000);
  MustShutDown();
  ASSERT_EQ(LeftOvers().size(), 1u);
  config_.forwarding.clear();
  AddPeer("other");
  config_.forward_backlog_max_bytes = 256 << 10;
  Open();
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  MustShutDown();
  const Ledger ledger = Saved();
  const auto& counts = ledger.destinations.at("away")[static_cast<size_t>(Signal::kTraces)];
  EXPECT_EQ(counts.sent, 0);
  EXPECT_EQ(counts.given_up.at("backlog_full"), 400);
}

TEST_F(ForwardingTest, WhatIsAcceptedIsStoredAndReachesEveryDestinationOnce) {
  FakePeer& one = AddPeer("one");
  FakePeer& two = AddPeer("two");
  Open();
  for (int i = 0; i < 50; ++i) MustSend("r" + std::to_string(i), 7);
  EXPECT_TRUE(Eventually([&] { return HasAll(one) && HasAll(two); }));
  MustShutDown();
  ExpectReceived(one);
  ExpectReceived(two);
  ExpectStored();
  EXPECT_TRUE(Journals().empty() && LeftOvers().empty());
  EXPECT_EQ(SavedSent("one"), 350);
  EXPECT_EQ(SavedSent("two"), 350);
  EXPECT_TRUE(Saved().Balances());
}

TEST_F(ForwardingTest, WithGroupCommitToo) {
  config_.acknowledge = Acknowledge::kFsync;
  FakePeer& peer = AddPeer("one");
  Open();
  for (int i = 0; i < 5; ++i) MustSend("r" + std::to_string(i), 2);
  EXPECT_TRUE(Eventually([&] { return HasAll(peer); }));
  MustShutDown();
  ExpectReceived(peer);
  ExpectStored();
}

TEST_F(ForwardingTest, WithoutAJournalThereIsNothingToForward) {
  config_.acknowledge = Acknowledge::kMemory;
  AddPeer("one");
  EXPECT_EQ(Pipeline::Open(config_).status().code(), StatusCode::kConfig);
}

TEST_F(ForwardingTest, WithoutSendersItSaysHowToGetThem) {
  RegisterSenderFactory(nullptr);
  AddPeer("one");
  const auto pipeline = Pipeline::Open(config_);
  ASSERT_FALSE(pipeline.ok());
  EXPECT_EQ(pipeline.status().code(), StatusCode::kConfig);
  EXPECT_NE(pipeline.status().message().find("EnableForwarding"), std::string::npos) << pipeline.status().message();
  config_.forwarding[0].enabled = false;
  EXPECT_TRUE(Pipeline::Open(config_).ok()) << "a destination that is switched off needs none";
}

TEST_F(ForwardingTest, ARefusedDestinationIsAnErrorOfTheConfiguration) {
  AddPeer("one").AnswerWith(nullptr);
  config_.forwarding[0].endpoint = "";
  EXPECT_EQ(Pipeline::Open(config_).status().code(), StatusCode::kConfig);
}

TEST_F(ForwardingTest, OneThatIsAwayHoldsUpNeitherTheStoreNorAnother) {
  config_.journal_max_bytes = 16 << 20;
  FakePeer& away = AddPeer("away");
  FakePeer& there = AddPeer("there");
  Down(away);
  Open();
  for (int i = 0; i < 40; ++i) {
    MustSend("r" + std::to_string(i), 1, 1 << 20);
    if (i % 8 == 7) {
      EXPECT_TRUE(pipeline_->Flush(kLong).ok());
    }
  }
  ExpectStored();
  EXPECT_TRUE(Eventually([&] { return HasAll(there); }));
  EXPECT_GT(pipeline_->ForwardingStats()[0].backlog_bytes, uint64_t{38} << 20);
  EXPECT_EQ(StatsOf(0).backlog, 40);
  Up(away);
  EXPECT_TRUE(Eventually([&] { return HasAll(away); }));
  MustShutDown();
  ExpectReceived(away);
  ExpectReceived(there);
}

TEST_F(ForwardingTest, WhatAnEndLeavesUnsentIsSentAfterTheNextStart) {
  FakePeer& peer = AddPeer("one");
  AddPeer("idle", {Signal::kLogs});  // owed nothing
  Down(peer);
  Open();
  for (int i = 0; i < 20; ++i) MustSend("r" + std::to_string(i), 5);
  MustShutDown();
  ExpectStored();
  EXPECT_TRUE(Journals().empty());
  EXPECT_EQ(LeftOvers().size(), 1u) << "all is in one journal, where the order counts";
  EXPECT_EQ(SavedSent("one"), 0);

  Up(peer);
  Open();
  MustSend("later", 5);
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty() && HasAll(peer); }));
  EXPECT_EQ(SavedSent("one"), 100) << "written down before the journal goes";
  MustShutDown();
  EXPECT_EQ(peer.received(), wanted_) << "once each, the oldest first";
  ExpectStored();
  EXPECT_EQ(SavedSent("one"), 105);
  EXPECT_TRUE(Saved().Balances());
  EXPECT_TRUE(Journals().empty() && LeftOvers().empty());
}

TEST_F(ForwardingTest, WhatOneLeftAnotherThatIsAtWorkSends) {
  FakePeer& peer = AddPeer("one");
  Down(peer);
  Open();
  MustSend("first", 5);
  auto other = Pipeline::Open(config_);
  ASSERT_TRUE(other.ok());
  MustShutDown();
  EXPECT_EQ(LeftOvers().size(), 1u);
  Up(peer);
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  ExpectReceived(peer);
  EXPECT_EQ(SavedSent("one"), 5);
}

TEST_F(ForwardingTest, WithoutAnyDestinationItWaits) {
  Down(AddPeer("gone"));
  Open();
  MustSend("first", 5);
  End();
  config_.forwarding.clear();
  Open();
  MustShutDown();
  EXPECT_EQ(LeftOvers().size(), 1u);
  ExpectStored();
}

TEST_F(ForwardingTest, MoreThanTheBacklogMayHoldIsGivenUpOldestFirst) {
  config_.forward_backlog_max_bytes = 32 << 20;
  config_.workers = 1;
  FakePeer& peer = AddPeer("one");
  Down(peer);
  Open();
  for (int i = 0; i < 100; ++i) {
    MustSend("r" + std::to_string(i), 1, 1 << 20);
    if (i % 10 == 9) {
      EXPECT_TRUE(pipeline_->Flush(kLong).ok());
    }
  }
  constexpr auto kFull = static_cast<size_t>(GiveUpReason::kBacklogFull);
  EXPECT_TRUE(Eventually([&] { return pipeline_->ForwardingStats()[0].backlog_bytes <= (uint64_t{32 + 4} << 20); }));
  Up(peer);
  EXPECT_TRUE(Eventually([&] { return StatsOf(0).backlog == 0; }));
  const DestinationSignalStats stats = StatsOf(0);
  EXPECT_GE(stats.given_up[kFull], 40);
  EXPECT_EQ(stats.accepted, 100);
  EXPECT_EQ(stats.accepted, stats.sent + stats.rejected + Total(stats.given_up));
  const auto received = peer.received();
  EXPECT_EQ(static_cast<int64_t>(received.size()), stats.sent);
  EXPECT_EQ(received.back(), "r99-0");
  // The newest are sent; before them only what was in hand while the rest was given up.
  const auto newest = std::mismatch(received.rbegin(), received.rend(), wanted_.rbegin(), wanted_.rend()).first.base();
  EXPECT_LE(newest - received.begin(), config_.forwarding[0].max_in_flight);
  ExpectStored();
  MustShutDown();
  const Ledger saved = Saved();
  EXPECT_EQ(saved.destinations.at("one")[0].given_up.at("backlog_full"), stats.given_up[kFull]);
  EXPECT_TRUE(saved.Balances());
}

// --- relays ---

class RelayTest : public ForwardingTest {
 protected:
  RelayTest() { config_.store = false; }
};

TEST_F(RelayTest, SendsOnAndStoresNothing) {
  FakePeer& one = AddPeer("one");
  FakePeer& two = AddPeer("two");
  Open();
  for (int i = 0; i < 50; ++i) MustSend("r" + std::to_string(i), 3);
  EXPECT_EQ(pipeline_->QueuedBytes(), 0u);
  EXPECT_TRUE(pipeline_->Flush(kLong).ok());
  ExpectReceived(one);
  ExpectReceived(two);
  const Ledger ledger = pipeline_->GetLedger();
  EXPECT_EQ(ledger[Signal::kTraces].relayed, 150);
  EXPECT_EQ(ledger[Signal::kTraces].in_flight, 0);
  EXPECT_TRUE(ledger.Balances()) << ledger.ToJson();
  MustShutDown();
  EXPECT_TRUE(DataFiles(dir_.path(), Signal::kTraces).empty());
  EXPECT_TRUE(Journals().empty() && LeftOvers().empty());
  EXPECT_EQ(Saved()[Signal::kTraces].relayed, 150);
  EXPECT_TRUE(Saved().Balances());
}

TEST_F(RelayTest, NeedsADestination) {
  EXPECT_EQ(Pipeline::Open(config_).status().code(), StatusCode::kConfig);
  AddPeer("off");
  config_.forwarding[0].enabled = false;
  EXPECT_EQ(Pipeline::Open(config_).status().code(), StatusCode::kConfig);
}

TEST_F(RelayTest, ASignalThatNobodyTakesIsRefusedForGood) {
  AddPeer("one");
  Open();
  const AcceptResult result = Send("log", 2, 0, Signal::kLogs);
  EXPECT_EQ(result.status.code(), StatusCode::kExport);
  EXPECT_FALSE(result.status.retryable());
  EXPECT_NE(result.status.message().find("logs"), std::string::npos);
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kLogs].refused.at("no_destination"), 2);
  EXPECT_TRUE(pipeline_->GetLedger().Balances());
}

TEST_F(RelayTest, OverItsBudgetItRefusesUntilSomethingIsSent) {
  config_.forward_backlog_max_bytes = 8 << 20;
  FakePeer& peer = AddPeer("one");
  Down(peer);
  Open();
  AcceptResult result;
  for (int i = 0; i < 100 && result.status.ok(); ++i) {
    result = Send("r" + std::to_string(i), 1, 1 << 20);
    if (result.status.ok()) wanted_.push_back("r" + std::to_string(i) + "-0");
  }
  EXPECT_EQ(result.status.code(), StatusCode::kExport);
  EXPECT_TRUE(result.status.retryable());
  EXPECT_GT(result.retry_after.count(), 0);
  EXPECT_NE(result.status.message().find("forward_backlog_max_bytes"), std::string::npos);
  EXPECT_EQ(wanted_.size(), 8u);
  std::string why;
  EXPECT_FALSE(pipeline_->Ready(&why));
  EXPECT_NE(why.find("wait to be forwarded"), std::string::npos);
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].refused.at("backlog_full"), 1);
  EXPECT_EQ(pipeline_->GetLedger()[Signal::kTraces].in_flight, 8);
  EXPECT_TRUE(pipeline_->GetLedger().Balances());
  Up(peer);
  EXPECT_TRUE(Eventually([&] { return pipeline_->Ready(nullptr); }));
  MustSend("more", 1);
  MustShutDown();
  ExpectReceived(peer);
}

TEST_F(RelayTest, ARestartGoesOnWhereItWas) {
  FakePeer& peer = AddPeer("one");
  Open();
  MustSend("sent", 4);
  EXPECT_TRUE(Eventually([&] { return HasAll(peer); }));
  Down(peer);
  MustSend("unsent", 4);
  End();
  EXPECT_EQ(LeftOvers().size(), 1u);
  EXPECT_EQ(Saved()[Signal::kTraces].in_flight, 4);
  EXPECT_TRUE(Saved().Balances());
  Up(peer);
  config_.store = true;  // what was accepted to be relayed is not stored even now
  Open();
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  MustShutDown();
  EXPECT_EQ(peer.received(), wanted_);
  EXPECT_TRUE(DataFiles(dir_.path(), Signal::kTraces).empty());
  EXPECT_EQ(Saved()[Signal::kTraces].relayed, 8);
  EXPECT_EQ(SavedSent("one"), 8);
  EXPECT_TRUE(Saved().Balances());
}

// --- deaths ---

// Writes what it takes into a file, which outlives the process.
class FileFactory final : public SenderFactory {
 public:
  explicit FileFactory(std::string path) : path_(std::move(path)) {}
  Result<std::unique_ptr<OtlpSender>> Make(const ForwardingConfig&) override { return std::unique_ptr<OtlpSender>(new Sender(path_)); }

 private:
  class Sender final : public OtlpSender {
   public:
    explicit Sender(const std::string& path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644)) {}
    ~Sender() override { ::close(fd_); }
    SendOutcome Send(Signal, std::string_view request, milliseconds) override {
      std::string lines;
      for (const std::string& name : testing::NamesIn(request)) lines += name + "\n";
      if (::write(fd_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) return testing::Retryable(std::strerror(errno));
      return {};
    }
    void Cancel() override {}

   private:
    int fd_;
  };
  const std::string path_;
};

std::vector<std::string> Lines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

class KilledTest : public ForwardingTest, public ::testing::WithParamInterface<bool> {
 protected:
  KilledTest() {
    config_.store = GetParam();
    config_.forwarding.push_back(Quick("file"));
    config_.forwarding.back().signals = {Signal::kTraces};
    config_.forwarding.back().max_in_flight = 3;
    config_.workers = 1;
    RegisterSenderFactory(std::make_shared<FileFactory>(sent_));
  }
  // Sends until it is killed, and writes down what was acknowledged.
  int SendForEver(int round) {
    Open();
    const int acknowledged = ::open(acknowledged_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    for (int i = 0; pipeline_; ++i) {
      const std::string prefix = std::to_string(round) + "." + std::to_string(i);
      if (!Send(prefix, 1, i % 5 == 0 ? 20'000 : 0).status.ok()) return 1;
      const std::string line = prefix + "-0\n";
      if (::write(acknowledged, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return 2;
      if (i % 50 == 49) (void)pipeline_->Flush(kLong);
    }
    return 3;
  }

  const std::string sent_ = dir_ / "sent.txt", acknowledged_ = dir_ / "acknowledged.txt";
};

TEST_P(KilledTest, WhatWasAcknowledgedArrives) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer's runtime does not survive threads in a forked child";
#endif
  std::mt19937 random(4711);
  const char* rounds = std::getenv("OTLP_ARROW_KILL_ROUNDS");
  for (int round = 0; round < (rounds ? std::atoi(rounds) : 30); ++round) {
    testing::ChildProcess child([&] { return SendForEver(round); });
    const size_t before = Lines(acknowledged_).size();
    EXPECT_TRUE(Eventually([&] { return Lines(acknowledged_).size() > before; })) << "it got going";
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 20'000));  // at any moment
    child.Kill();
    EXPECT_EQ(child.Wait(), -SIGKILL);
  }
  Open();
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  MustShutDown();
  const std::vector<std::string> acknowledged = Sorted(Lines(acknowledged_)), sent = Sorted(Lines(sent_));
  EXPECT_TRUE(std::includes(sent.begin(), sent.end(), acknowledged.begin(), acknowledged.end())) << "each one at least once";
  EXPECT_TRUE(Journals().empty() && LeftOvers().empty());
  const Ledger saved = Saved();
  EXPECT_TRUE(saved.Balances()) << saved.ToJson();
  const SignalLedger& traces = saved[Signal::kTraces];
  EXPECT_EQ(GetParam() ? traces.stored : traces.relayed, traces.received);
  // Sent twice is what was under way at a death: no more than is counted once, and less.
  EXPECT_EQ(saved.destinations.at("file")[0].sent, traces.received);
  EXPECT_GE(static_cast<int64_t>(sent.size()), traces.received);
  if (GetParam()) {
    const auto stored = StoredNames(dir_.path(), Signal::kTraces);
    EXPECT_TRUE(std::adjacent_find(stored.begin(), stored.end()) == stored.end()) << "nothing is stored twice";
    EXPECT_TRUE(std::includes(stored.begin(), stored.end(), acknowledged.begin(), acknowledged.end()));
  }
}

INSTANTIATE_TEST_SUITE_P(StoreAndRelay, KilledTest, ::testing::Bool(), [](const auto& p) { return p.param ? "Store" : "Relay"; });

TEST_F(ForwardingTest, WhatAKilledOneLeftIsStoredAndThenSent) {
  Down(AddPeer("one"));
  // Nobody ends it in order.
  testing::ChildProcess child([&] {
    Open();
    for (int i = 0; i < 10; ++i) (void)Send("r" + std::to_string(i), 3);
    return 0;
  });
  EXPECT_EQ(child.Wait(), 0);
  for (int i = 0; i < 10; ++i) {
    for (std::string& name : ItemNames("r" + std::to_string(i), 3)) wanted_.push_back(std::move(name));
  }
  EXPECT_EQ(Journals().size(), 1u);
  Config no_destinations = config_;
  no_destinations.forwarding.clear();
  const auto report = RecoverDirectory(no_destinations, nullptr);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->items_recovered, 30);
  EXPECT_EQ(report->unsent, 1);
  ExpectStored();
  EXPECT_TRUE(Journals().empty());
  EXPECT_EQ(LeftOvers().size(), 1u);
  FakePeer& peer = factory_->peer("one");
  Up(peer);
  Open();
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  MustShutDown();
  EXPECT_EQ(peer.received(), wanted_);
  ExpectStored();
}

// --- time, and the lack of space ---

// Its wall clock is set by somebody now and then.
class TurnedClock final : public Clock {
 public:
  WallTime Now() const override { return std::chrono::system_clock::now() + offset.load(); }
  SteadyTime SteadyNow() const override { return std::chrono::steady_clock::now(); }
  std::atomic<std::chrono::hours> offset{std::chrono::hours(0)};
};

TEST_F(ForwardingTest, ClocksMayBeSet) {
  config_.trace_cleanup_interval_secs = 0;
  FakePeer& peer = AddPeer("one");
  auto clock = std::make_shared<TurnedClock>();
  for (int life = 0; life < 4; ++life) {
    pipeline_ = *Pipeline::Open(config_, clock);
    for (int i = 0; i < 10; ++i) {
      clock->offset = std::chrono::hours(i % 2 ? 24 * 365 * (life + 1) : -24 * 365);
      if (i == 5) Down(peer);
      MustSend(std::to_string(life) + "." + std::to_string(i), 2);
    }
    End();
    Up(peer);
  }
  pipeline_ = *Pipeline::Open(config_, clock);
  EXPECT_TRUE(Eventually([&] { return LeftOvers().empty(); }));
  MustShutDown();
  ExpectReceived(peer);
  ExpectStored();
}

TEST_F(ForwardingTest, OnAFullDiskTheStoreComesFirst) {
  const std::string disk = dir_ / "disk";
  ASSERT_TRUE(platform::CreateDirectories(disk).ok());
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64m") != 0) GTEST_SKIP() << "mounting a file system takes rights that we have not";
  config_.output_dir = disk;
  layout_ = StoreLayout(disk);
  config_.workers = 1;
  FakePeer& peer = AddPeer("one");
  Down(peer);
  Open();
  int stored = 0;
  EXPECT_TRUE(Eventually([&] {
    const AcceptResult result = Send("r" + std::to_string(stored), 1, 1 << 20);
    if (result.status.ok()) wanted_.push_back("r" + std::to_string(stored++) + "-0");
    (void)pipeline_->Flush(seconds(5));
    return stored == 110;  // twice the disk
  })) << stored;
  EXPECT_TRUE(pipeline_->Flush(kLong).ok());
  ExpectStored();
  Up(peer);
  EXPECT_TRUE(Eventually([&] { return StatsOf(0).backlog == 0; }));
  EXPECT_GT(StatsOf(0).given_up[static_cast<size_t>(GiveUpReason::kBacklogFull)], 0);
  EXPECT_EQ(StatsOf(0).accepted, StatsOf(0).sent + Total(StatsOf(0).given_up));
  EXPECT_EQ(peer.received().back(), "r109-0");
  pipeline_.reset();
  EXPECT_TRUE(Eventually([&] { return ::umount(disk.c_str()) == 0; })) << std::strerror(errno);
}

}  // namespace
}  // namespace otlp_arrow
