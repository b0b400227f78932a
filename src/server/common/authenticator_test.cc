#include "server/common/authenticator.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "manual_clock.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Headers = std::vector<std::pair<std::string, std::string>>;

bool Admits(Authenticator& authenticator, const Headers& headers) {
  return authenticator.Admits([&](std::string_view name) -> std::optional<std::string_view> {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return std::nullopt;
  });
}

std::shared_ptr<Authenticator> Make(const AuthConfig& config, const Headers& more_tokens = {}, std::shared_ptr<Clock> clock = nullptr) {
  auto made = Authenticator::Make(config, more_tokens, std::move(clock));
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return *made;
}

Headers Bearer(const std::string& token) { return {{"authorization", "Bearer " + token}}; }

TEST(Authenticator, IsNullWhereNothingIsConfigured) {
  EXPECT_EQ(Make({}), nullptr);
  EXPECT_EQ(Make({}, {{"flight.bearer_token", ""}}), nullptr);
}

TEST(Authenticator, TakesAnyOfItsTokens) {
  const auto judge = Make({.bearer_tokens = {"first", "second"}}, {{"flight.bearer_token", "third"}});
  for (const char* token : {"first", "second", "third"}) EXPECT_TRUE(Admits(*judge, Bearer(token))) << token;
  for (const char* token : {"", "fourth", "firs", "firstfirst", "First", "first ", "\0"}) EXPECT_FALSE(Admits(*judge, Bearer(token))) << token;
  EXPECT_FALSE(Admits(*judge, {}));
}

TEST(Authenticator, ReadsTheScheme) {
  const auto judge = Make({.bearer_tokens = {"token"}});
  for (const char* header : {"Bearer token", "bearer token", "BEARER   token"}) EXPECT_TRUE(Admits(*judge, {{"authorization", header}})) << header;
  for (const char* header : {"token", "Basic token", "Bearer", "Bearer ", "Bearertoken", " Bearer token", "Bearer, token"}) {
    EXPECT_FALSE(Admits(*judge, {{"authorization", header}})) << header;
  }
}

TEST(Authenticator, WantsAllOfItsHeadersOrAToken) {
  const auto judge = Make({.bearer_tokens = {"token"}, .headers = {{"X-Api-Key", "key"}, {"x-tenant", "shop"}}});
  EXPECT_TRUE(Admits(*judge, {{"x-api-key", "key"}, {"x-tenant", "shop"}}));
  EXPECT_TRUE(Admits(*judge, Bearer("token")));
  EXPECT_FALSE(Admits(*judge, {{"x-api-key", "key"}}));
  EXPECT_FALSE(Admits(*judge, {{"x-api-key", "key"}, {"x-tenant", ""}}));
  EXPECT_FALSE(Admits(*judge, {{"x-api-key", "shop"}, {"x-tenant", "key"}}));
}

TEST(Authenticator, HintsNameHeadersAndNoSecrets) {
  EXPECT_THAT(Make({.bearer_tokens = {"t0ken"}})->hint(), AllOf(HasSubstr("authorization: Bearer TOKEN"), Not(HasSubstr("t0ken"))));
  EXPECT_THAT(Make({.headers = {{"X-Api-Key", "k3y"}}})->hint(), AllOf(HasSubstr("x-api-key"), Not(HasSubstr("k3y")), Not(HasSubstr("Bearer"))));
}

TEST(Authenticator, ErrorsNameTheKeyAndNoSecrets) {
  const auto error = [](const AuthConfig& config) { return Authenticator::Make(config).status().message(); };
  EXPECT_THAT(error({.bearer_tokens = {"${env:OTLP_ARROW_NO_SUCH_VARIABLE}"}}), AllOf(HasSubstr("auth.bearer_tokens"), HasSubstr("OTLP_ARROW_NO_SUCH_VARIABLE")));
  EXPECT_THAT(error({.headers = {{"X-Api-Key", "${file:/nonexistent/key}"}}}), AllOf(HasSubstr("auth.headers.X-Api-Key"), HasSubstr("/nonexistent/key")));
  setenv("OTLP_ARROW_EMPTY", "", 1);
  EXPECT_THAT(error({.bearer_tokens = {"s3cret", "${env:OTLP_ARROW_EMPTY}"}}), AllOf(HasSubstr("auth.bearer_tokens"), Not(HasSubstr("s3cret"))));
}

class SecretFileTest : public ::testing::Test {
 protected:
  SecretFileTest() {
    Write("old");
    judge_ = Make({.bearer_tokens = {"${file:" + path_ + "}"}}, {}, clock_);
  }
  void Write(const std::string& secret) { std::ofstream(path_) << secret << "\n"; }

  testing::TempDir directory_;
  const std::string path_ = directory_ / "token";
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  std::shared_ptr<Authenticator> judge_;
};

TEST_F(SecretFileTest, NewSecretsCountWhenTheyAreFirstSent) {
  EXPECT_TRUE(Admits(*judge_, Bearer("old")));
  Write("new");
  EXPECT_FALSE(Admits(*judge_, Bearer("new")));  // guesses are not looked up at once
  clock_->Advance(std::chrono::seconds(1));
  EXPECT_TRUE(Admits(*judge_, Bearer("new")));
  EXPECT_FALSE(Admits(*judge_, Bearer("old")));
}

TEST_F(SecretFileTest, WithdrawnSecretsCountForSecondsOnly) {
  Write("new");
  clock_->Advance(std::chrono::seconds(4));
  EXPECT_TRUE(Admits(*judge_, Bearer("old")));
  clock_->Advance(std::chrono::seconds(1));
  EXPECT_FALSE(Admits(*judge_, Bearer("old")));
}

TEST_F(SecretFileTest, TheLastSecretsHoldWhileThereAreNone) {
  std::filesystem::remove(path_);
  clock_->Advance(std::chrono::seconds(60));
  EXPECT_TRUE(Admits(*judge_, Bearer("old")));
  Write("");
  clock_->Advance(std::chrono::seconds(60));
  EXPECT_TRUE(Admits(*judge_, Bearer("old")));
  EXPECT_FALSE(Admits(*judge_, Bearer("")));
}

TEST(EqualInConstantTime, ComparesWhole) {
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abcabc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abcabc"));
  EXPECT_FALSE(EqualInConstantTime("", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", ""));
}

}  // namespace
}  // namespace otlp_arrow
