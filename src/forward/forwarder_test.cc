#include "forward/forwarder.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forward/forwarding_testing.h"

namespace otlp_arrow {
namespace {

using testing::FakeFactory;
using testing::FakePeer;
using testing::JournalSource;
using testing::Quick;
using testing::Refused;
using testing::Retryable;
using testing::SpansNamed;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAreArray;
using std::chrono::milliseconds;

constexpr milliseconds kLong(20'000);

std::vector<std::string> Numbered(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("s" + std::to_string(i));
  return names;
}

template <class Condition>
bool Eventually(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

class ForwarderTest : public ::testing::Test {
 protected:
  void Start(const std::vector<ForwardingConfig>& destinations) {
    auto forwarder = Forwarder::Start(destinations, factory_);
    ASSERT_TRUE(forwarder.ok()) << forwarder.status().ToString();
    forwarder_ = *std::move(forwarder);
  }
  void StartWithSource(const std::vector<ForwardingConfig>& destinations) {
    Start(destinations);
    ASSERT_TRUE(forwarder_->AddSource(source_).ok());
  }
  void Append(const std::vector<std::string>& names) {
    source_->Append(SpansNamed(names));
    forwarder_->OnAppended();
  }
  FakePeer& peer(const std::string& name) { return factory_->peer(name); }
  DestinationStats StatsOf(const std::string& name) {
    for (auto& stats : forwarder_->Stats()) {
      if (stats.name == name) return stats;
    }
    return {};
  }
  // accepted = sent + rejected + given_up + backlog, for each signal.
  void ExpectBalance() {
    for (const auto& stats : forwarder_->Stats()) {
      for (const auto& s : stats.signals) {
        EXPECT_EQ(s.accepted, s.sent + s.rejected + std::accumulate(s.given_up.begin(), s.given_up.end(), int64_t{0}) + s.backlog) << stats.name;
      }
    }
  }

  testing::TempDir dir_;
  std::shared_ptr<FakeFactory> factory_ = std::make_shared<FakeFactory>();
  std::shared_ptr<JournalSource> source_ = std::make_shared<JournalSource>(dir_.path());
  std::unique_ptr<Forwarder> forwarder_;
};

TEST_F(ForwarderTest, SendsInOrderAndTellsHowFar) {
  StartWithSource({Quick("a")});
  const auto names = Numbered(200);
  for (const auto& name : names) Append({name});
  ASSERT_TRUE(forwarder_->Drain(kLong));
  EXPECT_EQ(peer("a").received(), names);
  EXPECT_EQ(forwarder_->DoneUpTo(*source_)[0], 200u);
  EXPECT_EQ(forwarder_->SettledItems(*source_, Signal::kTraces), 200);
  EXPECT_TRUE(forwarder_->IsSettled(*source_));
  EXPECT_GT(source_->progress, 0);
  const DestinationStats stats = StatsOf("a");
  EXPECT_EQ(stats.signals[0].sent, 200);
  EXPECT_EQ(stats.signals[0].accepted, 200);
  EXPECT_EQ(stats.backlog_bytes, 0u);
  EXPECT_EQ(stats.breaker, "closed");
  EXPECT_EQ(std::accumulate(stats.send_latency.begin(), stats.send_latency.end(), int64_t{0}), stats.requests);
  EXPECT_GT(stats.bytes_sent, 0);
}

TEST_F(ForwarderTest, JoinsRequestsUpToTheSizeOfABatch) {
  ForwardingConfig config = Quick("a");
  const auto names = Numbered(300);
  config.batch_bytes = 1024;
  for (const auto& name : names) source_->Append(SpansNamed({name}));
  StartWithSource({config});
  ASSERT_TRUE(forwarder_->Drain(kLong));
  EXPECT_EQ(peer("a").received(), names);
  const size_t least = 300 * SpansNamed({"s1"}).size() / 1024;
  EXPECT_GE(peer("a").requests(), static_cast<int>(least));
  EXPECT_LE(peer("a").requests(), static_cast<int>(2 * least));
}

TEST_F(ForwarderTest, ABatchWaitsForCompanyOnlySoLong) {
  StartWithSource({Quick("a")});
  Append({"alone"});
  EXPECT_TRUE(Eventually([&] { return !peer("a").received().empty(); }));
}

TEST_F(ForwarderTest, EachDestinationHasItsOwnPace) {
  std::atomic<bool> is_down = true;
  peer("down").AnswerWith([&](const auto&) { return is_down ? Retryable("unavailable") : SendOutcome(); });
  ForwardingConfig logs_only = Quick("logs");
  logs_only.signals = {Signal::kLogs};
  StartWithSource({Quick("down"), Quick("up"), logs_only});
  const auto names = Numbered(50);
  for (const auto& name : names) Append({name});
  EXPECT_TRUE(Eventually([&] { return peer("up").received().size() == 50; }));
  EXPECT_TRUE(Eventually([&] { return StatsOf("down").failures > 5; }));
  EXPECT_EQ(forwarder_->DoneUpTo(*source_)[0], 0u);
  EXPECT_EQ(forwarder_->DoneUpTo(*source_)[1], 0u);
  EXPECT_EQ(StatsOf("down").signals[0].backlog, 50);
  EXPECT_EQ(StatsOf("down").last_error, "unavailable");
  EXPECT_GT(StatsOf("down").oldest_unsent_age_secs, 0);
  ExpectBalance();
  EXPECT_FALSE(forwarder_->Drain(kLong)) << "it is waited for in vain";
  is_down = false;
  EXPECT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_); }));
  EXPECT_EQ(peer("down").received(), names);
  EXPECT_EQ(StatsOf("down").last_error, "");
  EXPECT_GT(StatsOf("down").retries, 0);
  EXPECT_TRUE(forwarder_->Takes(Signal::kMetrics));
  ExpectBalance();
}

TEST_F(ForwarderTest, ARestartGoesOnWhereItWas) {
  StartWithSource({Quick("a")});
  for (const auto& name : Numbered(30)) Append({name});
  ASSERT_TRUE(forwarder_->Drain(kLong));
  forwarder_.reset();
  source_->Append(SpansNamed({"later"}));
  StartWithSource({Quick("a")});
  ASSERT_TRUE(forwarder_->Drain(kLong));
  EXPECT_EQ(peer("a").received().size(), 31u);
  EXPECT_EQ(peer("a").received().back(), "later");
  EXPECT_EQ(StatsOf("a").signals[0].sent, 1);
  ExpectBalance();
}

TEST_F(ForwarderTest, WhatIsLeftOverComesFirst) {
  testing::TempDir other;
  auto left_over = std::make_shared<JournalSource>(other.path());
  ASSERT_TRUE(left_over->positions().PlaceOf("a").ok());
  const auto old_names = Numbered(100);
  for (const auto& name : old_names) left_over->Append(SpansNamed({name}));
  left_over->LeaveOver();
  ForwardingConfig config = Quick("a");
  config.batch_bytes = 1024;
  std::atomic<bool> is_down = true;
  peer("a").AnswerWith([&](const auto&) { return is_down ? Retryable("not yet") : SendOutcome(); });
  Start({config, Quick("new")});
  ASSERT_TRUE(forwarder_->AddSource(source_).ok());
  ASSERT_TRUE(forwarder_->AddSource(left_over).ok());
  Append({"live"});
  is_down = false;
  ASSERT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_) && forwarder_->IsSettled(*left_over); }));
  auto received = peer("a").received();
  ASSERT_EQ(received.size(), 101u);
  // What was live may have been on its way before the other source was there.
  received.erase(std::find(received.begin(), received.end(), "live"));
  EXPECT_EQ(received, old_names);
  EXPECT_THAT(peer("new").received(), ElementsAre("live")) << "it is owed nothing of what was accepted before it was configured";
  forwarder_->RemoveSource(left_over.get());
  EXPECT_EQ(StatsOf("a").signals[0].sent, 101);
  ExpectBalance();
}

TEST_F(ForwarderTest, OnlyWhatThePeerRefusesIsGivenUp) {
  peer("a").AnswerWith([](const std::vector<std::string>& names) {
    return std::count(names.begin(), names.end(), "s7") > 0 ? Refused("no s7") : SendOutcome();
  });
  const auto names = Numbered(20);
  for (const auto& name : names) source_->Append(SpansNamed({name}));
  StartWithSource({Quick("a")});
  ASSERT_TRUE(forwarder_->Drain(kLong));
  EXPECT_EQ(peer("a").received().size(), 19u);
  const auto stats = StatsOf("a");
  EXPECT_EQ(stats.signals[0].given_up[static_cast<size_t>(GiveUpReason::kRefused)], 1);
  EXPECT_EQ(stats.signals[0].sent, 19);
  EXPECT_TRUE(forwarder_->IsSettled(*source_));
  ExpectBalance();
}

TEST_F(ForwarderTest, TheWishOfAPeerIsHeeded) {
  std::atomic<int> asked = 0;
  std::atomic<int64_t> first = 0, second = 0;
  auto now = [] { return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count(); };
  peer("a").AnswerWith([&](const auto&) -> SendOutcome {
    if (asked++ == 0) {
      first = now();
      SendOutcome outcome = Retryable("slow down");
      outcome.retry_after = milliseconds(150);
      return outcome;
    }
    second = now();
    return {};
  });
  StartWithSource({Quick("a")});
  Append({"s"});
  ASSERT_TRUE(Eventually([&] { return !peer("a").received().empty(); }));
  EXPECT_GE(second - first, 150);
}

TEST_F(ForwarderTest, CredentialsAreLookedUpAnewWhereTheyAreRefused) {
  std::atomic<bool> is_wrong = true;
  peer("a").AnswerWith([&](const auto&) -> SendOutcome {
    if (!is_wrong) return {};
    return {.kind = SendOutcome::Kind::kUnusable, .message = "401", .retry_after = std::nullopt};
  });
  StartWithSource({Quick("a")});
  const int made = factory_->made;
  Append({"s"});
  EXPECT_TRUE(Eventually([&] { return factory_->made > made; }));
  EXPECT_NE(StatsOf("a").breaker, "closed");
  is_wrong = false;
  EXPECT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_); }));
  EXPECT_THAT(peer("a").received(), ElementsAre("s"));
}

TEST_F(ForwarderTest, AfterMaxRetrySecsARequestIsGivenUp) {
  peer("a").AnswerWith([](const auto&) { return Retryable("never"); });
  ForwardingConfig config = Quick("a");
  config.max_retry_secs = 1;
  StartWithSource({config});
  Append({"s", "t"});
  EXPECT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_); }));
  EXPECT_EQ(StatsOf("a").signals[0].given_up[static_cast<size_t>(GiveUpReason::kTimeout)], 2);
  ExpectBalance();
}

// --- a backlog over its budget ----------------------------------------------------------------------------------------

class BacklogTest : public ForwarderTest {
 protected:
  BacklogTest() { source_ = std::make_shared<JournalSource>(dir_.path() + "", 4096); }
};

TEST_F(BacklogTest, TheOldestIsGivenUpAndTheRestComesThrough) {
  std::atomic<bool> is_down = true;
  peer("a").AnswerWith([&](const auto&) { return is_down ? Retryable("down") : SendOutcome(); });
  ForwardingConfig config = Quick("a");
  config.batch_bytes = 1024;
  config.max_in_flight = 3;
  StartWithSource({config});
  const auto names = Numbered(400);
  for (const auto& name : names) Append({name});
  ASSERT_GT(source_->segment_count(), 6u);
  ASSERT_TRUE(Eventually([&] { return StatsOf("a").in_flight == 3; }));

  const uint64_t keep = source_->last_segment() - 1;
  source_->GiveUpBefore(keep);
  forwarder_->OnGiveUp();
  EXPECT_TRUE(Eventually([&] { return forwarder_->DoneUpTo(*source_)[0] > 0; }));
  // Not even what is under way keeps the old segments.
  EXPECT_TRUE(Eventually([&] {
    StoredSequences stored;
    stored.fill(UINT64_MAX);
    source_->ReleaseUpTo(stored, forwarder_->DoneUpTo(*source_));
    return source_->segment_count() <= 3;
  }));
  ExpectBalance();
  is_down = false;
  ASSERT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_); }));
  const auto received = peer("a").received();
  const int64_t given_up = StatsOf("a").signals[0].given_up[static_cast<size_t>(GiveUpReason::kBacklogFull)];
  EXPECT_GT(given_up, 0);
  EXPECT_EQ(given_up + static_cast<int64_t>(received.size()), 400);
  EXPECT_EQ(std::set<std::string>(received.begin(), received.end()).size(), received.size());
  EXPECT_EQ(std::count(received.begin(), received.end(), "s399"), 1);
  ExpectBalance();
}

TEST_F(BacklogTest, WhatComesThroughAfterAllCountsAsSent) {
  std::atomic<bool> is_slow = true;
  std::atomic<int> waiting = 0;
  peer("a").AnswerWith([&](const auto&) {
    ++waiting;
    while (is_slow) std::this_thread::sleep_for(milliseconds(1));
    return SendOutcome();
  });
  ForwardingConfig config = Quick("a");
  config.batch_bytes = 1024;
  StartWithSource({config});
  for (const auto& name : Numbered(300)) Append({name});
  ASSERT_TRUE(Eventually([&] { return waiting == 1; }));
  source_->GiveUpBefore(source_->last_segment());
  forwarder_->OnGiveUp();
  EXPECT_TRUE(Eventually([&] { return forwarder_->DoneUpTo(*source_)[0] > 0; }));
  is_slow = false;
  ASSERT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_) && StatsOf("a").in_flight == 0; }));
  const auto stats = StatsOf("a");
  EXPECT_EQ(stats.signals[0].sent, static_cast<int64_t>(peer("a").received().size()));
  EXPECT_EQ(stats.signals[0].sent + stats.signals[0].given_up[0], 300);
  ExpectBalance();
}

// --- the end ------------------------------------------------------------------------------------------------------------

TEST_F(ForwarderTest, StoppingLeavesWhatIsNotSent) {
  peer("a").AnswerWith([](const auto&) { return Retryable("down"); });
  StartWithSource({Quick("a")});
  Append({"s"});
  ASSERT_TRUE(Eventually([&] { return StatsOf("a").failures > 0; }));
  forwarder_->Stop(milliseconds(10));
  EXPECT_FALSE(forwarder_->IsSettled(*source_));
  EXPECT_EQ(StatsOf("a").signals[0].backlog, 1);
  forwarder_->RemoveSource(source_.get());
}

TEST_F(ForwarderTest, ASourceCanGoWhileItsDestinationIsDown) {
  peer("a").AnswerWith([](const auto&) { return Retryable("down"); });
  StartWithSource({Quick("a")});
  Append({"s"});
  ASSERT_TRUE(Eventually([&] { return StatsOf("a").in_flight == 1; }));
  forwarder_->RemoveSource(source_.get());
  EXPECT_EQ(source_->positions().Get(0, Signal::kTraces).sequence, 0u);
  ExpectBalance();
}

TEST_F(ForwarderTest, WrongConfigurationsAreRefused) {
  auto error = [&](const std::vector<ForwardingConfig>& destinations, std::shared_ptr<SenderFactory> factory) {
    return Forwarder::Start(destinations, std::move(factory)).status().message();
  };
  EXPECT_THAT(error({Quick("a"), Quick("a")}, factory_), HasSubstr("two destinations have the name 'a'"));
  EXPECT_THAT(error({Quick("a")}, nullptr), HasSubstr("links no senders"));
  ForwardingConfig wrong = Quick("a");
  wrong.endpoint = "ftp://x";
  EXPECT_THAT(error({wrong}, factory_), HasSubstr("ftp"));
  ForwardingConfig off = wrong;
  off.enabled = false;
  Start({off});
  EXPECT_TRUE(forwarder_->Stats().empty());
}

TEST_F(ForwarderTest, ManyThreadsAppendAndManySend) {
  ForwardingConfig config = Quick("a");
  config.max_in_flight = 4;
  config.batch_bytes = 2000;
  std::atomic<int> asked = 0;
  peer("a").AnswerWith([&](const auto&) { return ++asked % 7 == 0 ? Retryable("again") : SendOutcome(); });
  StartWithSource({config, Quick("b")});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) Append({"t" + std::to_string(t) + "-" + std::to_string(i)});
    });
  }
  for (auto& thread : threads) thread.join();
  ASSERT_TRUE(Eventually([&] { return forwarder_->IsSettled(*source_); }));
  for (const char* name : {"a", "b"}) {
    const auto received = peer(name).received();
    EXPECT_EQ(received.size(), 1000u);
    EXPECT_EQ(std::set<std::string>(received.begin(), received.end()).size(), 1000u);
  }
  ExpectBalance();
}

}  // namespace
}  // namespace otlp_arrow
