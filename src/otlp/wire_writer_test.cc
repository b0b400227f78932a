#include "otlp_arrow/wire_writer.h"

#include <google/protobuf/io/coded_stream.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/common/v1/common.pb.h>
#include <opentelemetry/proto/metrics/v1/metrics.pb.h>

namespace otlp_arrow::wire {
namespace {

namespace common = opentelemetry::proto::common::v1;
namespace metrics = opentelemetry::proto::metrics::v1;

TEST(VarintSize, IsWhatProtobufSays) {
  for (int bits = 0; bits < 64; ++bits) {
    for (uint64_t value : {(1ull << bits) - 1, 1ull << bits, (1ull << bits) + 1}) {
      EXPECT_EQ(VarintSize(value), google::protobuf::io::CodedOutputStream::VarintSize64(value)) << value;
    }
  }
  EXPECT_EQ(VarintSize(UINT64_MAX), 10u);
}

TEST(Writer, WritesTheBytesThatProtobufWrites) {
  metrics::ExponentialHistogramDataPoint point;
  point.set_start_time_unix_nano(UINT64_MAX);
  point.set_count(7);
  point.set_sum(-0.0);
  point.set_scale(-3);
  point.mutable_positive()->set_offset(INT32_MIN);
  point.mutable_positive()->add_bucket_counts(300);
  point.mutable_positive()->add_bucket_counts(0);
  point.set_flags(UINT32_MAX);

  Writer out;
  out.Fixed64(2, UINT64_MAX);
  out.Fixed64(4, 7);
  out.Double(5, -0.0);
  out.ZigZag32(6, -3);
  const auto positive = out.Begin(8);
  out.ZigZag32(1, INT32_MIN);
  const auto counts = out.Begin(2);
  out.PackedVarint(300);
  out.PackedVarint(0);
  out.End(counts);
  out.End(positive);
  out.Varint(10, UINT32_MAX);
  EXPECT_EQ(out.Take(), point.SerializeAsString());
  EXPECT_EQ(out.size(), 0u);
}

TEST(Writer, LeavesDefaultsOut) {
  Writer out;
  out.NonZeroVarint(1, 0);
  out.NonZeroInt32(1, 0);
  out.NonZeroFixed32(1, 0);
  out.NonZeroFixed64(1, 0);
  out.NonZeroDouble(1, 0.0);
  out.NonEmpty(1, "");
  EXPECT_EQ(out.size(), 0u);
  out.NonZeroDouble(1, -0.0);
  out.NonZeroInt32(2, -1);
  EXPECT_EQ(out.size(), 9u + 11u);
}

// Lengths at the edges of one, two and three bytes, with each guess of their size.
TEST(Writer, LengthsOfNestedMessagesNeedNotBeGuessedRight) {
  for (size_t size : {0u, 1u, 120u, 127u, 128u, 129u, 16383u, 16384u, 70000u}) {
    for (size_t guess : {1u, 2u, 3u, 5u}) {
      common::ArrayValue wanted;
      wanted.add_values()->set_string_value(std::string(size, 'v'));
      wanted.add_values()->mutable_array_value()->add_values()->set_bool_value(true);
      Writer out;
      const auto first = out.Begin(1, guess);
      out.Bytes(1, std::string(size, 'v'));
      out.End(first);
      const auto second = out.Begin(1, guess);
      const auto array = out.Begin(5, guess);
      const auto element = out.Begin(1, guess);
      out.Varint(2, 1);
      out.End(element);
      out.End(array);
      out.End(second);
      ASSERT_EQ(out.Take(), wanted.SerializeAsString()) << size << " " << guess;
    }
  }
}

TEST(Writer, TextAttribute) {
  for (size_t size : {0u, 1u, 110u, 120u, 124u, 125u, 126u, 127u, 128u, 20000u}) {
    common::KeyValueList wanted;
    auto* entry = wanted.add_values();
    entry->set_key("key");
    entry->mutable_value()->set_string_value(std::string(size, 'v'));
    Writer out;
    out.TextAttribute(1, "key", std::string(size, 'v'));
    ASSERT_EQ(out.Take(), wanted.SerializeAsString()) << size;
  }
}

}  // namespace
}  // namespace otlp_arrow::wire
