#include "service/config_loader.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/config_keys.h"
#include "otlp_arrow/config_builder.h"
#include "otlp_arrow/service.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ConfigSources Yaml(const std::string& text) {
  return {.yaml_name = "otlp.yaml", .yaml_text = text, .environment = {}, .flags = {}};
}

Config Loaded(const ConfigSources& sources) {
  auto loaded = LoadConfig(sources);
  EXPECT_TRUE(loaded.ok()) << loaded.status().ToString();
  return loaded.ok() ? loaded->config : Config();
}

std::string Refusal(const ConfigSources& sources) {
  auto loaded = LoadConfig(sources);
  if (loaded.ok()) return "";
  EXPECT_EQ(loaded.status().code(), StatusCode::kConfig);
  return loaded.status().message();
}

TEST(ConfigLoaderTest, NothingGivesTheDefaults) {
  EXPECT_EQ(ConfigToYaml(Loaded({})), ConfigToYaml(Config()));
  EXPECT_EQ(ConfigToYaml(Loaded(Yaml("# only a comment\n"))), ConfigToYaml(Config()));
}

TEST(ConfigLoaderTest, ReadsEveryKindOfValue) {
  const Config config =
      Loaded(Yaml("output_dir: /data\ncompression: lz4\nwrite_interval_secs: 7\nmemory_budget: 128MiB\n"
                  "promote_attributes: [tenant, \"size:int64\"]\ngrpc:\n  enabled: false\n  address: '[::]:14317'\n"));
  EXPECT_EQ(config.output_dir, "/data");
  EXPECT_EQ(config.compression, Compression::kLz4);
  EXPECT_EQ(config.write_interval_secs, 7u);
  EXPECT_EQ(config.memory_budget, 128u << 20);
  EXPECT_THAT(config.promote_attributes, ElementsAre("tenant", "size:int64"));
  EXPECT_FALSE(config.grpc.enabled);
  EXPECT_EQ(config.grpc.address, "[::]:14317");
}

TEST(ConfigLoaderTest, FlagsBeatEnvironmentBeatsYamlBeatsDefaults) {
  ConfigSources sources = Yaml("output_dir: yaml\ncompression: none\nwrite_interval_secs: 7\n");
  sources.environment = {{"OTLP_OUTPUT_DIR", "environment"}, {"OTLP_COMPRESSION", "lz4"}, {"PATH", "/bin"}};
  sources.flags = {{"output_dir", {"flag"}}};
  auto loaded = LoadConfig(sources);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->config.output_dir, "flag");
  EXPECT_EQ(loaded->config.compression, Compression::kLz4);
  EXPECT_EQ(loaded->config.write_interval_secs, 7u);
  EXPECT_EQ(loaded->config.memory_budget, Config().memory_budget);
  EXPECT_EQ(loaded->origins.at("output_dir"), "--output-dir");
  EXPECT_EQ(loaded->origins.at("compression"), "environment variable OTLP_COMPRESSION");
  EXPECT_EQ(loaded->origins.at("write_interval_secs"), "otlp.yaml:3");
  EXPECT_EQ(loaded->origins.count("memory_budget"), 0u);
}

TEST(ConfigLoaderTest, EnvironmentListsAreCommaSeparatedAndEmptyMeansUnset) {
  ConfigSources sources;
  sources.environment = {{"OTLP_PROMOTE_ATTRIBUTES", "tenant, size:int64"}, {"OTLP_OUTPUT_DIR", ""}};
  const Config config = Loaded(sources);
  EXPECT_THAT(config.promote_attributes, ElementsAre("tenant", "size:int64"));
  EXPECT_EQ(config.output_dir, Config().output_dir);
  EXPECT_THAT(Loaded(Yaml("promote_attributes: []\n")).promote_attributes, IsEmpty());
}

TEST(ConfigLoaderTest, ErrorsNameFileLineKeyValueAndWhatIsAllowed) {
  EXPECT_EQ(Refusal(Yaml("output_dir: a\nwrite_interval_secs: 0\n")),
            "otlp.yaml:2: write_interval_secs: 0 is out of range; allowed are 1 to 86400 seconds");
  EXPECT_EQ(Refusal(Yaml("write_interval_secs: five\n")),
            "otlp.yaml:1: write_interval_secs: 'five' is not a whole number; allowed are 1 to 86400 seconds");
  EXPECT_EQ(Refusal(Yaml("write_interval_secs: 5.5\n")),
            "otlp.yaml:1: write_interval_secs: '5.5' is not a whole number; allowed are 1 to 86400 seconds");
  EXPECT_EQ(Refusal(Yaml("write_interval_secs: -1\n")),
            "otlp.yaml:1: write_interval_secs: '-1' is out of range; allowed are 1 to 86400 seconds");
  EXPECT_EQ(Refusal(Yaml("write_interval_secs: 99999999999999999999\n")),
            "otlp.yaml:1: write_interval_secs: '99999999999999999999' is out of range; allowed are 1 to 86400 seconds");
  EXPECT_EQ(Refusal(Yaml("compression: gzip\n")),
            "otlp.yaml:1: compression: 'gzip' is unknown; allowed are none, lz4, zstd");
  EXPECT_EQ(Refusal(Yaml("http:\n  enabled: maybe\n")),
            "otlp.yaml:2: http.enabled: 'maybe' is neither true nor false; allowed are true, false");
  EXPECT_THAT(Refusal(Yaml("memory_budget: lots\n")),
              AllOf(HasSubstr("otlp.yaml:1: memory_budget: 'lots'"), HasSubstr("64MiB")));
  EXPECT_THAT(Refusal(Yaml("promote_attributes: ['a:float']\n")),
              AllOf(HasSubstr("otlp.yaml:1: promote_attributes: 'a:float'"), HasSubstr("int64")));
}

TEST(ConfigLoaderTest, ValuesOfTheWrongShapeAreErrors) {
  EXPECT_EQ(Refusal(Yaml("output_dir: [a, b]\n")), "otlp.yaml:1: output_dir: has a list; allowed are a directory");
  EXPECT_EQ(Refusal(Yaml("workers:\n")), "otlp.yaml:1: workers: has no value; allowed are 0 to 256");
  EXPECT_THAT(Refusal(Yaml("grpc: true\n")),
              HasSubstr("otlp.yaml:1: grpc: 'true' stands where the keys of a section are wanted: enabled, address"));
  EXPECT_THAT(Refusal(Yaml("promote_attributes:\n  - a: b\n")),
              HasSubstr("otlp.yaml:2: promote_attributes: an entry is a map"));
  EXPECT_THAT(Refusal(Yaml("- a\n- b\n")), HasSubstr("otlp.yaml:1: is a list"));
  EXPECT_THAT(Refusal(Yaml("? [a]\n: b\n")), HasSubstr("a key is a list"));
}

TEST(ConfigLoaderTest, UnknownKeysAreErrorsWithAProposal) {
  EXPECT_THAT(Refusal(Yaml("a: 1\n")),
              AllOf(HasSubstr("otlp.yaml:1: 'a' is no key"), HasSubstr("output_dir, "), HasSubstr(", grpc, http")));
  EXPECT_THAT(Refusal(Yaml("\nwrite_intervall_secs: 1\n")),
              HasSubstr("otlp.yaml:2: 'write_intervall_secs' is no key; did you mean write_interval_secs?"));
  EXPECT_THAT(
      Refusal(Yaml("grpc:\n  adress: 1\n")),
      HasSubstr("otlp.yaml:2: 'grpc.adress' is no key; did you mean grpc.address? Allowed are enabled, address"));
  EXPECT_THAT(Refusal(Yaml("output_dir: a\nworkers: 1\noutput_dir: b\n")),
              HasSubstr("otlp.yaml:3: output_dir: the key stands here a second time"));
}

TEST(ConfigLoaderTest, WhatIsNoYamlIsAnErrorWithItsLine) {
  EXPECT_THAT(Refusal(Yaml("output_dir: a\n  broken: [\n")), HasSubstr("otlp.yaml:2: is no YAML"));
  EXPECT_THAT(Refusal(Yaml("output_dir: a\n---\noutput_dir: b\n")), HasSubstr("otlp.yaml: holds 2 YAML documents"));
}

// An embedding program: code beats the environment, that beats YAML, that beats defaults.
TEST(ConfigLoaderTest, AYamlFileAsTheBaseOfABuilder) {
  const std::string path = ::testing::TempDir() + "config_loader_builder.yaml";
  std::ofstream(path) << "output_dir: yaml\nwrite_interval_secs: 7\nworkers: 3\n";
  const auto base = ReadYamlConfig(path);
  ASSERT_TRUE(base.ok()) << base.status().ToString();
  ::setenv("OTLP_OUTPUT_DIR", "environment", 1);
  ::setenv("OTLP_WRITE_INTERVAL_SECS", "8", 1);
  EXPECT_EQ(ReadYamlConfig(path)->output_dir, "yaml") << "the environment is not looked at";
  const auto config = ConfigBuilder(*base).FromEnvironment().output_dir("code").Build();
  ::unsetenv("OTLP_OUTPUT_DIR");
  ::unsetenv("OTLP_WRITE_INTERVAL_SECS");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->output_dir, "code");
  EXPECT_EQ(config->write_interval_secs, 8u);
  EXPECT_EQ(config->workers, 3u);
  EXPECT_EQ(config->max_file_bytes, Config().max_file_bytes);

  std::ofstream(path) << "worker: 3\n";
  EXPECT_THAT(ReadYamlConfig(path).status().message(), AllOf(HasSubstr(path + ":1"), HasSubstr("workers")));
  EXPECT_THAT(ReadYamlConfig("").status().message(), HasSubstr("''"));
  std::filesystem::remove(path);
}

TEST(ConfigLoaderTest, BadEnvironmentAndFlagsNameTheirSource) {
  ConfigSources sources;
  sources.environment = {{"OTLP_HTTP_ADDRESS", "here"}};
  EXPECT_THAT(Refusal(sources), HasSubstr("environment variable OTLP_HTTP_ADDRESS: http.address: 'here' has no port"));
  sources.environment.clear();
  sources.flags = {{"http.address", {"there"}}};
  EXPECT_THAT(Refusal(sources), HasSubstr("--http-address: http.address: 'there' has no port"));
}

TEST(ConfigLoaderTest, ChecksThatNeedTwoKeysRunOnTheWhole) {
  EXPECT_THAT(Refusal(Yaml("grpc: {address: '127.0.0.1:4318'}\n")),
              HasSubstr("http.address: '127.0.0.1:4318' is also grpc.address"));
}

TEST(ConfigLoaderTest, WarnsOfVariablesThatLookLikeOurs) {
  ConfigSources sources;
  sources.environment = {{"OTLP_OUTPUT_DIRS", "x"}, {"OTLP_ARROW_CONFIG", ""}, {"OTEL_SERVICE_NAME", "y"}};
  auto loaded = LoadConfig(sources);
  ASSERT_TRUE(loaded.ok());
  ASSERT_THAT(loaded->warnings, SizeIs(1));
  EXPECT_THAT(loaded->warnings[0], AllOf(HasSubstr("OTLP_OUTPUT_DIRS"), HasSubstr("did you mean OTLP_OUTPUT_DIR?")));
}

TEST(ConfigLoaderTest, ReadsTheFileOfTheFlagOrTheVariable) {
  const std::string path = ::testing::TempDir() + "config_loader_test.yaml";
  std::ofstream(path) << "workers: 3\n";
  auto by_flag = LoadConfigFile(path, {});
  ASSERT_TRUE(by_flag.ok()) << by_flag.status().ToString();
  EXPECT_EQ(by_flag->config.workers, 3u);
  ConfigSources sources;
  sources.environment = {{"OTLP_ARROW_CONFIG", path}};
  auto by_variable = LoadConfigFile("", sources);
  ASSERT_TRUE(by_variable.ok());
  EXPECT_EQ(by_variable->config.workers, 3u);
  auto missing = LoadConfigFile("/nowhere/otlp.yaml", sources);
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.status().message(),
              AllOf(HasSubstr("--config"), HasSubstr("/nowhere/otlp.yaml"), HasSubstr("No such file")));
}

TEST(ConfigLoaderTest, EffectiveConfigurationReadsBack) {
  Config config;
  config.output_dir = "it's: \"odd\" # dir";
  config.promote_attributes = {"true", "a b"};
  config.max_file_bytes = 1000001;
  config.grpc.enabled = false;
  config.http.address = "[::1]:1";
  const std::string yaml = ConfigToYaml(config, {{"workers", "otlp.yaml:3"}});
  EXPECT_THAT(yaml, HasSubstr("workers: 0  # otlp.yaml:3"));
  const Config again = Loaded(Yaml(yaml));
  EXPECT_EQ(ConfigToYaml(again), ConfigToYaml(config));
  EXPECT_EQ(again.output_dir, config.output_dir);
  EXPECT_EQ(again.promote_attributes, config.promote_attributes);
}

TEST(ConfigLoaderTest, EveryKeyTakesItsOwnDefaultBack) {
  std::set<std::string> names;
  for (const ConfigKey& key : ConfigKeys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    Config config;
    EXPECT_TRUE(key.set(&config, key.get(Config())).ok()) << key.name;
    EXPECT_EQ(key.get(config), key.get(Config())) << key.name;
  }
  EXPECT_EQ(FindConfigKey("grpc.max_message_bytes")->EnvironmentName(), "OTLP_GRPC_MAX_MESSAGE_BYTES");
  EXPECT_EQ(FindConfigKey("grpc.max_message_bytes")->FlagName(), "--grpc-max-message-bytes");
}

// The documentation holds the table exactly as the code makes it; after a change, paste what this prints.
TEST(ConfigLoaderTest, DocumentationListsEveryKey) {
  const auto path =
      std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "docs" / "configuration.md";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path << " is missing";
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(ConfigReferenceTable()), std::string::npos) << "the table should be\n"
                                                                        << ConfigReferenceTable();
}

}  // namespace
}  // namespace otlp_arrow
