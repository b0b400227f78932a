#include "service/command_line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>
#include <sstream>

#include <CLI/CLI.hpp>

#include "library/config_keys.h"
#include "service/help_formatter.h"
#include "service/help_text.h"

namespace otlp_arrow {
namespace {

using Time = ReplayOptions::Time;
using std::chrono::nanoseconds;

using Settings = std::vector<std::pair<std::string, std::vector<std::string>>>;

constexpr const char* kVersionText = "otlp-arrow " OTLP_ARROW_VERSION;

// A mistake in the arguments, for CLI11 to report.
[[noreturn]] void Reject(const Status& status) { throw CLI::ValidationError(status.message()); }

std::string SettingHelp(const ConfigKey& key) {
  std::string value;
  for (const auto& t : key.get(Config())) value += (value.empty() ? "" : ",") + t;
  if (key.kind == ConfigKey::Kind::kList) {
    value = std::to_string(key.get(Config()).size()) + " semantic-convention attributes";
  }
  return key.help + " [" + value + "; allowed: " + key.allowed + "]";
}

std::string ValueName(const ConfigKey& key) {
  switch (key.kind) {
    case ConfigKey::Kind::kSwitch: return "true|false";
    case ConfigKey::Kind::kNumber: return "N";
    case ConfigKey::Kind::kList: return "KEY[:TYPE],...";
    case ConfigKey::Kind::kText: return "TEXT";
  }
  return "TEXT";
}

// The part of a configuration key's flag that serve and collect share.
CLI::Option* AddSetting(CLI::App* command, const ConfigKey& key, Settings* settings, const std::string& group) {
  return command
      ->add_option_function<std::string>(
          key.FlagName(),
          [settings, &key](const std::string& text) {
            const bool list = key.kind == ConfigKey::Kind::kList;
            settings->emplace_back(key.name, list ? SplitList(text) : std::vector<std::string>{text});
          },
          SettingHelp(key))
      ->type_name(ValueName(key))
      ->group(group)
      ->take_last();
}

// One flag for each key of the configuration, and --no-grpc beside --grpc-enabled.
void AddSettings(CLI::App* serve, ServeOptions* options) {
  for (const ConfigKey& key : ConfigKeys()) {
    const size_t dot = key.name.find('.');
    const std::string section = key.name.substr(0, dot);
    const std::string group = dot == std::string::npos ? "Settings" : section == "grpc" ? "OTLP/gRPC" : "OTLP/HTTP";
    AddSetting(serve, key, &options->settings, group);
    if (key.kind == ConfigKey::Kind::kSwitch) {
      serve
          ->add_flag_function(
              "--no-" + section,
              [options, &key](int64_t) { options->settings.emplace_back(key.name, std::vector<std::string>{"false"}); },
              "the same as " + key.FlagName() + " false")
          ->group(group)
          ->excludes(key.FlagName());
    }
  }
}

void AddServe(CLI::App* app, ServeOptions* options) {
  CLI::App* serve = app->add_subcommand("serve", "receive OTLP over gRPC and HTTP and write it to files");
  serve->footer(kServeFooter);
  serve
      ->add_option("--config", options->config_file,
                   "a YAML file with settings [or the one that OTLP_ARROW_CONFIG names]")
      ->type_name("FILE");
  serve->add_flag("--check-config", options->check_config, "print the settings in force, as YAML, and end");
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
  inspect->add_option("path", options->path, "an output directory, a directory of .arrow files, one file, or an OTLP-MMAP file")
      ->type_name("PATH")
      ->required();
  inspect->add_option("--records", options->records, "of an OTLP-MMAP file: this many of the last records of each ring [10]")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000).description(""));
  inspect->add_flag("--json", options->json, "for programs: one JSON object");
  inspect->add_flag("--schema", options->schema, "the columns and their types, too");
}

// The replay options that need a look before they fit the struct.
struct ReplayTexts {
  std::string endpoint;
  std::string protocol;
  std::vector<std::string> signals;
  std::vector<std::string> headers;
  std::string since;
  std::string until;
  double timeout_secs = 10;
  double retry_secs = 300;
};

void AddReplay(CLI::App* app, ReplayOptions* options, ReplayTexts* texts) {
  CLI::App* replay = app->add_subcommand("replay", "send what is in files to an OTLP backend");
  replay->footer(kReplayFooter);
  replay->add_option("path", options->path, "an output directory, a directory of .arrow files, or one file")
      ->type_name("PATH")
      ->required();
  replay->add_option("--endpoint", texts->endpoint, "where to, such as http://127.0.0.1:4317; https means TLS")
      ->type_name("URL")
      ->required();
  replay
      ->add_option("--protocol", texts->protocol,
                   "grpc or http [http for port 4318 and for URLs with a path, else grpc]")
      ->type_name("NAME")
      ->check(CLI::IsMember({"grpc", "http"}).description(""));
  replay->add_option("--signal", texts->signals, "only these: traces, metrics, logs; may be repeated [all]")
      ->type_name("NAME")
      ->delimiter(',')
      ->check(CLI::IsMember({"traces", "metrics", "logs"}).description(""));
  replay->add_option("--since", texts->since, "only items from this time on: 2024-05-06T07:08:09Z, or 15m, 2h, 7d ago")
      ->type_name("TIME");
  replay->add_option("--until", texts->until, "only items before this time")->type_name("TIME");
  replay
      ->add_option("--rate", options->items_per_second, "at most this many items a second [as fast as they are taken]")
      ->type_name("N")
      ->check(CLI::Range(0.001, 1e9).description(""));
  replay->add_option("--batch", options->batch, "items in one request [1000; allowed: 1 to 100000]")
      ->type_name("N")
      ->check(CLI::Range(1, 100000).description(""));
  replay->add_flag("--gzip", options->sender.gzip, "compress the requests");
  replay->add_option("--header", texts->headers, "a header for each request, such as api-key=secret; may be repeated")
      ->type_name("NAME=VALUE");
  replay
      ->add_option("--ca-file", options->sender.ca_file,
                   "trust the certificates in this PEM file instead of the system's")
      ->type_name("FILE");
  replay->add_option("--timeout", texts->timeout_secs, "seconds to wait for the answer to a request [10]")
      ->type_name("N")
      ->check(CLI::Range(0.001, 3600.0).description(""));
  replay
      ->add_option("--retry-for", texts->retry_secs,
                   "seconds to try a request again while the peer is away or busy [300]")
      ->type_name("N")
      ->check(CLI::Range(0.0, 1e6).description(""));
  replay->add_flag("--dry-run", options->dry_run, "read and count, send nothing");
  replay->add_flag("--quiet", options->quiet, "no progress, only problems and the result");
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

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

template <class T>
T OrReject(const std::string& flag, Result<T> result) {
  if (!result.ok()) throw CLI::ValidationError(flag, result.status().message());
  return *std::move(result);
}

void AddHeaders(const std::vector<std::string>& headers, SenderOptions* sender) {
  for (const auto& header : headers) {
    const size_t equals = header.find('=');
    if (equals == std::string::npos || equals == 0) {
      Reject(Status::Config("--header: '" + header + "' is not of the form name=value"));
    }
    sender->headers.emplace_back(header.substr(0, equals), header.substr(equals + 1));
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
  options->sender->gzip = texts.gzip;
  options->sender->ca_file = texts.ca_file;
  AddHeaders(texts.headers, &*options->sender);
}

void FinishReplay(const ReplayTexts& texts, Time now, ReplayOptions* options) {
  const auto protocol = ProtocolFromName(texts.protocol);
  options->sender.endpoint = OrReject("--endpoint", ParseEndpoint(texts.endpoint, protocol));
  for (const auto& name : texts.signals) options->signals.push_back(*SignalFromName(name));
  AddHeaders(texts.headers, &options->sender);
  if (!texts.since.empty()) options->since = OrReject("--since", ParseTime(texts.since, now));
  if (!texts.until.empty()) options->until = OrReject("--until", ParseTime(texts.until, now));
  if (options->since && options->until && *options->since >= *options->until) {
    Reject(Status::Config("--since must be before --until; nothing lies between"));
  }
  options->timeout = Milliseconds(texts.timeout_secs);
  options->retry_for = Milliseconds(texts.retry_secs);
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
  ReplayOptions replay;
  ReplayTexts replay_texts;
  CollectOptions collect;
  CollectTexts collect_texts;

  CLI::App app(kProgramDescription, "otlp-arrow");
  app.formatter(std::make_shared<HelpFormatter>());
  app.footer(kProgramFooter);
  app.set_version_flag("--version", kVersionText, "print the version");
  app.require_subcommand(0, 1);
  AddServe(&app, &serve);
  AddRecover(&app, &recover);
  AddInspect(&app, &inspect);
  AddReplay(&app, &replay, &replay_texts);
  AddCollect(&app, &collect, &collect_texts);
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend() - 1);  // as CLI11 wants them
    app.parse(std::move(reversed));
    if (app.got_subcommand("replay")) FinishReplay(replay_texts, now, &replay);
    if (app.got_subcommand("collect")) FinishCollect(collect_texts, environment, &collect);
  } catch (const CLI::ParseError& error) {
    return Explain(app, error);
  }
  if (app.got_subcommand("serve")) return serve;
  if (app.got_subcommand("recover")) return recover;
  if (app.got_subcommand("inspect")) return inspect;
  if (app.got_subcommand("replay")) return replay;
  if (app.got_subcommand("collect")) return collect;
  return PrintOptions{app.help(), kExitUsage};
}

}  // namespace otlp_arrow
