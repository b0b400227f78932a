// Halves and what is left of requests, judged by libprotobuf and by the scan.
#include "otlp/split.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>

#include "odd_wire.h"
#include "otlp/scan.h"
#include "random_otlp.h"
#include "reference_otlp.h"

namespace otlp_arrow {
namespace {

using testing::LogsRequest;
using testing::MetricsRequest;
using testing::ParseDeep;
using testing::RandomOtlp;
using testing::TestSeeds;
using testing::TraceRequest;

const google::protobuf::LogSilencer kNoWordsOnBadUtf8;

template <class Request>
std::string Compare(const std::string& wanted, const std::string& got) {
  Request a, b;
  if (!ParseDeep(wanted, &a) || !ParseDeep(got, &b)) return "not a request";
  // What nobody knows stands in both halves.
  testing::StripUnknownFields(&a, testing::kFirstUnknownField);
  testing::StripUnknownFields(&b, testing::kFirstUnknownField);
  testing::Canonicalize(&a);
  testing::Canonicalize(&b);
  return testing::Difference(a, b);
}

std::string Compare(Signal signal, const std::string& wanted, const std::string& got) {
  switch (signal) {
    case Signal::kTraces: return Compare<TraceRequest>(wanted, got);
    case Signal::kMetrics: return Compare<MetricsRequest>(wanted, got);
    case Signal::kLogs: return Compare<LogsRequest>(wanted, got);
  }
  return "no signal";
}

int64_t ItemsOf(Signal signal, const std::string& request) {
  const ScanResult scan = ScanOtlp(signal, request);
  EXPECT_TRUE(scan.ok) << scan.error;
  return scan.items + scan.rejected_items;
}

// Down to single items.
void SplitAll(Signal signal, const std::string& request, std::vector<std::string>* leaves) {
  auto halves = SplitOtlp(signal, request);
  if (!halves) return leaves->push_back(request);
  EXPECT_LT(halves->first.size(), request.size() + halves->second.size());
  SplitAll(signal, halves->first, leaves);
  SplitAll(signal, halves->second, leaves);
}

std::string OddRequest(Signal signal, uint64_t seed) {
  std::mt19937_64 random(seed);
  RandomOtlp source(seed);
  switch (signal) {
    case Signal::kTraces: return testing::SerializeOddly(source.Traces(), &random);
    case Signal::kMetrics: return testing::SerializeOddly(source.Metrics(), &random);
    case Signal::kLogs: return testing::SerializeOddly(source.Logs(), &random);
  }
  return {};
}

class Split : public ::testing::TestWithParam<Signal> {};
INSTANTIATE_TEST_SUITE_P(Signals, Split, ::testing::ValuesIn(kAllSignals), [](const auto& test) { return std::string(SignalName(test.param)); });

TEST_P(Split, HalvesHoldAllItemsInOrderDownToSingleOnes) {
  const auto [first, end] = TestSeeds(300);
  for (uint64_t seed = first; seed < end; ++seed) {
    const std::string request = RandomOtlp(seed).Request(GetParam());
    const int64_t items = ItemsOf(GetParam(), request);
    std::vector<std::string> leaves;
    SplitAll(GetParam(), request, &leaves);
    std::string joined;
    int64_t most = 0;
    for (const std::string& leaf : leaves) {
      joined += leaf;
      most = std::max(most, ItemsOf(GetParam(), leaf));
    }
    EXPECT_LE(most, 1) << "seed " << seed;
    EXPECT_EQ(ItemsOf(GetParam(), joined), items) << "seed " << seed;
    EXPECT_EQ(Compare(GetParam(), request, joined), "") << "seed " << seed;
  }
}

TEST_P(Split, OddSerializationsSplitLikewise) {
  const auto [first, end] = TestSeeds(100);
  for (uint64_t seed = first; seed < end; ++seed) {
    const std::string request = OddRequest(GetParam(), seed);
    auto halves = SplitOtlp(GetParam(), request);
    if (halves) {
      EXPECT_EQ(Compare(GetParam(), request, halves->first + halves->second), "") << "seed " << seed;
    }
  }
}

TEST_P(Split, HalvesAreAboutEquallyLarge) {
  std::string request;
  for (uint64_t seed = 1; seed <= 40; ++seed) request += RandomOtlp(seed).Request(GetParam());
  const auto halves = SplitOtlp(GetParam(), request);
  ASSERT_TRUE(halves);
  EXPECT_GT(halves->first.size(), request.size() / 4);
  EXPECT_GT(halves->second.size(), request.size() / 4);
}

TEST_P(Split, BrokenAndEmptyRequestsHaveNoHalves) {
  EXPECT_FALSE(SplitOtlp(GetParam(), ""));
  EXPECT_FALSE(SplitOtlp(GetParam(), "\x0a\xff"));
}

TEST_P(Split, NothingIsLeftOutOfAValidRequest) {
  const auto [first, end] = TestSeeds(200);
  for (uint64_t seed = first; seed < end; ++seed) {
    const std::string request = RandomOtlp(seed).Request(GetParam());
    if (ScanOtlp(GetParam(), request).rejected_items > 0) continue;
    EXPECT_EQ(Compare(GetParam(), request, WithoutRejectedItems(GetParam(), request)), "") << "seed " << seed;
  }
}

TEST(WithoutRejectedItems, KeepsTheValidItemsOfARequest) {
  TraceRequest request;
  auto* scope = request.add_resource_spans()->add_scope_spans();
  scope->mutable_scope()->set_name("shop");
  for (const char* id : {"12345678", "short", "abcdefgh"}) {
    auto* span = scope->add_spans();
    span->set_span_id(id);
    span->set_name(id);
  }
  request.add_resource_spans()->set_schema_url("\xff\xfe");
  request.mutable_resource_spans(1)->add_scope_spans()->add_spans()->set_name("in a bad resource");
  const ScanResult before = ScanOtlp(Signal::kTraces, request.SerializeAsString());
  EXPECT_EQ(before.items, 2);
  EXPECT_EQ(before.rejected_items, 2);

  const std::string pruned = WithoutRejectedItems(Signal::kTraces, request.SerializeAsString());
  TraceRequest left;
  ASSERT_TRUE(left.ParseFromString(pruned));
  ASSERT_EQ(left.resource_spans_size(), 1);
  ASSERT_EQ(left.resource_spans(0).scope_spans(0).spans_size(), 2);
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).scope().name(), "shop");
  EXPECT_EQ(left.resource_spans(0).scope_spans(0).spans(1).name(), "abcdefgh");
}

TEST_P(Split, WhatIsLeftIsWhatTheScanTakes) {
  const auto [first, end] = TestSeeds(300);
  for (uint64_t seed = first; seed < end; ++seed) {
    const std::string request = OddRequest(GetParam(), seed);
    const ScanResult before = ScanOtlp(GetParam(), request);
    if (!before.ok) continue;
    const ScanResult after = ScanOtlp(GetParam(), WithoutRejectedItems(GetParam(), request));
    EXPECT_TRUE(after.ok) << "seed " << seed << ": " << after.error;
    EXPECT_EQ(after.items, before.items) << "seed " << seed;
    EXPECT_EQ(after.rejected_items, 0) << "seed " << seed;
  }
}

}  // namespace
}  // namespace otlp_arrow
