#include "service/human_text.h"

#include <gtest/gtest.h>

#include "base/json_writer.h"

namespace otlp_arrow {
namespace {

TEST(HumanTextTest, Numbers) {
  EXPECT_EQ(GroupedNumber(0), "0");
  EXPECT_EQ(GroupedNumber(999), "999");
  EXPECT_EQ(GroupedNumber(1000), "1,000");
  EXPECT_EQ(GroupedNumber(1234567), "1,234,567");
  EXPECT_EQ(GroupedNumber(-123456), "-123,456");
  EXPECT_EQ(Counted(1, "file"), "1 file");
  EXPECT_EQ(Counted(0, "file"), "0 files");
  EXPECT_EQ(Counted(1234, "log record"), "1,234 log records");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(INT64_MAX), "8192.0 PiB");
}

TEST(HumanTextTest, Times) {
  EXPECT_EQ(HumanDuration(90), "90 s");
  EXPECT_EQ(HumanDuration(600), "10 min");
  EXPECT_EQ(HumanDuration(7200), "2 h");
  EXPECT_EQ(HumanDuration(86400), "1 d");
  EXPECT_EQ(UtcTime(1714979289123456789), "2024-05-06T07:08:09.123Z");
  EXPECT_EQ(UtcTime(-1), "1969-12-31T23:59:59.999Z");
}

TEST(HumanTextTest, TablesAlign) {
  EXPECT_EQ(AlignedTable({{"", "n"}, {"long name", "1"}, {"x", "1,000"}}),
            "               n\nlong name      1\nx          1,000\n");
}

TEST(JsonWriterTest, NestsAndEscapes) {
  JsonWriter json;
  json.BeginObject()
      .Key("a\"b")
      .Text("x\n\\\x01ü")
      .Key("list")
      .BeginArray()
      .Number(-1)
      .Bool(true)
      .Null()
      .BeginObject()
      .EndObject()
      .EndArray();
  json.Key("raw").Raw("{}").EndObject();
  EXPECT_EQ(json.json(), R"({"a\"b":"x\u000a\\\u0001ü","list":[-1,true,null,{}],"raw":{}})");
}

}  // namespace
}  // namespace otlp_arrow
