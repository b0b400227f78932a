#include "base/host_port.h"

#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

TEST(HostPortTest, ReadsNamesAndAddresses) {
  auto name = ParseHostPort("my-host.example:4317");
  ASSERT_TRUE(name.ok());
  EXPECT_EQ(name->host, "my-host.example");
  EXPECT_EQ(name->port, 4317);
  EXPECT_EQ(ParseHostPort("0.0.0.0:0")->port, 0);
  auto ipv6 = ParseHostPort("[::1]:65535");
  ASSERT_TRUE(ipv6.ok());
  EXPECT_EQ(ipv6->host, "::1");
  EXPECT_EQ(ipv6->ToString(), "[::1]:65535");
}

TEST(HostPortTest, SaysWhatIsWrong) {
  const auto error = [](std::string_view text) {
    auto result = ParseHostPort(text);
    return result.ok() ? "" : result.status().message().substr(0, result.status().message().find(';'));
  };
  EXPECT_EQ(error("localhost"), "'localhost' has no port");
  EXPECT_EQ(error("[::1]"), "'[::1]' has no port");
  EXPECT_EQ(error(":4317"), "':4317' has no host (0.0.0.0 listens on every interface)");
  EXPECT_EQ(error("::1:4317"), "'::1:4317' has more than one colon (an IPv6 address needs brackets)");
  EXPECT_EQ(error("a:65536"), "'a:65536' has no valid port");
  EXPECT_EQ(error("a:"), "'a:' has no valid port");
  EXPECT_EQ(error("a:1x"), "'a:1x' has no valid port");
  EXPECT_EQ(error("http://a:1"), "'http://a:1' has more than one colon (an IPv6 address needs brackets)");
  EXPECT_EQ(error("a/b:1"), "'a/b:1' has a character that no host name has");
  EXPECT_EQ(error("[zz]x:1"), "'[zz]x:1' has no valid IPv6 address between the brackets");
}

}  // namespace
}  // namespace otlp_arrow
