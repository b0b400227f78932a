#include "base/secret_text.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SecretTextTest, LooksUpVariablesAndFiles) {
  const std::string path = ::testing::TempDir() + "/token";
  std::ofstream(path) << "from a file\n";
  ::setenv("OTLP_TEST_TOKEN", "from the environment", 1);
  EXPECT_EQ(*ResolveSecret("x", "Bearer ${env:OTLP_TEST_TOKEN}, ${file:" + path + "}!"), "Bearer from the environment, from a file!");
}

TEST(SecretTextTest, OtherTextStaysAsItIs) {
  for (const char* text : {"", "plain", "a$b", "100$", "{env:X}"}) EXPECT_EQ(*ResolveSecret("x", text), text);
  EXPECT_EQ(*ResolveSecret("x", "$${env:X}"), "${env:X}");
}

TEST(SecretTextTest, NamesWhatIsMissingAndShowsNoValue) {
  ::unsetenv("OTLP_TEST_TOKEN");
  EXPECT_THAT(ResolveSecret("forwarding.bearer_token", "s3cret${env:OTLP_TEST_TOKEN}").status().message(),
              AllOf(HasSubstr("forwarding.bearer_token"), HasSubstr("OTLP_TEST_TOKEN"), Not(HasSubstr("s3cret"))));
  EXPECT_THAT(ResolveSecret("x", "${file:/no/such}").status().message(), HasSubstr("/no/such"));
  EXPECT_THAT(ResolveSecret("x", "${vault:a}").status().message(), HasSubstr("${env:NAME}"));
}

}  // namespace
}  // namespace otlp_arrow
