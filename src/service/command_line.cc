#include "service/command_line.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <sstream>

#include <CLI/CLI.hpp>

#include "library/config_keys.h"
#include "service/argument_values.h"
#include "service/help_formatter.h"
#include "service/help_text.h"
#include "service/man_page.h"
#include "service/replay_arguments.h"

namespace otlp_arrow {
namespace {

using Time = ReplayOptions::Time;
using std::chrono::nanoseconds;

using Settings = std::vector<std::pair<std::string, std::vector<std::string>>>;

constexpr const char* kVersionText = "otlp-arrow " OTLP_ARROW_VERSION;

std::string SettingHelp(const ConfigKey& key) {
  std::string value;
  for (const auto& t : key.get(Config())) value += (value.empty() ? "" : ",") + t;
  if (key.kind == ConfigKey::Kind::kList) {
    value = std::to_string(key.get(Config()).size()) + " semantic-convention attributes";
  }
  return key.help + " [" + (value.empty() ? "none" : value) + "; allowed: " + key.allowed + "]";
}

std::string ValueName(const ConfigKey& key) {
  switch (key.kind) {
    case ConfigKey::Kind::kSwitch: return "true|false";
    case ConfigKey::Kind::kNumber: return "N";
    case ConfigKey::Kind::kList: return key.name == "promote_attributes" ? "KEY[:TYPE],..." : "TEXT,...";
    case ConfigKey::Kind::kPairs: return "NAME=VALUE,...";
    default: return "TEXT";
  }
}

// The part of a configuration key's flag that serve and collect share.
CLI::Option* AddSetting(CLI::App* command, const ConfigKey& key, Settings* settings, const std::string& group) {
  return command
      ->add_option_function<std::string>(
          key.FlagName(), [settings, &key](const std::string& text) { settings->emplace_back(key.name, TextsOf(key, text)); }, SettingHelp(key))
      ->type_name(ValueName(key))
      ->group(group)
      ->take_last();
}

std::string GroupOf(const ConfigKey& key) {
  if (key.name.starts_with("tls.") || key.name.starts_with("auth.")) return "Security";
  if (key.name.starts_with("limits.")) return "Limits of items";
  if (key.name.starts_with("compaction.")) return "Compaction";
  if (key.name.starts_with("grpc.")) return "OTLP/gRPC";
  if (key.name.starts_with("http.")) return "OTLP/HTTP";
  if (key.name.starts_with("flight.")) return "Arrow Flight";
  return "Settings";
}

// One flag for each key of the configuration, and --no-grpc beside --grpc-enabled.
void AddSettings(CLI::App* serve, ServeOptions* options) {
  for (const ConfigKey& key : ConfigKeys()) {
    AddSetting(serve, key, &options->settings, GroupOf(key));
    if (key.kind == ConfigKey::Kind::kSwitch) {
      serve
          ->add_flag_function(
              key.NoFlagName(),
              [options, &key](int64_t) { options->settings.emplace_back(key.name, std::vector<std::string>{"false"}); },
              "the same as " + key.FlagName() + " false")
          ->group(GroupOf(key))
          ->excludes(key.FlagName());
    }
  }
}

void AddServe(CLI::App* app, ServeOptions* options) {
  CLI::App* serve = app->add_subcommand("serve", "receive OTLP over gRPC and HTTP, write it to files, and forward it");
  serve->footer(kServeFooter);
  serve
      ->add_option("--config", options->config_file,
                   "a YAML file with settings [or the one that OTLP_ARROW_CONFIG names]")
      ->type_name("FILE");
  serve->add_flag("--check-config", options->check_config, "say what would happen, print the settings in force, as YAML, and end: with 0, or with 2 where the service would not start");
  serve
      ->add_option("--forward", options->forward,
                   "send everything on to this backend, such as http://collector:4317; may be repeated. These take the place of the destinations of "
                   "the configuration, where there is more to say (docs/forwarding.md)")
      ->type_name("URL")
      ->group("Settings");
  AddSettings(serve, options);
}

void AddRecover(CLI::App* app, RecoverOptions* options) {
  CLI::App* recover = app->add_subcommand("recover", "write to files what killed writers left in their journals");
  recover->footer(kRecoverFooter);
  recover->add_option("directory", options->directory, "the output directory of the writers")
      ->type_name("DIR")
      ->required();
  recover->add_option("--config", options->config_file, "a YAML file with settings for the new files")
      ->type_name("FILE");
}

void AddInspect(CLI::App* app, InspectOptions* options) {
  CLI::App* inspect = app->add_subcommand("inspect", "tell what a directory or a file holds");
  inspect->footer(kInspectFooter);
  inspect->add_option("path", options->path, "an output directory, a directory of .arrow or .parquet files, one file, or an OTLP-MMAP file")
      ->type_name("PATH")
      ->required();
  inspect->add_option("--records", options->records, "of an OTLP-MMAP file: this many of the last records of each ring [10]")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""));
  inspect->add_flag("--json", options->json, "for programs: one JSON object");
  inspect->add_flag("--schema", options->schema, "the columns and their types, too");
}

// What `collect` is given as texts.
struct CollectTexts {
  std::string endpoint;
  std::string protocol;
  std::vector<std::string> headers;
  bool gzip = false;
  std::string ca_file;
  double timeout_secs = 10;
  double metric_interval_secs = 10;
  double foreign_idle_secs = 600;
};

void AddCollect(CLI::App* app, CollectOptions* options, CollectTexts* texts) {
  CLI::App* collect = app->add_subcommand("collect", "drain OTLP-MMAP files into the store or to an OTLP backend");
  collect->footer(kCollectFooter);
  collect
      ->add_option("--input", options->inputs,
                   "an OTLP-MMAP file, which need not be there yet, or a directory to watch; may be repeated [$SDK_MMAP_EXPORTER_FILE]")
      ->type_name("PATH");
  collect->add_flag("--once", options->once, "end when everything is collected and nobody writes any more");
  collect->add_option("--metric-interval", texts->metric_interval_secs, "seconds between two data points of a metric [10]")
      ->type_name("N")
      ->check(CLI::Range(0.01, 86400.0).description(""));
  collect->add_option("--max-series", options->drain.most_series, "attribute sets of one metric, before they are counted together [2000]")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000'000).description(""));
  collect
      ->add_option("--max-open-spans", options->drain.most_open_spans,
                   "spans of one file that wait for their ends, before the oldest are kept as incomplete [1000000]")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000).description(""));
  collect
      ->add_option("--foreign-idle", texts->foreign_idle_secs,
                   "seconds of silence after which a writer of another make, which holds no lock, counts as dead [600]")
      ->type_name("N")
      ->check(CLI::Range(0.01, 1e7).description(""));
  collect->add_option("--config", options->config_file, "a YAML file with settings of the store")->type_name("FILE");

  const char* backend = "Backend, instead of the store";
  collect->add_option("--otlp-endpoint", texts->endpoint, "where to, such as http://127.0.0.1:4317; https means TLS [$OTEL_EXPORTER_OTLP_ENDPOINT]")
      ->type_name("URL")
      ->group(backend);
  collect->add_option("--protocol", texts->protocol, "grpc or http [http for port 4318 and for URLs with a path, else grpc]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"grpc", "http"}).description(""))
      ->group(backend);
  collect->add_flag("--gzip", texts->gzip, "compress the requests")->group(backend);
  collect->add_option("--header", texts->headers, "a header for each request, such as api-key=secret; may be repeated")
      ->type_name("NAME=VALUE")
      ->group(backend);
  collect->add_option("--ca-file", texts->ca_file, "trust the certificates in this PEM file instead of the system's")
      ->type_name("FILE")
      ->group(backend);
  collect->add_option("--timeout", texts->timeout_secs, "seconds to wait for the answer to a request [10]")
      ->type_name("N")
      ->check(CLI::Range(0.001, 3600.0).description(""))
      ->group(backend);
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.name.find('.') == std::string::npos) AddSetting(collect, key, &options->settings, "Store");
  }
}

std::string FromEnvironment(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// Flags first, then the environment, then what is left: the store.
void FinishCollect(CollectTexts texts, const Environment& environment, CollectOptions* options) {
  if (options->inputs.empty()) {
    const std::string file = FromEnvironment(environment, "SDK_MMAP_EXPORTER_FILE");
    if (file.empty()) Reject(Status::Config("what to collect from? Name a file with --input or with the variable SDK_MMAP_EXPORTER_FILE"));
    options->inputs = {file};
  }
  const bool names_store = !options->config_file.empty() ||
                           std::any_of(options->settings.begin(), options->settings.end(), [](const auto& s) { return s.first == "output_dir"; });
  if (!texts.endpoint.empty() && names_store) {
    Reject(Status::Config("--otlp-endpoint and --output-dir or --config exclude each other: data goes to a backend or to the store"));
  }
  std::string source = "--otlp-endpoint";
  if (texts.endpoint.empty() && !names_store) {
    source = "OTEL_EXPORTER_OTLP_ENDPOINT";
    texts.endpoint = FromEnvironment(environment, source);
  }
  options->timeout = Milliseconds(texts.timeout_secs);
  options->drain.metric_interval = Milliseconds(texts.metric_interval_secs);
  options->drain.foreign_idle = Milliseconds(texts.foreign_idle_secs);
  if (texts.endpoint.empty()) return;
  options->sender.emplace();
  options->sender->endpoint = OrReject(source, ParseEndpoint(texts.endpoint, ProtocolFromName(texts.protocol)));
  if (texts.gzip) options->sender->compression = RequestCompression::kGzip;
  options->sender->tls.ca_file = texts.ca_file;
  AddHeaders(texts.headers, &*options->sender);
}

// "otlp-arrow-service …" is "otlp-arrow serve …".
void ExpandServiceName(std::vector<std::string>* arguments) {
  const std::string& program = arguments->front();
  const std::string name = program.substr(program.rfind('/') + 1);
  const std::string first = arguments->size() > 1 ? (*arguments)[1] : "";
  if (name == "otlp-arrow-service" && first != "serve" && first != "--version") {
    arguments->insert(arguments->begin() + 1, "serve");
  }
}

PrintOptions Explain(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out;
  const bool good = app.exit(error, out, out) == 0;
  return {out.str(), good ? kExitOk : kExitUsage};
}

std::optional<nanoseconds> ParseAge(const std::string& text) {
  int64_t count = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || stop + 1 != end || count < 0 || count > 100000) return std::nullopt;
  switch (*stop) {
    case 's': return std::chrono::seconds(count);
    case 'm': return std::chrono::minutes(count);
    case 'h': return std::chrono::hours(count);
    case 'd': return std::chrono::hours(24 * count);
    default: return std::nullopt;
  }
}

// ".123" as nanoseconds; `*text` moves behind it.
nanoseconds TakeFraction(const char** text) {
  int64_t value = 0;
  if (**text != '.') return nanoseconds(0);
  int64_t unit = 100000000;
  for (++*text; **text >= '0' && **text <= '9'; ++*text, unit /= 10) value += (**text - '0') * unit;
  return nanoseconds(value);
}

}  // namespace

Result<Time> ParseTime(const std::string& text, Time now) {
  if (auto age = ParseAge(text)) return now - *age;
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%d", &parts);
  nanoseconds fraction{0};
  if (rest != nullptr && *rest != '\0') {
    rest = *rest == 'T' || *rest == ' ' ? strptime(rest + 1, "%H:%M:%S", &parts) : nullptr;
    if (rest != nullptr) fraction = TakeFraction(&rest);
    if (rest != nullptr && *rest == 'Z') ++rest;
  }
  // Outside these years nanoseconds since 1970 do not fit.
  if (rest == nullptr || *rest != '\0' || parts.tm_year < 0 || parts.tm_year > 300) {
    return Status::Config(
        "'" + text +
        "' is no time; write it as 2024-05-06, 2024-05-06T07:08:09Z (UTC), or as an age: 90s, 15m, 2h, 7d");
  }
  return Time(std::chrono::seconds(timegm(&parts)) + fraction);
}

Command ParseCommandLine(std::vector<std::string> arguments, Time now, const Environment& environment) {
  ExpandServiceName(&arguments);
  ServeOptions serve;
  RecoverOptions recover;
  InspectOptions inspect;
  ReplayArguments replay;
  CollectOptions collect;
  CollectTexts collect_texts;
  CompactArguments compact;

  CLI::App app(kProgramDescription, "otlp-arrow");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kProgramFooter);
  app.set_version_flag("--version", kVersionText, "print the version");
  bool wants_manual = false;
  app.add_flag("--help-man", wants_manual, "print the manual page, for man(1)");
  app.require_subcommand(0, 1);
  AddServe(&app, &serve);
  AddRecover(&app, &recover);
  AddInspect(&app, &inspect);
  replay.AddTo(&app);
  AddCollect(&app, &collect, &collect_texts);
  AddCompact(&app, &compact);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);  // as CLI11 wants them
    app.parse(std::move(reversed));
    if (app.got_subcommand("replay")) return replay.Finish(now);
    if (app.got_subcommand("collect")) FinishCollect(collect_texts, environment, &collect);
  } catch (const CLI::ParseError& error) {
    return Explain(app, error);
  }
  if (wants_manual) return PrintOptions{ManPage(app), kExitOk};
  if (app.got_subcommand("serve")) return serve;
  if (app.got_subcommand("recover")) return recover;
  if (app.got_subcommand("inspect")) return inspect;
  if (app.got_subcommand("collect")) return collect;
  if (app.got_subcommand("compact")) return compact;
  return PrintOptions{app.help(), kExitUsage};
}

}  // namespace otlp_arrow
