#include "log_recordable.h"

#include <cstdint>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <opentelemetry/exporters/otlp/otlp_log_recordable.h>
#include <opentelemetry/logs/severity.h>
#include <opentelemetry/trace/span_id.h>
#include <opentelemetry/trace/trace_id.h>

#include "reference_otlp.h"

namespace otlp_arrow::exporters {
namespace {

namespace api = opentelemetry;
namespace proto = opentelemetry::proto;
using api::common::SystemTimestamp;
using testing::Difference;
using SdkRecordable = api::sdk::logs::Recordable;

std::unique_ptr<LogRecordable> Make() { return std::unique_ptr<LogRecordable>(new LogRecordable); }

proto::logs::v1::LogRecord Parse(LogRecordable* recordable) {
  proto::logs::v1::LogRecord record;
  const std::string_view bytes = recordable->Seal();
  EXPECT_TRUE(record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return record;
}

// What the same calls make of the SDK's own OTLP recordable is the same message.
template <class Apply>
void ExpectAsTheSdk(Apply apply) {
  api::exporter::otlp::OtlpLogRecordable theirs;
  const auto ours = Make();
  apply(static_cast<SdkRecordable&>(theirs));
  apply(static_cast<SdkRecordable&>(*ours));
  EXPECT_EQ(Difference(theirs.log_record(), Parse(ours.get())), "");
}

constexpr uint8_t kTraceId[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr uint8_t kSpanId[8] = {21, 22, 23, 24, 25, 26, 27, 28};

TEST(LogRecordableTest, Empty) {
  ExpectAsTheSdk([](SdkRecordable&) {});
}

TEST(LogRecordableTest, AllFields) {
  ExpectAsTheSdk([](SdkRecordable& record) {
    record.SetTimestamp(SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'000)));
    record.SetObservedTimestamp(SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'001)));
    record.SetSeverity(api::logs::Severity::kWarn);
    record.SetBody("a text, ü");
    record.SetTraceId(api::trace::TraceId(kTraceId));
    record.SetSpanId(api::trace::SpanId(kSpanId));
    record.SetTraceFlags(api::trace::TraceFlags(1));
    record.SetAttribute("text", "value");
    record.SetAttribute("number", int64_t{-5});
  });
}

TEST(LogRecordableTest, EverySeverity) {
  for (int severity = 1; severity <= 24; ++severity) {
    SCOPED_TRACE(severity);
    ExpectAsTheSdk([&](SdkRecordable& record) { record.SetSeverity(static_cast<api::logs::Severity>(severity)); });
  }
  ExpectAsTheSdk([](SdkRecordable& record) { record.SetSeverity(api::logs::Severity::kInvalid); });
  ExpectAsTheSdk([](SdkRecordable& record) { record.SetSeverity(static_cast<api::logs::Severity>(200)); });
}

TEST(LogRecordableTest, BodiesOfAllTypes) {
  const int64_t integers[] = {1, -2};
  const double doubles[] = {0.5};
  const bool flags[] = {true, false};
  const nostd::string_view texts[] = {"a", "b"};
  const uint8_t bytes[] = {1, 255};
  const AttributeValue bodies[] = {
      true,      int32_t{-1},
      2u,        int64_t{INT64_MIN},
      0.25,      "c string",
      "",        nostd::string_view("text"),
      nostd::span<const int64_t>(integers),
      nostd::span<const double>(doubles),
      nostd::span<const bool>(flags),
      nostd::span<const nostd::string_view>(texts),
      nostd::span<const uint8_t>(bytes),
      nostd::span<const int64_t>(),
  };
  for (const AttributeValue& body : bodies) {
    SCOPED_TRACE(body.index());
    ExpectAsTheSdk([&](SdkRecordable& record) { record.SetBody(body); });
  }
}

TEST(LogRecordableTest, TheLastBodyHolds) {
  const auto record = Make();
  record->SetBody("first");
  record->SetAttribute("between", 1);
  record->SetBody(int64_t{7});
  const auto message = Parse(record.get());
  EXPECT_EQ(message.body().int_value(), 7);
  EXPECT_EQ(message.attributes_size(), 1);
}

TEST(LogRecordableTest, IdsThatAreZeroAreLeftOut) {
  const auto record = Make();
  record->SetTraceId(api::trace::TraceId());
  record->SetSpanId(api::trace::SpanId());
  const auto message = Parse(record.get());
  EXPECT_EQ(message.trace_id(), "");
  EXPECT_EQ(message.span_id(), "");
}

// The SDK's exporter drops it.
TEST(LogRecordableTest, TheEventNameIsKept) {
  const auto record = Make();
  record->SetEventId(7, "first");
  record->SetBody("body");
  record->SetEventId(8, "shop.order \xff");
  const auto message = Parse(record.get());
  EXPECT_EQ(message.event_name(), "shop.order \uFFFD");
  EXPECT_EQ(message.body().string_value(), "body");
}

TEST(LogRecordableTest, WhatIsTooLargeIsLeftOutAndCounted) {
  const auto record = Make();
  const std::string large(kMaxRecordBytes, 'x');
  record->SetBody(nostd::string_view(large));
  record->SetAttribute("large", nostd::string_view(large));
  record->SetAttribute("small", 1);
  const auto message = Parse(record.get());
  EXPECT_FALSE(message.has_body());
  EXPECT_EQ(message.attributes_size(), 1);
  EXPECT_EQ(message.dropped_attributes_count(), 2u);
}

}  // namespace
}  // namespace otlp_arrow::exporters
