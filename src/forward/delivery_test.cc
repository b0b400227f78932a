#include "forward/delivery.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "forward/forwarding_testing.h"

namespace otlp_arrow {
namespace {

using testing::NamesIn;
using testing::SpansNamed;
using ::testing::ElementsAre;

JournalBatch BatchOf(const std::vector<std::vector<std::string>>& requests) {
  JournalBatch batch;
  for (const auto& names : requests) {
    const std::string bytes = SpansNamed(names);
    const ScanResult scan = ScanOtlp(Signal::kTraces, bytes);
    batch.records.push_back({batch.records.size() + 1, batch.requests.size(), bytes.size(), scan.items, scan.rejected_items, 0});
    batch.requests += bytes;
  }
  return batch;
}

// Takes what has none of these names.
class PickyPeer {
 public:
  explicit PickyPeer(std::vector<std::string> refused, size_t most = SIZE_MAX) : refused_(std::move(refused)), most_(most) {}
  Verdict operator()(std::string_view request) {
    ++requests;
    const auto names = NamesIn(request);
    if (names.size() > most_) return {Verdict::Kind::kRefused, true, 0, "too large"};
    for (const auto& name : names) {
      if (std::count(refused_.begin(), refused_.end(), name) > 0) return {Verdict::Kind::kRefused, false, 0, "I don't like " + name};
    }
    taken.insert(taken.end(), names.begin(), names.end());
    return {};
  }
  int requests = 0;
  std::vector<std::string> taken;

 private:
  std::vector<std::string> refused_;
  size_t most_;
};

DeliveryReport DeliverTo(PickyPeer* peer, const JournalBatch& batch) {
  return Deliver(Signal::kTraces, batch, [peer](std::string_view request) { return (*peer)(request); });
}

TEST(DeliveryTest, ABatchIsOneRequest) {
  PickyPeer peer({});
  const auto report = DeliverTo(&peer, BatchOf({{"a", "b"}, {"c"}}));
  EXPECT_TRUE(report.is_settled);
  EXPECT_EQ(report.items.sent, 3);
  EXPECT_EQ(peer.requests, 1);
  EXPECT_THAT(peer.taken, ElementsAre("a", "b", "c"));
}

TEST(DeliveryTest, OnlyWhatIsRefusedIsGivenUp) {
  PickyPeer peer({"c"});
  const auto report = DeliverTo(&peer, BatchOf({{"a", "b"}, {"c", "d"}, {"e"}}));
  EXPECT_TRUE(report.is_settled);
  EXPECT_EQ(report.items.sent, 4);
  EXPECT_EQ(report.items.given_up[static_cast<size_t>(GiveUpReason::kRefused)], 1);
  EXPECT_EQ(report.refusal, "I don't like c");
  EXPECT_THAT(peer.taken, ElementsAre("a", "b", "d", "e"));
}

TEST(DeliveryTest, WhatIsTooLargeGoesInParts) {
  PickyPeer peer({}, 2);
  const auto report = DeliverTo(&peer, BatchOf({{"a", "b", "c", "d", "e"}, {"f", "g"}}));
  EXPECT_EQ(report.items.sent, 7);
  EXPECT_THAT(peer.taken, ElementsAre("a", "b", "c", "d", "e", "f", "g"));
}

TEST(DeliveryTest, OneItemThatIsTooLargeIsNamedSo) {
  PickyPeer peer({}, 0);
  const auto report = DeliverTo(&peer, BatchOf({{"a", "b", "c"}}));
  EXPECT_EQ(report.items.given_up[static_cast<size_t>(GiveUpReason::kTooLarge)], 3);
  EXPECT_EQ(report.items.sent, 0);
}

TEST(DeliveryTest, APeerThatRefusesEverythingIsNotAskedAboutEachItem) {
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) names.push_back("s" + std::to_string(i));
  PickyPeer peer(names);
  const auto report = DeliverTo(&peer, BatchOf({names}));
  EXPECT_TRUE(report.is_settled);
  EXPECT_EQ(report.items.given_up[static_cast<size_t>(GiveUpReason::kRefused)], 5000);
  EXPECT_EQ(peer.requests, kMaxRefusalsInARow);
}

TEST(DeliveryTest, ItemsThatTheSenderWasToldAreBadDoNotGo) {
  PickyPeer peer({"bad"});
  const auto report = DeliverTo(&peer, BatchOf({{"a", "bad", "b"}}));
  EXPECT_EQ(report.items.sent, 2);
  EXPECT_EQ(report.items.Items(), 2);
  EXPECT_EQ(peer.requests, 1);
  EXPECT_THAT(peer.taken, ElementsAre("a", "b"));
}

TEST(DeliveryTest, WhatThePeerLeftOutIsCounted) {
  const auto report = Deliver(Signal::kTraces, BatchOf({{"a", "b", "c"}}), [](std::string_view) { return Verdict{Verdict::Kind::kTaken, false, 2, {}}; });
  EXPECT_EQ(report.items.sent, 1);
  EXPECT_EQ(report.items.rejected, 2);
  const auto lies = Deliver(Signal::kTraces, BatchOf({{"a"}}), [](std::string_view) { return Verdict{Verdict::Kind::kTaken, false, 99, {}}; });
  EXPECT_EQ(lies.items.Items(), 1);
}

TEST(DeliveryTest, TheEndOfTheProcessSettlesNothing) {
  const auto report = Deliver(Signal::kTraces, BatchOf({{"a"}}), [](std::string_view) { return Verdict{Verdict::Kind::kAbandoned, false, 0, {}}; });
  EXPECT_FALSE(report.is_settled);
}

}  // namespace
}  // namespace otlp_arrow
