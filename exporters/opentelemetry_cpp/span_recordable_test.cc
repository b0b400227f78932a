#include "span_recordable.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <opentelemetry/common/key_value_iterable_view.h>
#include <opentelemetry/exporters/otlp/otlp_recordable.h>
#include <opentelemetry/trace/trace_state.h>

#include "reference_otlp.h"

namespace otlp_arrow::exporters {
namespace {

namespace api = opentelemetry;
namespace proto = opentelemetry::proto;
using api::common::SystemTimestamp;
using testing::Difference;
using SdkRecordable = api::sdk::trace::Recordable;
using Pairs = std::vector<std::pair<std::string, AttributeValue>>;

proto::trace::v1::Span Parse(SpanRecordable* recordable) {
  proto::trace::v1::Span span;
  const std::string_view bytes = recordable->Seal();
  EXPECT_TRUE(span.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return span;
}

std::unique_ptr<SpanRecordable> Make() { return std::unique_ptr<SpanRecordable>(new SpanRecordable); }

// What the same calls make of the SDK's own OTLP recordable is the same message.
template <class Apply>
void ExpectAsTheSdk(Apply apply) {
  api::exporter::otlp::OtlpRecordable theirs;
  const auto ours = Make();
  for (SdkRecordable* recordable : {static_cast<SdkRecordable*>(&theirs), static_cast<SdkRecordable*>(ours.get())}) {
    recordable->SetStartTime(SystemTimestamp(std::chrono::nanoseconds(1)));
    recordable->SetDuration(std::chrono::nanoseconds(1));
    recordable->SetIdentity({api::trace::TraceId(), api::trace::SpanId(), {}, false}, {});
    apply(*recordable);
  }
  EXPECT_EQ(Difference(theirs.span(), Parse(ours.get())), "");
}

constexpr uint8_t kTraceId[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr uint8_t kSpanId[8] = {21, 22, 23, 24, 25, 26, 27, 28};
constexpr uint8_t kParentId[8] = {31, 32, 33, 34, 35, 36, 37, 38};

api::trace::SpanContext Context(const char* trace_state = "", uint8_t flags = 1, bool remote = false) {
  return {api::trace::TraceId(kTraceId), api::trace::SpanId(kSpanId), api::trace::TraceFlags(flags), remote,
          api::trace::TraceState::FromHeader(trace_state)};
}

TEST(SpanRecordableTest, IdentityTimesAndKinds) {
  for (const auto kind : {api::trace::SpanKind::kInternal, api::trace::SpanKind::kServer, api::trace::SpanKind::kClient,
                          api::trace::SpanKind::kProducer, api::trace::SpanKind::kConsumer, static_cast<api::trace::SpanKind>(77)}) {
    ExpectAsTheSdk([&](SdkRecordable& span) {
      span.SetName("a name");
      span.SetIdentity(Context("vendor=a,other=b"), api::trace::SpanId(kParentId));
      span.SetTraceFlags(api::trace::TraceFlags(1));
      span.SetSpanKind(kind);
      span.SetStartTime(SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'000)));
      span.SetDuration(std::chrono::nanoseconds(12345));
    });
  }
}

TEST(SpanRecordableTest, RootsHaveNoParent) {
  ExpectAsTheSdk([](SdkRecordable& span) {
    span.SetIdentity(Context(), api::trace::SpanId());
    span.SetTraceFlags(api::trace::TraceFlags(0));
  });
}

TEST(SpanRecordableTest, AttributesOfAllTypes) {
  const bool flags[] = {true, false};
  const int32_t int32s[] = {INT32_MIN, 0, INT32_MAX};
  const uint32_t uint32s[] = {0, UINT32_MAX};
  const int64_t int64s[] = {INT64_MIN, -1, 0, 127, 128, INT64_MAX};
  const uint64_t uint64s[] = {0, INT64_MAX};
  const double doubles[] = {-0.0, 1e300, std::numeric_limits<double>::infinity()};
  const nostd::string_view texts[] = {"", "ü", nostd::string_view("a\0b", 3)};
  const uint8_t bytes[] = {0, 127, 255};
  const Pairs attributes = {
      {"bool", true},
      {"", false},
      {"int32", INT32_MIN},
      {"uint32", UINT32_MAX},
      {"int64", int64_t{INT64_MIN}},
      {"small", int64_t{1}},
      {"uint64", uint64_t{INT64_MAX}},
      {"double", 1.0 / 3},
      {"zero", 0.0},
      {"c string", "text of a program"},
      {"string view", nostd::string_view("päper \"quoted\"\n")},
      {"empty", ""},
      {"long", nostd::string_view(R"(0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
          0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789)")},
      {"bools", nostd::span<const bool>(flags)},
      {"int32s", nostd::span<const int32_t>(int32s)},
      {"uint32s", nostd::span<const uint32_t>(uint32s)},
      {"int64s", nostd::span<const int64_t>(int64s)},
      {"uint64s", nostd::span<const uint64_t>(uint64s)},
      {"doubles", nostd::span<const double>(doubles)},
      {"texts", nostd::span<const nostd::string_view>(texts)},
      {"bytes", nostd::span<const uint8_t>(bytes)},
      {"none", nostd::span<const int64_t>()},
  };
  for (const auto& [key, value] : attributes) {
    SCOPED_TRACE(key);
    ExpectAsTheSdk([&](SdkRecordable& span) { span.SetAttribute(key, value); });
  }
  ExpectAsTheSdk([&](SdkRecordable& span) {
    for (const auto& [key, value] : attributes) span.SetAttribute(key, value);
  });
}

TEST(SpanRecordableTest, AKeyThatIsSetTwiceStandsTwice) {
  ExpectAsTheSdk([](SdkRecordable& span) {
    span.SetAttribute("key", 1);
    span.SetAttribute("key", "two");
  });
}

TEST(SpanRecordableTest, EventsAndLinks) {
  const Pairs pairs = {{"n", int64_t{7}}, {"why", "because"}};
  const api::common::KeyValueIterableView<Pairs> attributes(pairs);
  ExpectAsTheSdk([&](SdkRecordable& span) {
    span.AddEvent("event", SystemTimestamp(std::chrono::nanoseconds(2)), attributes);
    span.AddLink(Context("vendor=a", 1, true), attributes);
    span.AddEvent("", SystemTimestamp(std::chrono::nanoseconds(0)));
    span.AddLink(Context("", 0), api::common::NoopKeyValueIterable());
    span.AddEvent(std::string(1000, 'e'), SystemTimestamp(std::chrono::nanoseconds(3)), attributes);
  });
}

TEST(SpanRecordableTest, StatusAndNameMayBeSetAgain) {
  using api::trace::StatusCode;
  ExpectAsTheSdk([](SdkRecordable& span) { span.SetStatus(StatusCode::kError, "it fell over"); });
  ExpectAsTheSdk([](SdkRecordable& span) { span.SetStatus(StatusCode::kUnset, ""); });
  ExpectAsTheSdk([](SdkRecordable& span) { span.SetStatus(StatusCode::kOk, "said though it is well"); });
  ExpectAsTheSdk([](SdkRecordable& span) {
    span.SetStatus(StatusCode::kError, "it fell over");
    span.SetStatus(StatusCode::kOk, "and rose again");
    span.SetStatus(StatusCode::kUnset, "");
  });
  ExpectAsTheSdk([](SdkRecordable& span) {
    span.SetName("first");
    span.SetAttribute("between", 1);
    span.SetStatus(StatusCode::kError, "it fell over");
    span.SetName("a longer second name");
    span.SetAttribute("after", 2);
    span.SetStatus(StatusCode::kError, "otherwise");
    span.SetName("");
    span.SetStatus(StatusCode::kError, "at last");
    span.SetName("third");
    span.SetIdentity(Context("vendor=a"), api::trace::SpanId(kParentId));
    span.SetName("fourth");
    span.SetIdentity(Context("vendor=b"), api::trace::SpanId(kParentId));
  });
}

// Far beyond the room inside the recordable.
TEST(SpanRecordableTest, GrowsWithItsContent) {
  const std::string large(100'000, 'x');
  ExpectAsTheSdk([&](SdkRecordable& span) {
    span.SetName("large");
    for (int i = 0; i < 1000; ++i) span.SetAttribute("key " + std::to_string(i), i);
    span.SetAttribute("large", large);
    span.SetName("still large");
    span.AddEvent(large, SystemTimestamp(std::chrono::nanoseconds(5)));
  });
}

TEST(SpanRecordableTest, WhatIsTooLargeIsLeftOutAndCounted) {
  const auto span = Make();
  const std::string half(kMaxRecordBytes / 2, 'x');
  span->SetName("kept");
  span->SetAttribute("kept", half);
  span->SetAttribute("dropped", half);
  const Pairs pairs = {{"large", nostd::string_view(half)}};
  span->AddEvent("dropped", SystemTimestamp(std::chrono::nanoseconds(1)), api::common::KeyValueIterableView<Pairs>(pairs));
  span->AddLink(Context(), api::common::KeyValueIterableView<Pairs>(pairs));
  span->SetAttribute("small", 1);
  const auto message = Parse(span.get());
  ASSERT_EQ(message.attributes_size(), 2);
  EXPECT_EQ(message.attributes(0).key(), "kept");
  EXPECT_EQ(message.attributes(1).key(), "small");
  EXPECT_EQ(message.dropped_attributes_count(), 1u);
  EXPECT_EQ(message.dropped_events_count(), 1u);
  EXPECT_EQ(message.dropped_links_count(), 1u);
  EXPECT_EQ(message.name(), "kept");
}

// The SDK's exporter would send these, and the whole span would be refused.
TEST(SpanRecordableTest, TextThatIsNoUtf8) {
  const auto span = Make();
  span->SetName("a\xff name");
  span->SetAttribute("key \xc0", "value \xed\xa0\x80");
  const nostd::string_view texts[] = {"fine", "\x80"};
  span->SetAttribute("texts", nostd::span<const nostd::string_view>(texts));
  span->AddEvent("\xfe", SystemTimestamp(std::chrono::nanoseconds(1)), api::common::NoopKeyValueIterable());
  span->SetStatus(api::trace::StatusCode::kError, "\xff");
  const auto message = Parse(span.get());
  EXPECT_EQ(message.name(), "a\uFFFD name");
  EXPECT_EQ(message.attributes(0).key(), "key \uFFFD");
  EXPECT_EQ(message.attributes(0).value().bytes_value(), "value \xed\xa0\x80");
  EXPECT_EQ(message.attributes(1).value().array_value().values(0).string_value(), "fine");
  EXPECT_EQ(message.attributes(1).value().array_value().values(1).bytes_value(), "\x80");
  EXPECT_EQ(message.events(0).name(), "\uFFFD");
  EXPECT_EQ(message.status().message(), "\uFFFD");
}

// The SDK's exporter would make a negative number of it.
TEST(SpanRecordableTest, IntegersBeyondInt64BecomeText) {
  const auto span = Make();
  span->SetAttribute("large", uint64_t{UINT64_MAX});
  EXPECT_EQ(Parse(span.get()).attributes(0).value().string_value(), "18446744073709551615");
}

TEST(SpanRecordableTest, ANullCStringIsEmpty) {
  const auto span = Make();
  span->SetAttribute("null", static_cast<const char*>(nullptr));
  EXPECT_TRUE(Parse(span.get()).attributes(0).value().has_string_value());
}

TEST(SpanRecordableTest, SealingTwiceChangesNothing) {
  const auto span = Make();
  span->SetName("once");
  const std::string first(span->Seal());
  EXPECT_EQ(span->Seal(), first);
}

}  // namespace
}  // namespace otlp_arrow::exporters
