#include "service/config_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

auto Change(const std::string& key, const std::string& from, const std::string& to, bool needs_restart) {
  return AllOf(Field(&ConfigChange::key, key), Field(&ConfigChange::from, from), Field(&ConfigChange::to, to),
               Field(&ConfigChange::needs_restart, needs_restart));
}

TEST(ConfigChange, EveryKeyHasADecision) {
  for (const ConfigKey& key : ConfigKeys()) EXPECT_NE(key.reloading, Reloading::kUndecided) << key.name;
}

TEST(ConfigChange, NothingChanged) {
  EXPECT_THAT(CompareConfigs(Config(), Config()), IsEmpty());
}

TEST(ConfigChange, SaysWhatTakesEffectAndWhatDoesNot) {
  Config wanted;
  wanted.log_level = "debug";
  wanted.trace_cleanup_interval_secs = 60;
  wanted.grpc.address = "0.0.0.0:4317";
  const auto changes = CompareConfigs(Config(), wanted);
  EXPECT_THAT(changes, ElementsAre(Change("trace_cleanup_interval_secs", "600", "60", false), Change("log_level", "info", "debug", false),
                                   Change("grpc.address", "127.0.0.1:4317", "0.0.0.0:4317", true)));
  EXPECT_EQ(ChangeText(changes[1]), "log_level: info -> debug");
  EXPECT_THAT(ChangeText(changes[2]), HasSubstr("at the next start"));
  const Config reloaded = ReloadedConfig(Config(), wanted);
  EXPECT_EQ(reloaded.log_level, "debug");
  EXPECT_EQ(reloaded.trace_cleanup_interval_secs, 60u);
  EXPECT_EQ(reloaded.grpc.address, "127.0.0.1:4317");
  // What waits for a restart is said again the next time.
  EXPECT_THAT(CompareConfigs(reloaded, wanted), ElementsAre(Change("grpc.address", "127.0.0.1:4317", "0.0.0.0:4317", true)));
}

TEST(ConfigChange, SecretsAreNotShown) {
  Config running, wanted;
  running.auth.bearer_tokens = {"first-secret"};
  wanted.auth.bearer_tokens = {"second-secret"};
  wanted.auth.headers = {{"x-api-key", "third-secret"}};
  const auto changes = CompareConfigs(running, wanted);
  ASSERT_EQ(changes.size(), 2u);
  for (const ConfigChange& change : changes) {
    EXPECT_THAT(ChangeText(change), Not(HasSubstr("secret")));
    EXPECT_FALSE(change.needs_restart);
  }
  EXPECT_EQ(ChangeText(changes[0]), "auth.bearer_tokens: another value");
  EXPECT_EQ(ReloadedConfig(running, wanted).auth.headers, wanted.auth.headers);
}

TEST(ConfigChange, CertificatesAreRenewedButTlsIsNotSwitched) {
  Config plain, first, second, mutual;
  first.tls = {"a.pem", "a.key", ""};
  second.tls = {"b.pem", "b.key", ""};
  mutual.tls = {"a.pem", "a.key", "ca.pem"};
  EXPECT_THAT(CompareConfigs(first, second), ElementsAre(Change("tls.cert_file", "a.pem", "b.pem", false), Change("tls.key_file", "a.key", "b.key", false)));
  EXPECT_THAT(CompareConfigs(plain, first), ElementsAre(Change("tls.cert_file", "", "a.pem", true), Change("tls.key_file", "", "a.key", true)));
  EXPECT_THAT(CompareConfigs(first, mutual), ElementsAre(Change("tls.client_ca_file", "", "ca.pem", true)));
  EXPECT_EQ(ReloadedConfig(plain, first).tls.cert_file, "");
  Config own = first;
  own.http.tls = {"h.pem", "h.key", ""};
  EXPECT_THAT(CompareConfigs(first, own), ElementsAre(Change("http.tls.cert_file", "", "h.pem", true), Change("http.tls.key_file", "", "h.key", true)));
}

TEST(ConfigChange, Destinations) {
  Config running, wanted;
  wanted.forwarding.emplace_back().endpoint = "http://collector:4317";
  wanted.forwarding[0].name = "main";
  EXPECT_THAT(CompareConfigs(running, wanted), ElementsAre(Change("forwarding", "", "main", true)));
  running = wanted;
  EXPECT_THAT(CompareConfigs(running, wanted), IsEmpty());
  wanted.forwarding[0].bearer_token = "secret";
  const auto changes = CompareConfigs(running, wanted);
  EXPECT_THAT(changes, ElementsAre(Change("forwarding", "main", "main", true)));
  EXPECT_THAT(ChangeText(changes[0]), AllOf(HasSubstr("forwarding: another value"), Not(HasSubstr("secret"))));
  EXPECT_EQ(ReloadedConfig(running, wanted).forwarding[0].bearer_token, "");
}

// What every key gives, it takes: otherwise a new value would be announced and not be there.
TEST(ConfigChange, EveryKeyTakesWhatItGives) {
  Config config;
  config.auth.bearer_tokens = {"a", "b"};
  config.auth.headers = {{"x-a", "1"}, {"x-b", "2=3"}};
  config.http.cors_allowed_origins = {"https://app.example"};
  config.memory_budget = 1234567;
  config.compaction.format = FileFormat::kParquet;
  for (const ConfigKey& key : ConfigKeys()) {
    Config copy;
    EXPECT_TRUE(key.set(&copy, key.get(config)).ok()) << key.name << ": " << key.set(&copy, key.get(config)).message();
    EXPECT_EQ(key.get(copy), key.get(config)) << key.name;
  }
}

}  // namespace
}  // namespace otlp_arrow
