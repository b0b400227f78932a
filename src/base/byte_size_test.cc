#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

TEST(ByteSizeTest, ReadsSuffixes) {
  EXPECT_EQ(ParseByteSize("0"), 0u);
  EXPECT_EQ(ParseByteSize("4096"), 4096u);
  EXPECT_EQ(ParseByteSize("12B"), 12u);
  EXPECT_EQ(ParseByteSize("512k"), 512000u);
  EXPECT_EQ(ParseByteSize("512KB"), 512000u);
  EXPECT_EQ(ParseByteSize("512Ki"), 512u * 1024);
  EXPECT_EQ(ParseByteSize("64MiB"), 64u << 20);
  EXPECT_EQ(ParseByteSize("64 mib"), 64u << 20);
  EXPECT_EQ(ParseByteSize("1GB"), 1000000000u);
  EXPECT_EQ(ParseByteSize("2Ti"), 2ull << 40);
}

TEST(ByteSizeTest, RefusesTheRest) {
  for (const char* text : {"", "MiB", "-1", "1.5GiB", "1 000", "64MiBs", "5x", "12Bi", "1  k", "0x10",
                           "18446744073709551616", "99999999999T"}) {
    EXPECT_EQ(ParseByteSize(text), std::nullopt) << text;
  }
}

TEST(ByteSizeTest, FormatIsExactAndReadsBack) {
  EXPECT_EQ(FormatByteSize(0), "0");
  EXPECT_EQ(FormatByteSize(1000), "1000");
  EXPECT_EQ(FormatByteSize(64u << 20), "64MiB");
  for (uint64_t bytes : {1ull, 1023ull, 1024ull, 1536ull, 1ull << 40, 1ull << 50, 18446744073709551615ull}) {
    EXPECT_EQ(ParseByteSize(FormatByteSize(bytes)), bytes);
  }
}

}  // namespace
}  // namespace otlp_arrow
