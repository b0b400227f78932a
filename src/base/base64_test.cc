#include "base/base64.h"

#include <random>

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

std::string Encode(std::string_view bytes) {
  std::string text;
  AppendBase64(bytes, &text);
  return text;
}

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  EXPECT_EQ(Encode(""), "");
  EXPECT_EQ(Encode("f"), "Zg==");
  EXPECT_EQ(Encode("fo"), "Zm8=");
  EXPECT_EQ(Encode("foo"), "Zm9v");
  EXPECT_EQ(Encode("foob"), "Zm9vYg==");
  EXPECT_EQ(Encode("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Encode("\xfb\xff\xfe"), "+//+");
}

TEST(Base64, ReadsBackWhatItWrites) {
  std::mt19937 random(1);
  for (size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& b : bytes) b = static_cast<char>(random());
    std::string back = "before";
    ASSERT_TRUE(AppendFromBase64(Encode(bytes), &back));
    ASSERT_EQ(back, "before" + bytes);
  }
}

TEST(Base64, RefusesOtherText) {
  for (const char* text : {"Z", "Zg", "Zg=", "=", "====", "Zh==", "Zm9=", "Z===", "Zg==Zg==", "Zm9v\n", "Zm-v", "Zm_v", "Z g=", "Zg=a", "\xff\xff\xff\xff"}) {
    std::string bytes = "before";
    EXPECT_FALSE(AppendFromBase64(text, &bytes)) << text;
    EXPECT_EQ(bytes, "before") << text;
  }
}

}  // namespace
}  // namespace otlp_arrow
