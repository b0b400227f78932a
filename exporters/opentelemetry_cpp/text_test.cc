#include "text.h"

#include <string>

#include <gtest/gtest.h>

namespace otlp_arrow::exporters {
namespace {

TEST(TextTest, WellFormed) {
  for (const char* text : {"", "a", "12345678", "123456789", "ä", "1234567ä", "12345678ä", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "日本語 and ASCII and 😀"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
    EXPECT_EQ(ReplaceInvalidUtf8(text), text);
  }
  EXPECT_TRUE(IsUtf8(std::string_view("a\0b", 3)));
}

TEST(TextTest, IllFormed) {
  // Overlong forms, surrogates, beyond Unicode, continuation without a lead, a lead without continuation.
  for (const char* text : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                           "\xF5\x80\x80\x80", "\xF0\x9F\x98", "\xFF", "12345678\xFF", "1234567\xFF", "ä\xC3"}) {
    EXPECT_FALSE(IsUtf8(text)) << text;
    EXPECT_TRUE(IsUtf8(ReplaceInvalidUtf8(text)));
  }
  EXPECT_EQ(ReplaceInvalidUtf8("a\xFF\xC3\xA4\xED\xA0\x80z"), "a\uFFFDä\uFFFD\uFFFD\uFFFDz");
}

// Every sequence of up to three bytes, against the definition by code points.
TEST(TextTest, AllShortSequences) {
  const auto is_character = [](unsigned code, int length) {
    return length == 1 ? code < 0x80 : length == 2 ? code >= 0x80 && code < 0x800 : code >= 0x800 && (code < 0xD800 || code > 0xDFFF);
  };
  for (unsigned a = 0; a < 256; ++a) {
    const std::string one(1, static_cast<char>(a));
    ASSERT_EQ(IsUtf8(one), a < 0x80) << a;
    for (unsigned b = 0x80; b < 0xC0; ++b) {
      const std::string two = one + static_cast<char>(b);
      const bool is_two = (a & 0xE0) == 0xC0 && is_character((a & 0x1F) << 6 | (b & 0x3F), 2);
      ASSERT_EQ(IsUtf8(two), is_two) << a << " " << b;
      for (unsigned c = 0x80; c < 0xC0; ++c) {
        const bool is_three = (a & 0xF0) == 0xE0 && is_character((a & 0x0F) << 12 | (b & 0x3F) << 6 | (c & 0x3F), 3);
        ASSERT_EQ(IsUtf8(two + static_cast<char>(c)), is_three) << a << " " << b << " " << c;
      }
    }
  }
}

}  // namespace
}  // namespace otlp_arrow::exporters
