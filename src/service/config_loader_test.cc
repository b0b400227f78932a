#include "service/config_loader.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/config_keys.h"
#include "library/forwarding_keys.h"
#include "otlp_arrow/config_builder.h"
#include "otlp_arrow/service.h"

namespace otlp_arrow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

ConfigSources Yaml(const std::string& text) {
  return {.yaml_name = "otlp.yaml", .yaml_text = text, .environment = {}, .flags = {}, .forward = {}};
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
              AllOf(HasSubstr("otlp.yaml:1: 'a' is no key"), HasSubstr("output_dir, "), HasSubstr(", grpc, http, flight, forwarding")));
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
  EXPECT_THAT(Refusal(Yaml("output_dir: a\n---\noutput_dir: b\n")), HasSubstr("otlp.yaml: holds more than one YAML document"));
  EXPECT_NE(Refusal(Yaml(",x 1 y\n")), "");  // in which the parser finds documents without end
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

constexpr const char* kTwoDestinations =
    "store: false\n"
    "forward_backlog_max_bytes: 2GiB\n"
    "forwarding:\n"
    "  - name: main\n"
    "    endpoint: https://collector:4317\n"
    "    signals: [traces, logs]\n"
    "    compression: gzip\n"
    "    headers:\n"
    "      x-tenant: a=b, c\n"
    "      x-key: ${env:KEY}\n"
    "    bearer_token: hush\n"
    "    tls:\n"
    "      ca_file: ca.pem\n"
    "    batch_bytes: 256KiB\n"
    "    max_in_flight: 1\n"
    "  - endpoint: http://other:4318\n"
    "    enabled: no\n";

TEST(ConfigLoaderTest, ReadsTheListOfDestinations) {
  const Config config = Loaded(Yaml(kTwoDestinations));
  EXPECT_FALSE(config.store);
  EXPECT_EQ(config.forward_backlog_max_bytes, 2ull << 30);
  ASSERT_THAT(config.forwarding, SizeIs(2));
  const ForwardingConfig& to = config.forwarding[0];
  EXPECT_EQ(to.name, "main");
  EXPECT_EQ(to.endpoint, "https://collector:4317");
  EXPECT_THAT(to.signals, ElementsAre(Signal::kTraces, Signal::kLogs));
  EXPECT_EQ(to.compression, "gzip");
  EXPECT_THAT(to.headers, ElementsAre(std::pair("x-tenant", "a=b, c"), std::pair("x-key", "${env:KEY}")));
  EXPECT_EQ(to.bearer_token, "hush");
  EXPECT_EQ(to.tls.ca_file, "ca.pem");
  EXPECT_EQ(to.batch_bytes, 256u << 10);
  EXPECT_EQ(to.max_in_flight, 1u);
  EXPECT_EQ(to.timeout_ms, ForwardingConfig().timeout_ms);
  EXPECT_FALSE(config.forwarding[1].enabled);
  EXPECT_EQ(config.forwarding[1].DisplayName(), "http-other:4318");
  EXPECT_THAT(Loaded(Yaml("forwarding: []\n")).forwarding, IsEmpty());
}

TEST(ConfigLoaderTest, MistakesInDestinationsNameTheirLine) {
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  - endpoint: a:4317\n    compresion: gzip\n")),
              AllOf(HasSubstr("otlp.yaml:3: 'forwarding.compresion' is no key; did you mean forwarding.compression?"), HasSubstr("Allowed are name, enabled")));
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  - endpoint: a:4317\n    tls:\n      ca_fil: x\n")),
              HasSubstr("otlp.yaml:4: 'forwarding.tls.ca_fil' is no key; did you mean forwarding.tls.ca_file? Allowed are ca_file, cert_file"));
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  - endpoint: a:4317\n    timeout_ms: 10s\n")),
              HasSubstr("otlp.yaml:3: forwarding.timeout_ms: '10s' is not a whole number"));
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  - endpoint: a:4317\n  - name: b\n")), HasSubstr("otlp.yaml:3: forwarding.endpoint: it is missing"));
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  endpoint: a:4317\n")), HasSubstr("otlp.yaml:1: forwarding: a map stands where a list is wanted"));
  EXPECT_THAT(Refusal(Yaml("forwarding: [a]\n")), HasSubstr("otlp.yaml:1: forwarding: an entry is a text"));
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  - endpoint: a:4317\n    endpoint: b:4317\n")),
              HasSubstr("otlp.yaml:3: forwarding.endpoint: the key stands here a second time"));
  EXPECT_THAT(Refusal(Yaml("fowarding:\n  - endpoint: a:4317\n")), HasSubstr("did you mean forwarding?"));
  EXPECT_THAT(Refusal(Yaml("forwarding:\n  - endpoint: a:4317\n    headers: hush\n")), AllOf(HasSubstr("otlp.yaml:3: forwarding.headers"), Not(HasSubstr("hush"))));
  EXPECT_THAT(Refusal(Yaml("store: false\n")), HasSubstr("store: false without a destination"));
}

TEST(ConfigLoaderTest, SecretsAreHiddenWhereSettingsAreShown) {
  auto loaded = LoadConfig(Yaml(kTwoDestinations));
  ASSERT_TRUE(loaded.ok());
  loaded->config.flight.bearer_token = "hush";
  loaded->config.forwarding[0].api_key = loaded->config.forwarding[0].password = "hush";
  const std::string yaml = ConfigToYaml(loaded->config, loaded->origins);
  EXPECT_THAT(yaml, Not(HasSubstr("hush")));
  EXPECT_THAT(yaml, AllOf(HasSubstr("bearer_token: <hidden>"), HasSubstr("x-tenant: <hidden>"), HasSubstr("endpoint: https://collector:4317  # otlp.yaml:5")));
  EXPECT_THAT(Refusal(Yaml(yaml)), HasSubstr("'<hidden>' is what --check-config shows"));
}

TEST(ConfigLoaderTest, DestinationsReadBack) {
  Config config = Loaded(Yaml(kTwoDestinations));
  config.forwarding[0].bearer_token.clear();
  config.forwarding[0].headers.clear();
  const std::string yaml = ConfigToYaml(config);
  EXPECT_EQ(ConfigToYaml(Loaded(Yaml(yaml))), yaml);
}

TEST(ConfigLoaderTest, TheEnvironmentChangesDestinationsOfTheFileAndFlagsReplaceThem) {
  ConfigSources sources = Yaml(kTwoDestinations);
  sources.environment = {{"OTLP_FORWARDING_0_BEARER_TOKEN", "other"}, {"OTLP_FORWARDING_2_ENDPOINT", "third:4317"}};
  auto loaded = LoadConfig(sources);
  ASSERT_TRUE(loaded.ok()) << loaded.status().ToString();
  ASSERT_THAT(loaded->config.forwarding, SizeIs(3));
  EXPECT_EQ(loaded->config.forwarding[0].bearer_token, "other");
  EXPECT_EQ(loaded->origins.at("forwarding.0.bearer_token"), "environment variable OTLP_FORWARDING_0_BEARER_TOKEN");
  EXPECT_EQ(loaded->config.forwarding[2].endpoint, "third:4317");
  EXPECT_THAT(loaded->warnings, IsEmpty());
  sources.forward = {"http://flag:4318", "flag:4317"};
  const Config config = Loaded(sources);
  ASSERT_THAT(config.forwarding, SizeIs(2));
  EXPECT_EQ(config.forwarding[0].endpoint, "http://flag:4318");
  EXPECT_EQ(config.forwarding[0].bearer_token, "");
  sources.forward = {"gopher://flag"};
  EXPECT_THAT(Refusal(sources), HasSubstr("--forward: forwarding.endpoint: endpoint 'gopher://flag'"));
}

TEST(ConfigLoaderTest, WarnsOfVariablesOfDestinationsThatDoNotExist) {
  ConfigSources sources;
  sources.environment = {{"OTLP_FORWARDING_0_ENDPOINT", "a:4317"}, {"OTLP_FORWARDING_0_ENDPIONT", "x"}, {"OTLP_FORWARDING_99_NAME", "x"}};
  auto loaded = LoadConfig(sources);
  ASSERT_TRUE(loaded.ok());
  ASSERT_THAT(loaded->warnings, SizeIs(2));
  EXPECT_THAT(loaded->warnings[0], HasSubstr("did you mean OTLP_FORWARDING_0_ENDPOINT?"));
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
  for (const ForwardingKey& key : ForwardingKeys()) {
    EXPECT_TRUE(names.insert("forwarding." + key.name).second) << key.name;
    ForwardingConfig destination;
    EXPECT_TRUE(key.set(&destination, key.get(ForwardingConfig())).ok()) << key.name;
    EXPECT_EQ(key.get(destination), key.get(ForwardingConfig())) << key.name;
  }
  EXPECT_EQ(FindConfigKey("flight.enabled")->NoFlagName(), "--no-flight");
  EXPECT_EQ(FindConfigKey("store")->NoFlagName(), "--no-store");
  EXPECT_EQ(FindConfigKey("grpc.max_message_bytes")->EnvironmentName(), "OTLP_GRPC_MAX_MESSAGE_BYTES");
  EXPECT_EQ(FindConfigKey("grpc.max_message_bytes")->FlagName(), "--grpc-max-message-bytes");
}

std::string Documentation(const std::string& name) {
  const auto path = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "docs" / name;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path << " is missing";
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The documentation holds the tables exactly as the code makes them; after a change, paste what this prints.
TEST(ConfigLoaderTest, DocumentationListsEveryKey) {
  EXPECT_NE(Documentation("configuration.md").find(ConfigReferenceTable()), std::string::npos) << "the table should be\n" << ConfigReferenceTable();
  EXPECT_NE(Documentation("forwarding.md").find(ForwardingReferenceTable()), std::string::npos) << "the table should be\n"
                                                                                                << ForwardingReferenceTable();
}

// What stands between ```yaml and ```.
std::vector<std::string> YamlBlocks(const std::string& text) {
  std::vector<std::string> blocks;
  constexpr std::string_view kBegin = "```yaml\n";
  for (size_t begin = text.find(kBegin); begin != std::string::npos; begin = text.find(kBegin, begin)) {
    begin += kBegin.size();
    blocks.push_back(text.substr(begin, text.find("```", begin) - begin));
  }
  return blocks;
}

TEST(ConfigLoaderTest, FilesOfTheDocumentationAreValid) {
  for (const char* name : {"configuration.md", "forwarding.md"}) {
    const auto blocks = YamlBlocks(Documentation(name));
    EXPECT_THAT(blocks, Not(IsEmpty())) << name;
    for (const std::string& block : blocks) EXPECT_EQ(Refusal(Yaml(block)), "") << name << "\n" << block;
  }
}

}  // namespace
}  // namespace otlp_arrow
