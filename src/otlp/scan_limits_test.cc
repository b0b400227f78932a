// Limits of the scan: what is over them is rejected and can be taken out; what is at them stays.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "otlp/scan.h"
#include "otlp/split.h"
#include "random_otlp.h"
#include "reference_otlp.h"

namespace otlp_arrow {
namespace {

using opentelemetry::proto::common::v1::AnyValue;
using opentelemetry::proto::common::v1::KeyValue;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::TraceRequest;
using Attributes = google::protobuf::RepeatedPtrField<KeyValue>;

constexpr uint32_t kMost = 3;
const ScanLimits kFew{.max_attributes = kMost};

void Fill(Attributes* attributes, uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) attributes->Add()->set_key("k" + std::to_string(i));
}

// A place for a list of attributes, in a request whose first item is in it and whose second is not (or is it too).
struct Place {
  const char* name;
  Signal signal;
  bool of_both;
  std::function<std::string(uint32_t count)> request;
};

template <class Pick>
Place InTraces(const char* name, bool of_both, Pick pick) {
  return {name, Signal::kTraces, of_both, [pick](uint32_t count) {
            TraceRequest request;
            auto* resource = request.add_resource_spans();
            auto* span = resource->add_scope_spans()->add_spans();
            resource->mutable_scope_spans(0)->add_spans();
            Fill(pick(resource, span), count);
            return request.SerializeAsString();
          }};
}

template <class Pick>
Place InMetrics(const char* name, bool of_both, Pick pick) {
  return {name, Signal::kMetrics, of_both, [pick](uint32_t count) {
            MetricsRequest request;
            auto* metric = request.add_resource_metrics()->add_scope_metrics()->add_metrics();
            Fill(pick(metric), count);
            return request.SerializeAsString();
          }};
}

// Two data points, of which the first has the attributes.
template <class Data>
Attributes* PointOf(Data* data) {
  auto* attributes = data->add_data_points()->mutable_attributes();
  data->add_data_points();
  return attributes;
}
template <class Data>
Attributes* ExemplarOf(Data* data) {
  auto* attributes = data->add_data_points()->add_exemplars()->mutable_filtered_attributes();
  data->add_data_points();
  return attributes;
}

std::vector<Place> Places() {
  return {
      InTraces("resource", true, [](auto* resource, auto*) { return resource->mutable_resource()->mutable_attributes(); }),
      InTraces("scope", true, [](auto* resource, auto*) { return resource->mutable_scope_spans(0)->mutable_scope()->mutable_attributes(); }),
      InTraces("span", false, [](auto*, auto* span) { return span->mutable_attributes(); }),
      InTraces("event", false, [](auto*, auto* span) { return span->add_events()->mutable_attributes(); }),
      InTraces("link", false, [](auto*, auto* span) { return span->add_links()->mutable_attributes(); }),
      {"log record", Signal::kLogs, false,
       [](uint32_t count) {
         LogsRequest request;
         auto* scope = request.add_resource_logs()->add_scope_logs();
         Fill(scope->add_log_records()->mutable_attributes(), count);
         scope->add_log_records();
         return request.SerializeAsString();
       }},
      InMetrics("gauge", false, [](auto* metric) { return PointOf(metric->mutable_gauge()); }),
      InMetrics("sum", false, [](auto* metric) { return PointOf(metric->mutable_sum()); }),
      InMetrics("histogram", false, [](auto* metric) { return PointOf(metric->mutable_histogram()); }),
      InMetrics("exponential histogram", false, [](auto* metric) { return PointOf(metric->mutable_exponential_histogram()); }),
      InMetrics("summary", false, [](auto* metric) { return PointOf(metric->mutable_summary()); }),
      InMetrics("exemplar", false, [](auto* metric) { return ExemplarOf(metric->mutable_sum()); }),
      InMetrics("exemplar of a histogram", false, [](auto* metric) { return ExemplarOf(metric->mutable_histogram()); }),
      InMetrics("exemplar of an exponential histogram", false, [](auto* metric) { return ExemplarOf(metric->mutable_exponential_histogram()); }),
      InMetrics("metadata", true,
                [](auto* metric) {
                  PointOf(metric->mutable_gauge());
                  return metric->mutable_metadata();
                }),
  };
}

TEST(ScanLimits, AttributesOfEveryList) {
  for (const Place& place : Places()) {
    SCOPED_TRACE(place.name);
    const ScanResult at_limit = ScanOtlp(place.signal, place.request(kMost), kFew);
    EXPECT_EQ(at_limit.items, 2);
    EXPECT_FALSE(at_limit.over_limits);

    const std::string request = place.request(kMost + 1);
    const ScanResult over = ScanOtlp(place.signal, request, kFew);
    EXPECT_TRUE(over.ok);
    EXPECT_EQ(over.items, place.of_both ? 0 : 1);
    EXPECT_EQ(over.rejected_items, place.of_both ? 2 : 1);
    EXPECT_EQ(over.fault, ItemFault::kTooManyAttributes);
    EXPECT_TRUE(over.over_limits);
    EXPECT_EQ(ScanOtlp(place.signal, request).items, 2);  // without limits

    const ScanResult left = ScanOtlp(place.signal, WithoutRejectedItems(place.signal, request, kFew));
    EXPECT_EQ(left.items, over.items);
    EXPECT_EQ(left.rejected_items, 0);
  }
}

std::string DeepBody(int levels) {
  LogsRequest request;
  AnyValue* value = request.add_resource_logs()->add_scope_logs()->add_log_records()->mutable_body();
  for (; levels > 0; --levels) value = levels % 2 ? value->mutable_array_value()->add_values() : value->mutable_kvlist_value()->add_values()->mutable_value();
  value->set_int_value(1);
  return request.SerializeAsString();
}

TEST(ScanLimits, DepthOfValues) {
  for (const int most : {1, 5, kMaxValueDepth}) {
    const ScanLimits limits{.max_value_depth = most};
    EXPECT_EQ(ScanOtlp(Signal::kLogs, DeepBody(most), limits).items, 1);
    const ScanResult over = ScanOtlp(Signal::kLogs, DeepBody(most + 1), limits);
    EXPECT_EQ(over.items, 0);
    // What cannot be stored at all is not over a limit that one could raise.
    EXPECT_EQ(over.fault, most < kMaxValueDepth ? ItemFault::kValueOverLimit : ItemFault::kTooDeep);
    EXPECT_EQ(over.over_limits, most < kMaxValueDepth);
    EXPECT_EQ(WithoutRejectedItems(Signal::kLogs, DeepBody(most + 1), limits), "");
  }
}

TEST(ScanLimits, SentencesNameTheLimit) {
  EXPECT_EQ(ItemFaultName(ItemFault::kTooManyAttributes), "limit");
  EXPECT_EQ(ItemFaultName(ItemFault::kValueOverLimit), "limit");
  EXPECT_EQ(ItemFaultMessage(ItemFault::kTooManyAttributes, kFew), "a list of attributes has more than 3 entries (limits.max_attributes)");
  EXPECT_EQ(ItemFaultMessage(ItemFault::kValueOverLimit, {.max_value_depth = 7}),
            "an attribute value is nested more than 7 levels deep (limits.max_value_depth)");
}

// What the scan takes with limits is what is left of the request, whatever is in it.
TEST(ScanLimits, WhatIsLeftIsWithinThem) {
  const auto [first, end] = testing::TestSeeds(150);
  int64_t rejected = 0;
  for (uint64_t seed = first; seed < end; ++seed) {
    for (const Signal signal : kAllSignals) {
      const std::string request = testing::RandomOtlp(seed).Request(signal);
      const ScanLimits limits{.max_attributes = static_cast<uint32_t>(1 + seed % 5), .max_value_depth = static_cast<int>(1 + seed % 4)};
      const ScanResult before = ScanOtlp(signal, request, limits);
      ASSERT_TRUE(before.ok);
      rejected += before.rejected_items;
      EXPECT_EQ(before.over_limits, before.rejected_items > ScanOtlp(signal, request).rejected_items) << "seed " << seed;
      for (const ScanLimits& after : {limits, ScanLimits{}}) {
        const ScanResult left = ScanOtlp(signal, WithoutRejectedItems(signal, request, limits), after);
        EXPECT_EQ(left.items, before.items) << "seed " << seed;
        EXPECT_EQ(left.rejected_items, 0) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(rejected, 100);
}

}  // namespace
}  // namespace otlp_arrow
