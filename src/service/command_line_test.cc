#include "service/command_line.h"

#include <cstdlib>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/config_keys.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Time = ReplayOptions::Time;

const Time kNow{std::chrono::seconds(1700000000)};

Command Parse(std::vector<std::string> arguments, const std::string& program = "/usr/bin/otlp-arrow") {
  arguments.insert(arguments.begin(), program);
  return ParseCommandLine(std::move(arguments), kNow);
}

// The options of a command that must parse.
template <class T>
T Parsed(const std::vector<std::string>& arguments, const std::string& program = "otlp-arrow") {
  const Command command = Parse(arguments, program);
  if (const auto* print = std::get_if<PrintOptions>(&command)) ADD_FAILURE() << print->text;
  return std::holds_alternative<T>(command) ? std::get<T>(command) : T();
}

PrintOptions Printed(const std::vector<std::string>& arguments, const std::string& program = "otlp-arrow") {
  const Command command = Parse(arguments, program);
  const auto* print = std::get_if<PrintOptions>(&command);
  return print != nullptr ? *print : PrintOptions{"nothing was printed", -1};
}

TEST(CommandLineTest, ServeTakesEverySettingAsAFlag) {
  const auto options =
      Parsed<ServeOptions>({"serve", "--output-dir", "d", "--config", "c.yaml", "--grpc-address=0.0.0.0:1", "--no-http",
                            "--promote-attributes", "a, b:int64", "--check-config"});
  EXPECT_EQ(options.config_file, "c.yaml");
  EXPECT_TRUE(options.check_config);
  EXPECT_THAT(options.settings,
              ::testing::UnorderedElementsAre(
                  Pair("output_dir", ElementsAre("d")), Pair("grpc.address", ElementsAre("0.0.0.0:1")),
                  Pair("http.enabled", ElementsAre("false")), Pair("promote_attributes", ElementsAre("a", "b:int64"))));
}

TEST(CommandLineTest, TheLastOfRepeatedFlagsWins) {
  EXPECT_THAT(Parsed<ServeOptions>({"serve", "--output-dir", "a", "--output-dir", "b"}).settings,
              ElementsAre(Pair("output_dir", ElementsAre("b"))));
}

TEST(CommandLineTest, ServeForwardsToSeveral) {
  const auto options = Parsed<ServeOptions>({"serve", "--no-store", "--forward", "http://a:4317", "--forward=http://b:4318", "--no-self-telemetry"});
  EXPECT_THAT(options.forward, ElementsAre("http://a:4317", "http://b:4318"));
  EXPECT_THAT(options.settings, ElementsAre(Pair("store", ElementsAre("false")), Pair("self_telemetry", ElementsAre("false"))));
  EXPECT_EQ(Printed({"serve", "--store", "true", "--no-store"}).exit_code, kExitUsage);
}

TEST(CommandLineTest, ServiceNameMeansServe) {
  const std::string program = "/opt/bin/otlp-arrow-service";
  EXPECT_THAT(Parsed<ServeOptions>({"--output-dir", "d"}, program).settings,
              ElementsAre(Pair("output_dir", ElementsAre("d"))));
  EXPECT_THAT(Parsed<ServeOptions>({"serve", "--output-dir", "d"}, program).settings,
              ElementsAre(Pair("output_dir", ElementsAre("d"))));
  EXPECT_THAT(Parsed<ServeOptions>({}, program).settings, ElementsAre());
  EXPECT_EQ(Printed({"--version"}, program).text, "otlp-arrow " OTLP_ARROW_VERSION "\n");
}

TEST(CommandLineTest, VersionAndHelpSucceed) {
  EXPECT_EQ(Printed({"--version"}).text, "otlp-arrow " OTLP_ARROW_VERSION "\n");
  EXPECT_EQ(Printed({"--version"}).exit_code, kExitOk);
  const PrintOptions help = Printed({"--help"});
  EXPECT_EQ(help.exit_code, kExitOk);
  EXPECT_THAT(help.text, AllOf(HasSubstr("otlp-arrow serve --output-dir"), HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT"),
                               HasSubstr("duckdb"), HasSubstr("polars"), HasSubstr("pandas"),
                               HasSubstr("--trace-cleanup-interval-secs 0")));
  EXPECT_THAT(Printed({"serve", "--help"}).text,
              AllOf(HasSubstr("--grpc-address"), HasSubstr("OTLP_GRPC_ADDRESS"), HasSubstr("1 to 86400 seconds")));
}

TEST(CommandLineTest, HelpFitsATerminal) {
  for (const char* command : {"serve", "recover", "inspect", "replay"}) {
    std::istringstream lines(Printed({command, "--help"}).text);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u) << line;
  }
}

TEST(CommandLineTest, WrongUsageHasItsOwnExitCode) {
  EXPECT_EQ(Printed({}).exit_code, kExitUsage);
  EXPECT_EQ(Printed({"fly"}).exit_code, kExitUsage);
  EXPECT_EQ(Printed({"inspect"}).exit_code, kExitUsage);
  EXPECT_EQ(Printed({"serve", "--grpc-enabled", "true", "--no-grpc"}).exit_code, kExitUsage);
  const PrintOptions unknown = Printed({"serve", "--outptu-dir", "x"});
  EXPECT_EQ(unknown.exit_code, kExitUsage);
  EXPECT_THAT(unknown.text, HasSubstr("--outptu-dir"));
}

TEST(CommandLineTest, InspectAndRecover) {
  const auto inspect = Parsed<InspectOptions>({"inspect", "d", "--json", "--schema"});
  EXPECT_EQ(inspect.path, "d");
  EXPECT_TRUE(inspect.json);
  EXPECT_TRUE(inspect.schema);
  EXPECT_EQ(Parsed<RecoverOptions>({"recover", "d"}).directory, "d");
}

TEST(CommandLineTest, Replay) {
  const auto options = Parsed<ReplayOptions>(
      {"replay",  "d",         "--endpoint", "https://h/p", "--signal", "traces,logs", "--rate", "100",
       "--batch", "5",         "--gzip",     "--header",    "a=b=c",    "--header",    "d=",     "--timeout",
       "0.5",     "--dry-run", "--since",    "1h",          "--until",  "2030-01-01"});
  EXPECT_EQ(options.path, "d");
  EXPECT_EQ(options.sender.endpoint.ToString(), "https://h:443/p (http)");
  EXPECT_THAT(options.signals, ElementsAre(Signal::kTraces, Signal::kLogs));
  EXPECT_EQ(options.items_per_second, 100);
  EXPECT_EQ(options.batch, 5);
  EXPECT_EQ(options.sender.compression, RequestCompression::kGzip);
  EXPECT_THAT(options.sender.headers, ElementsAre(Pair("a", "b=c"), Pair("d", "")));
  EXPECT_EQ(options.timeout, milliseconds(500));
  EXPECT_TRUE(options.dry_run);
  EXPECT_FALSE(options.quiet);
}

TEST(CommandLineTest, ReplayToFlightWithCredentials) {
  ::setenv("OTLP_ARROW_TEST_TOKEN", "secret", 1);
  const auto options = Parsed<ReplayOptions>({"replay", "d", "--endpoint", "grpc+tls://h:4319", "--compression", "zstd", "--bearer-token", "${env:OTLP_ARROW_TEST_TOKEN}",
                                              "--max-in-flight", "4", "--resume-file", "f", "--ca-file", "a", "--cert-file", "b", "--key-file", "c", "--server-name", "n"});
  ::unsetenv("OTLP_ARROW_TEST_TOKEN");
  EXPECT_EQ(options.sender.endpoint.protocol, OtlpProtocol::kFlight);
  EXPECT_TRUE(options.sender.endpoint.tls);
  EXPECT_EQ(options.sender.compression, RequestCompression::kZstd);
  EXPECT_THAT(options.sender.headers, ElementsAre(Pair("authorization", "Bearer secret")));
  EXPECT_EQ(options.max_in_flight, 4);
  EXPECT_EQ(options.resume_file, "f");
  EXPECT_EQ(options.sender.tls.ca_file + options.sender.tls.cert_file + options.sender.tls.key_file + options.sender.tls.server_name, "abcn");
}

TEST(CommandLineTest, ReplayChecksItsArguments) {
  const auto text = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"replay", "d", "--endpoint", "http://h:1"});
    const PrintOptions print = Printed(more);
    EXPECT_EQ(print.exit_code, kExitUsage);
    return print.text;
  };
  EXPECT_EQ(Printed({"replay", "d"}).exit_code, kExitUsage);
  EXPECT_THAT(Printed({"replay", "d", "--endpoint", "ftp://x"}).text,
              AllOf(HasSubstr("--endpoint"), HasSubstr("scheme 'ftp'")));
  EXPECT_THAT(text({"--header", "x"}), HasSubstr("'x' is not of the form name=value"));
  EXPECT_THAT(text({"--batch", "0"}), HasSubstr("--batch"));
  EXPECT_THAT(text({"--signal", "spans"}), HasSubstr("traces"));
  EXPECT_THAT(text({"--protocol", "udp"}), HasSubstr("grpc"));
  EXPECT_THAT(text({"--since", "soon"}), HasSubstr("'soon' is no time"));
  EXPECT_THAT(text({"--since", "1h", "--until", "2h"}), HasSubstr("--since must be before --until"));
}

Command ParseCollect(std::vector<std::string> arguments, const Environment& environment) {
  arguments.insert(arguments.begin(), {"otlp-arrow", "collect"});
  return ParseCommandLine(std::move(arguments), kNow, environment);
}

TEST(CommandLineTest, Collect) {
  const auto command = ParseCollect({"--input", "a.mmap", "--input", "b", "--output-dir", "d", "--once", "--metric-interval", "0.5", "--foreign-idle", "7",
                                     "--max-series", "9", "--max-open-spans", "8", "--write-interval-secs", "1"},
                                    {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://ignored:1"}});
  ASSERT_TRUE(std::holds_alternative<CollectOptions>(command));
  const auto& options = std::get<CollectOptions>(command);
  EXPECT_THAT(options.inputs, ElementsAre("a.mmap", "b"));
  EXPECT_THAT(options.settings, ElementsAre(Pair("output_dir", ElementsAre("d")), Pair("write_interval_secs", ElementsAre("1"))));
  EXPECT_TRUE(options.once);
  EXPECT_EQ(options.drain.metric_interval, milliseconds(500));
  EXPECT_EQ(options.drain.foreign_idle, milliseconds(7000));
  EXPECT_EQ(options.drain.most_series, 9u);
  EXPECT_EQ(options.drain.most_open_spans, 8u);
  EXPECT_FALSE(options.sender) << "a flag wins over the environment";
}

TEST(CommandLineTest, CollectTakesFileAndBackendFromTheEnvironment) {
  const Environment environment = {{"SDK_MMAP_EXPORTER_FILE", "/tmp/x.mmap"}, {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://backend:4318"}};
  const auto command = ParseCollect({"--header", "key=secret", "--gzip", "--timeout", "2"}, environment);
  ASSERT_TRUE(std::holds_alternative<CollectOptions>(command));
  const auto& options = std::get<CollectOptions>(command);
  EXPECT_THAT(options.inputs, ElementsAre("/tmp/x.mmap"));
  ASSERT_TRUE(options.sender);
  EXPECT_EQ(options.sender->endpoint.ToString(), "http://backend:4318 (http)");
  EXPECT_THAT(options.sender->headers, ElementsAre(Pair("key", "secret")));
  EXPECT_EQ(options.sender->compression, RequestCompression::kGzip);
  EXPECT_EQ(options.timeout, milliseconds(2000));
}

TEST(CommandLineTest, CollectChecksItsArguments) {
  const auto text = [](const std::vector<std::string>& arguments, const Environment& environment = {}) {
    const Command command = ParseCollect(arguments, environment);
    const auto* print = std::get_if<PrintOptions>(&command);
    return print ? print->text : "taken";
  };
  EXPECT_THAT(text({}), AllOf(HasSubstr("--input"), HasSubstr("SDK_MMAP_EXPORTER_FILE")));
  EXPECT_THAT(text({"--input", "a", "--output-dir", "d", "--otlp-endpoint", "http://b:1"}), HasSubstr("exclude each other"));
  EXPECT_THAT(text({"--input", "a"}, {{"OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://b"}}), AllOf(HasSubstr("OTEL_EXPORTER_OTLP_ENDPOINT"), HasSubstr("ftp")));
  EXPECT_THAT(text({"--input", "a", "--max-series", "0"}), HasSubstr("--max-series"));
  EXPECT_THAT(text({"--input", "a", "--grpc-address", "x:1"}), HasSubstr("--grpc-address"));
}

TEST(ParseTimeTest, ReadsDatesTimesAndAges) {
  const auto seconds = [](const std::string& text) {
    auto time = ParseTime(text, kNow);
    EXPECT_TRUE(time.ok()) << text;
    return time.ok() ? time->time_since_epoch().count() : 0;
  };
  EXPECT_EQ(seconds("1970-01-02"), 86400'000'000'000);
  EXPECT_EQ(seconds("1970-01-01T00:00:01.5Z"), 1'500'000'000);
  EXPECT_EQ(seconds("1970-01-01 00:00:01.000000001"), 1'000'000'001);
  EXPECT_EQ(seconds("15m"), (1700000000L - 900) * 1'000'000'000);
  EXPECT_EQ(seconds("2d"), (1700000000L - 2 * 86400) * 1'000'000'000);
  for (const char* text : {"", "x", "5", "5y", "-5m", "2024", "2024-13-01", "2024-01-01T", "2024-01-01T00:00:00+02:00",
                           "9999-01-01", "1h2m"}) {
    EXPECT_FALSE(ParseTime(text, kNow).ok()) << text;
  }
}

TEST(CommandLineTest, TheManualPageHasEveryFlagOfServe) {
  const Command command = ParseCommandLine({"otlp-arrow", "--help-man"}, {});
  const auto* page = std::get_if<PrintOptions>(&command);
  ASSERT_NE(page, nullptr);
  EXPECT_EQ(page->exit_code, kExitOk);
  for (const ConfigKey& key : ConfigKeys()) {
    std::string flag;
    for (const char c : key.FlagName()) flag += c == '-' ? std::string("\\-") : std::string(1, c);
    EXPECT_NE(page->text.find("\\fB" + flag), std::string::npos) << key.name;
  }
  std::istringstream lines(page->text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && (line[0] == '.' || line[0] == '\'')) {
      EXPECT_THAT(line, ::testing::ContainsRegex("^\\.(TH|SH|SS|PP|TP|nf|fi|br|nh|.\")")) << "text that roff takes for a request";
    }
  }
}

}  // namespace
}  // namespace otlp_arrow
