#include "schema/any_value_text.h"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>
#include <opentelemetry/proto/common/v1/common.pb.h>

#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow {
namespace {

using opentelemetry::proto::common::v1::AnyValue;

struct Written {
  std::string text;
  ValueType type;
  bool exact;
};

Written ToText(const std::string& bytes) {
  Written w{"", ValueType::kString, false};
  w.exact = AppendValueText(bytes, &w.text, &w.type);
  return w;
}

AnyValue Make(const std::function<void(AnyValue*)>& fill) {
  AnyValue value;
  fill(&value);
  return value;
}

bool FromText(ValueType type, std::string_view text, AnyValue* value) {
  wire::Writer out;
  return AppendAnyValue(type, text, &out) && value->ParseFromString(out.Take());
}

// The text is as given, and reads back as the same bytes.
void ExpectExact(const AnyValue& value, ValueType type, const std::string& text) {
  const Written w = ToText(value.SerializeAsString());
  EXPECT_EQ(w.text, text);
  EXPECT_EQ(w.type, type) << static_cast<char>(w.type);
  EXPECT_TRUE(w.exact) << text;
  AnyValue back;
  ASSERT_TRUE(FromText(w.type, w.text, &back)) << text;
  EXPECT_EQ(back.SerializeAsString(), value.SerializeAsString()) << text;
}

void ExpectInexact(const std::string& bytes, ValueType type, const std::string& text) {
  const Written w = ToText(bytes);
  EXPECT_EQ(w.text, text);
  EXPECT_EQ(w.type, type) << static_cast<char>(w.type);
  EXPECT_FALSE(w.exact) << text;
}

TEST(AnyValueText, Scalars) {
  ExpectExact(Make([](auto* v) { v->set_string_value("grün"); }), ValueType::kString, "grün");
  ExpectExact(Make([](auto* v) { v->set_string_value(""); }), ValueType::kString, "");
  ExpectExact(Make([](auto* v) { v->set_bool_value(true); }), ValueType::kBool, "true");
  ExpectExact(Make([](auto* v) { v->set_bool_value(false); }), ValueType::kBool, "false");
  ExpectExact(Make([](auto* v) { v->set_int_value(INT64_MIN); }), ValueType::kInt, "-9223372036854775808");
  ExpectExact(Make([](auto* v) { v->set_int_value(INT64_MAX); }), ValueType::kInt, "9223372036854775807");
  ExpectExact(Make([](auto* v) { v->set_bytes_value(std::string("\0\xff", 2)); }), ValueType::kBytes, "AP8=");
  ExpectExact(AnyValue(), ValueType::kEmpty, "");
}

TEST(AnyValueText, Doubles) {
  using Limits = std::numeric_limits<double>;
  const std::pair<double, const char*> cases[] = {
      {0.0, "0.0"},     {-0.0, "-0.0"},     {1, "1.0"},      {0.1, "0.1"},
      {-2.5, "-2.5"},   {1e300, "1e+300"},  {5e-324, "5e-324"}, {Limits::max(), "1.7976931348623157e+308"},
      {1e15, "1000000000000000.0"},         {Limits::quiet_NaN(), "NaN"}, {Limits::infinity(), "Infinity"}, {-Limits::infinity(), "-Infinity"}};
  for (const auto& [number, text] : cases) {
    ExpectExact(Make([n = number](auto* v) { v->set_double_value(n); }), ValueType::kDouble, text);
  }
}

// Only the plain NaN has a text.
TEST(AnyValueText, NanWithPayloadOrSignIsInexact) {
  for (uint64_t bits : {0x7ff8000000000001ull, 0xfff8000000000000ull, 0x7ff0000000000001ull}) {
    ExpectInexact(Make([&](auto* v) { v->set_double_value(std::bit_cast<double>(bits)); }).SerializeAsString(), ValueType::kDouble, "NaN");
  }
}

TEST(AnyValueText, ArraysAreJson) {
  ExpectExact(Make([](auto* v) { v->mutable_array_value(); }), ValueType::kArray, "[]");
  ExpectExact(Make([](auto* v) {
                auto* a = v->mutable_array_value();
                a->add_values()->set_string_value("a\"\\\n\t\r\x01\x7f é");
                a->add_values()->set_int_value(INT64_MIN);
                a->add_values()->set_double_value(3);
                a->add_values()->set_double_value(-0.0);
                a->add_values()->set_double_value(1e22);
                a->add_values()->set_bool_value(true);
                a->add_values();
                a->add_values()->mutable_array_value()->add_values()->set_string_value("");
                a->add_values()->mutable_kvlist_value();
              }),
              ValueType::kArray,
              "[\"a\\\"\\\\\\n\\t\\r\\u0001\x7f é\",-9223372036854775808,3.0,-0.0,1e+22,true,null,[\"\"],{}]");
}

TEST(AnyValueText, MapsAreJsonObjectsInOrder) {
  ExpectExact(Make([](auto* v) {
                auto* map = v->mutable_kvlist_value();
                auto add = [&](const char* key) {
                  auto* entry = map->add_values();
                  entry->set_key(key);
                  return entry->mutable_value();
                };
                add("z")->set_int_value(1);
                add("a")->mutable_array_value()->add_values()->set_double_value(0.5);
                add("")->set_string_value("x");
                add("empty");
              }),
              ValueType::kMap, "{\"z\":1,\"a\":[0.5],\"\":\"x\",\"empty\":null}");
}

TEST(AnyValueText, WhatJsonCannotSayIsInexact) {
  auto array = [](const std::function<void(AnyValue*)>& fill) {
    return Make([&](auto* v) { fill(v->mutable_array_value()->add_values()); }).SerializeAsString();
  };
  ExpectInexact(array([](auto* v) { v->set_bytes_value("foo"); }), ValueType::kArray, "[\"Zm9v\"]");
  ExpectInexact(array([](auto* v) { v->set_double_value(std::nan("")); }), ValueType::kArray, "[\"NaN\"]");
  ExpectInexact(array([](auto* v) { v->set_double_value(-HUGE_VAL); }), ValueType::kArray, "[\"-Infinity\"]");
  ExpectInexact(array([](auto* v) { v->mutable_kvlist_value()->add_values()->set_key("k"); }), ValueType::kArray, "[{\"k\":null}]");
  const AnyValue twice = Make([](auto* v) {
    for (int i = 1; i <= 3; ++i) {
      auto* entry = v->mutable_kvlist_value()->add_values();
      entry->set_key(i == 2 ? "other" : "k");
      entry->mutable_value()->set_int_value(i);
    }
  });
  ExpectInexact(twice.SerializeAsString(), ValueType::kMap, "{\"k\":1,\"other\":2}");
}

TEST(AnyValueText, KeysTwiceAreFoundAmongManyKeys) {
  AnyValue value;
  auto add = [&](int i) {
    auto* entry = value.mutable_kvlist_value()->add_values();
    entry->set_key("key" + std::to_string(i));
    entry->mutable_value()->set_bool_value(true);
  };
  for (int i = 0; i < 100; ++i) add(i);
  EXPECT_TRUE(ToText(value.SerializeAsString()).exact);
  for (int i : {3, 50, 99}) {
    AnyValue saved = value;
    add(i);
    const Written w = ToText(value.SerializeAsString());
    EXPECT_FALSE(w.exact);
    EXPECT_EQ(w.text, ToText(saved.SerializeAsString()).text);
    value = saved;
  }
}

AnyValue Nested(int depth) {
  AnyValue value;
  AnyValue* at = &value;
  for (int i = 0; i < depth; ++i) at = at->mutable_array_value()->add_values();
  at->set_int_value(1);
  return value;
}

TEST(AnyValueText, DepthIsLimited) {
  ExpectExact(Nested(40), ValueType::kArray, std::string(40, '[') + "1" + std::string(40, ']'));
  EXPECT_TRUE(ToText(Nested(64).SerializeAsString()).exact);
  ExpectInexact(Nested(65).SerializeAsString(), ValueType::kArray, std::string(65, '[') + "null" + std::string(65, ']'));
  EXPECT_FALSE(ToText(Nested(5000).SerializeAsString()).exact);
  wire::Writer out;
  EXPECT_TRUE(AppendAnyValue(ValueType::kArray, std::string(64, '[') + "1" + std::string(64, ']'), &out));
  EXPECT_FALSE(AppendAnyValue(ValueType::kArray, std::string(66, '[') + std::string(66, ']'), &out));
  EXPECT_FALSE(AppendAnyValue(ValueType::kArray, std::string(5000, '[') + std::string(5000, ']'), &out));
}

TEST(AnyValueText, TheLastMemberHolds) {
  const std::string text = Make([](auto* v) { v->set_string_value("s"); }).SerializeAsString();
  const std::string number = Make([](auto* v) { v->set_int_value(5); }).SerializeAsString();
  ExpectInexact(text + number, ValueType::kInt, "5");
  ExpectInexact(number + text, ValueType::kString, "s");
}

// Never scanned, so anything: the text is valid UTF-8 and JSON all the same.
TEST(AnyValueText, DamagedBytes) {
  ExpectInexact("\x0a\x03" "a\xff" "b", ValueType::kString, "a\xEF\xBF\xBD" "b");
  ExpectInexact("\x2a\x06\x0a\x04\x0a\x02\xc3(", ValueType::kArray, "[\"\xEF\xBF\xBD(\"]");
  ExpectInexact("\x2a\x07\x0a\x02\x18\x05\x0a\x7f\x01", ValueType::kArray, "[5]");
  ExpectInexact("\x0a\x7f" "a", ValueType::kEmpty, "");
  ExpectInexact("\x18", ValueType::kEmpty, "");
}

TEST(AnyValueText, UnknownFieldsAreSteppedOver) {
  AnyValue value;
  value.set_int_value(7);
  const std::string unknown = "\xa2\x06\x03xyz";  // field 100, three bytes
  const Written w = ToText(unknown + value.SerializeAsString() + unknown);
  EXPECT_EQ(w.text, "7");
  EXPECT_TRUE(w.exact);
}

TEST(AnyValueText, RefusesTextOfAnotherType) {
  const std::pair<ValueType, const char*> cases[] = {
      {ValueType::kBool, "True"}, {ValueType::kBool, "1"},   {ValueType::kInt, ""},        {ValueType::kInt, "1.0"},
      {ValueType::kInt, " 1"},    {ValueType::kInt, "+1"},   {ValueType::kInt, "9223372036854775808"},
      {ValueType::kDouble, ""},   {ValueType::kDouble, "x"}, {ValueType::kDouble, "1.5 "}, {ValueType::kBytes, "abc"},
      {ValueType::kArray, "{}"},  {ValueType::kArray, "[1"}, {ValueType::kArray, ""},      {ValueType::kArray, "1"},
      {ValueType::kMap, "[]"},    {ValueType::kMap, "{"},    {ValueType::kArray, "[9223372036854775808]"},
      {static_cast<ValueType>('?'), "x"}};
  for (const auto& [type, text] : cases) {
    wire::Writer out;
    EXPECT_FALSE(AppendAnyValue(type, text, &out)) << static_cast<char>(type) << " " << text;
  }
}

}  // namespace
}  // namespace otlp_arrow
