#include "otlp_arrow/telemetry.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

TEST(ValueTest, TakesWhatProgramsHave) {
  const std::vector<std::string> texts = {"a", "b"};
  const std::vector<bool> flags = {true, false};
  const Attributes attributes = {
      {"text", "GET"},         {"view", std::string_view("v")}, {"number", 7},     {"small", int8_t{-3}}, {"size", size_t{9}}, {"ratio", 0.5f},
      {"flag", true},          {"bytes", Bytes{"\x01\xff"}},    {"texts", texts},  {"flags", flags},      {"empty", {}},       {"map", Attributes{{"k", 1}}},
      {"array", Array{1, "x"}}};
  EXPECT_EQ(*FindAttribute(attributes, "text")->As<std::string>(), "GET");
  EXPECT_EQ(*FindAttribute(attributes, "view")->As<std::string>(), "v");
  EXPECT_EQ(*FindAttribute(attributes, "number")->As<int64_t>(), 7);
  EXPECT_EQ(*FindAttribute(attributes, "small")->As<int64_t>(), -3);
  EXPECT_EQ(*FindAttribute(attributes, "size")->As<int64_t>(), 9);
  EXPECT_EQ(*FindAttribute(attributes, "ratio")->As<double>(), 0.5);
  EXPECT_TRUE(*FindAttribute(attributes, "flag")->As<bool>());
  EXPECT_EQ(FindAttribute(attributes, "bytes")->As<Bytes>()->data, "\x01\xff");
  EXPECT_EQ(*FindAttribute(attributes, "texts"), Value(Array{"a", "b"}));
  EXPECT_EQ(*FindAttribute(attributes, "flags"), Value(Array{true, false}));
  EXPECT_TRUE(FindAttribute(attributes, "empty")->empty());
  EXPECT_EQ((*FindAttribute(attributes, "map")->As<Attributes>())[0].value, Value(1));
  EXPECT_EQ(FindAttribute(attributes, "array")->As<Array>()->size(), 2u);
  EXPECT_EQ(FindAttribute(attributes, "other"), nullptr);
  EXPECT_EQ(FindAttribute(attributes, "number")->As<double>(), nullptr);
}

TEST(ValueTest, IntegersBeyondOtlpsBecomeText) {
  EXPECT_EQ(Value(uint64_t{INT64_MAX}), Value(INT64_MAX));
  EXPECT_EQ(Value(uint64_t{1} << 63), Value("9223372036854775808"));
  EXPECT_EQ(Value(std::numeric_limits<uint64_t>::max()), Value("18446744073709551615"));
}

TEST(ValueTest, ANullPointerIsEmpty) { EXPECT_TRUE(Value(static_cast<const char*>(nullptr)).empty()); }

TEST(ValueTest, ComparesTypesToo) {
  EXPECT_NE(Value(1), Value(1.0));
  EXPECT_NE(Value("1"), Value(Bytes{"1"}));
  EXPECT_EQ(Value(Attributes{{"a", Array{1}}}), Value(Attributes{{"a", Array{1}}}));
}

TEST(FindAttributeTest, TheFirstOfAKeyCounts) {
  const Attributes attributes = {{"k", 1}, {"k", 2}};
  EXPECT_EQ(*FindAttribute(attributes, "k"), Value(1));
}

TEST(IdTest, HexThereAndBack) {
  const auto id = TraceId::FromHex("0af7651916cd43dd8448EB211C80319c");
  ASSERT_TRUE(id.ok()) << id.status().ToString();
  EXPECT_EQ(id->ToHex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_FALSE(id->empty());
  EXPECT_TRUE(TraceId().empty());
  EXPECT_EQ(SpanId().ToHex(), "0000000000000000");
  EXPECT_EQ(id->view().size(), 16u);
  EXPECT_EQ(id->view()[0], '\x0a');
}

TEST(IdTest, RefusesOtherText) {
  for (const std::string text : {"", "0af7", "0af7651916cd43dg", "0af7651916cd43dd8", "0x7651916cd43dd8", "+af7651916cd43dd"}) {
    const auto id = SpanId::FromHex(text);
    ASSERT_FALSE(id.ok()) << text;
    EXPECT_EQ(id.status().code(), StatusCode::kExport);
    EXPECT_THAT(id.status().message(), ::testing::HasSubstr("'" + text + "'"));
    EXPECT_THAT(id.status().message(), ::testing::HasSubstr("16 hexadecimal digits"));
  }
}

}  // namespace
}  // namespace otlp_arrow
