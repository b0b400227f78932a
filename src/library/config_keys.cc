#include "library/config_keys.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>

#include "base/byte_size.h"
#include "base/config_limits.h"
#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

using Texts = std::vector<std::string>;
using limits::Range;

Status Refuse(const std::string& key, const std::string& value, const std::string& what, const std::string& allowed) {
  return Status::Config(key + ": '" + value + "' " + what + "; allowed are " + allowed);
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool AllDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

// A field is a function that finds it in a Config; const access goes through a copy-free cast in one place.
template <class Find>
auto& Read(const Find& find, const Config& config) {
  return find(const_cast<Config&>(config));
}

template <class Find>
ConfigKey Number(std::string name, Find find, Range range, std::string help) {
  ConfigKey key{name, ConfigKey::Kind::kNumber, std::move(help), limits::RangeText(range), {}, {}};
  key.set = [name, find, range, allowed = key.allowed](Config* config, const Texts& texts) {
    const std::string& text = texts.at(0);
    uint64_t value = 0;
    if (range.unit == limits::Unit::kBytes) {
      auto bytes = ParseByteSize(text);
      if (!bytes) return Refuse(name, text, "is not " + std::string(kByteSizeForm), allowed);
      value = *bytes;
    } else {
      const bool negative = text.starts_with('-');
      if (!AllDigits(std::string_view(text).substr(negative ? 1 : 0))) {
        return Refuse(name, text, "is not a whole number", allowed);
      }
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (negative || error != std::errc()) return Refuse(name, text, "is out of range", allowed);
    }
    OTLP_RETURN_NOT_OK(limits::CheckRange(name, value, range));
    auto& field = find(*config);
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
    return Status::Ok();
  };
  key.get = [find, range](const Config& config) -> Texts {
    const uint64_t value = Read(find, config);
    return {range.unit == limits::Unit::kBytes ? FormatByteSize(value) : std::to_string(value)};
  };
  return key;
}

template <class Find>
ConfigKey Switch(std::string name, Find find, std::string help) {
  ConfigKey key{name, ConfigKey::Kind::kSwitch, std::move(help), "true, false", {}, {}};
  key.set = [name, find](Config* config, const Texts& texts) {
    const std::string text = Lower(texts.at(0));
    const bool on = text == "true" || text == "yes" || text == "on" || text == "1";
    const bool off = text == "false" || text == "no" || text == "off" || text == "0";
    if (!on && !off) return Refuse(name, texts[0], "is neither true nor false", "true, false");
    find(*config) = on;
    return Status::Ok();
  };
  key.get = [find](const Config& config) -> Texts { return {Read(find, config) ? "true" : "false"}; };
  return key;
}

using TextCheck = Status (*)(std::string_view key, const std::string& value);

template <class Find>
ConfigKey Text(std::string name, Find find, TextCheck check, std::string allowed, std::string help) {
  ConfigKey key{name, ConfigKey::Kind::kText, std::move(help), std::move(allowed), {}, {}};
  key.set = [name, find, check](Config* config, const Texts& texts) {
    OTLP_RETURN_NOT_OK(check(name, texts.at(0)));
    find(*config) = texts[0];
    return Status::Ok();
  };
  key.get = [find](const Config& config) -> Texts { return {Read(find, config)}; };
  return key;
}

template <class Find>
using FieldType = std::decay_t<std::invoke_result_t<Find, Config&>>;

template <class Find>
ConfigKey Choice(std::string name, Find find, std::vector<std::pair<std::string, FieldType<Find>>> choices,
                 std::string help) {
  std::string allowed;
  for (const auto& c : choices) allowed += (allowed.empty() ? "" : ", ") + c.first;
  ConfigKey key{name, ConfigKey::Kind::kText, std::move(help), allowed, {}, {}};
  key.set = [name, find, choices, allowed](Config* config, const Texts& texts) {
    for (const auto& [text, value] : choices) {
      if (text != texts.at(0)) continue;
      find(*config) = value;
      return Status::Ok();
    }
    return Refuse(name, texts[0], "is unknown", allowed);
  };
  key.get = [find, choices](const Config& config) -> Texts {
    for (const auto& [text, value] : choices) {
      if (value == Read(find, config)) return {text};
    }
    return {""};
  };
  return key;
}

ConfigKey PromoteAttributes() {
  ConfigKey key{
      "promote_attributes",
      ConfigKey::Kind::kList,
      "attributes that also get a typed column of their own, as key or key:type (string, int64, double, bool)",
      "0 to " + std::to_string(limits::kMaxPromotedAttributes) + " attribute keys",
      {},
      {}};
  key.set = [](Config* config, const Texts& texts) {
    OTLP_RETURN_NOT_OK(ParsePromotedAttributes(texts).status());
    config->promote_attributes = texts;
    return Status::Ok();
  };
  key.get = [](const Config& config) { return config.promote_attributes; };
  return key;
}

#define FIELD(member) [](Config& c) -> auto& { return c.member; }

void AddStoreKeys(std::vector<ConfigKey>* keys) {
  keys->push_back(Text("output_dir", FIELD(output_dir), limits::CheckPath, "a directory",
                       "the directory that receives everything; made if it is missing"));
  keys->push_back(Choice("format", FIELD(format), {{"arrow", FileFormat::kArrow}}, "the format of data files"));
  keys->push_back(Choice("compression", FIELD(compression),
                         {{"none", Compression::kNone}, {"lz4", Compression::kLz4}, {"zstd", Compression::kZstd}},
                         "how the buffers inside data files are compressed"));
  keys->push_back(
      Choice("acknowledge", FIELD(acknowledge),
             {{"memory", Acknowledge::kMemory}, {"journal", Acknowledge::kJournal}, {"fsync", Acknowledge::kFsync}},
             "what has happened when a sender gets its OK: in memory, in the journal (survives the death of the "
             "process), or on the "
             "device (survives power loss)"));
  keys->push_back(Number("write_interval_secs", FIELD(write_interval_secs), limits::kWriteIntervalSecs,
                         "a row is in a readable file at most this long after its arrival"));
  keys->push_back(Number("max_file_bytes", FIELD(max_file_bytes), limits::kMaxFileBytes,
                         "OTLP data in one file; reaching it writes the file at once"));
  keys->push_back(PromoteAttributes());
}

void AddRetentionKeys(std::vector<ConfigKey>* keys) {
  keys->push_back(Number("trace_cleanup_interval_secs", FIELD(trace_cleanup_interval_secs),
                         limits::kCleanupIntervalSecs,
                         "trace files older than this are deleted; 0 keeps them for ever"));
  keys->push_back(Number("metric_cleanup_interval_secs", FIELD(metric_cleanup_interval_secs),
                         limits::kCleanupIntervalSecs,
                         "metric files older than this are deleted; 0 keeps them for ever"));
  keys->push_back(Number("log_cleanup_interval_secs", FIELD(log_cleanup_interval_secs), limits::kCleanupIntervalSecs,
                         "log files older than this are deleted; 0 keeps them for ever"));
  keys->push_back(Number("max_total_bytes", FIELD(max_total_bytes), limits::kMaxTotalBytes,
                         "of all data files together; the oldest are deleted first; 0 sets no limit"));
}

void AddProcessKeys(std::vector<ConfigKey>* keys) {
  keys->push_back(
      Number("memory_budget", FIELD(memory_budget), limits::kMemoryBudget,
             "accepted data not yet turned into Arrow; beyond it senders wait, then are told to try again"));
  keys->push_back(Number("admission_timeout_ms", FIELD(admission_timeout_ms), limits::kAdmissionTimeoutMs,
                         "how long a request may wait for room in the memory budget"));
  keys->push_back(Number("journal_max_bytes", FIELD(journal_max_bytes), limits::kJournalMaxBytes,
                         "of the journal; beyond it senders are told to try again until files are written"));
  keys->push_back(Number("workers", FIELD(workers), limits::kWorkers,
                         "threads that turn OTLP into files; 0 takes as many as there are cores"));
  keys->push_back(
      Number("shutdown_timeout_secs", FIELD(shutdown_timeout_secs), limits::kShutdownTimeoutSecs,
             "how long an orderly end may take; what is left then stays in the journal for the next start"));
  keys->push_back(Text("log_level", FIELD(log_level), limits::CheckLogLevel, "trace, debug, info, warn, error, off",
                       "the least severe message that goes to standard error"));
}

void AddServerKeys(std::vector<ConfigKey>* keys) {
  keys->push_back(Switch("grpc.enabled", FIELD(grpc.enabled), "whether OTLP/gRPC is served"));
  keys->push_back(Text("grpc.address", FIELD(grpc.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                       "where OTLP/gRPC is served"));
  keys->push_back(Number("grpc.max_message_bytes", FIELD(grpc.max_message_bytes), limits::kRequestBytes,
                         "the largest request that is taken, after decompression"));
  keys->push_back(Switch("http.enabled", FIELD(http.enabled), "whether OTLP/HTTP is served"));
  keys->push_back(Text("http.address", FIELD(http.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                       "where OTLP/HTTP is served"));
  keys->push_back(Number("http.max_body_bytes", FIELD(http.max_body_bytes), limits::kRequestBytes,
                         "the largest body that is taken, before and after decompression"));
  keys->push_back(Number("http.max_connections", FIELD(http.max_connections), limits::kMaxConnections,
                         "connections at a time; more are refused with 503"));
  keys->push_back(Number("http.idle_timeout_secs", FIELD(http.idle_timeout_secs), limits::kIdleTimeoutSecs,
                         "a connection without a request is closed after this"));
  keys->push_back(Number("http.request_timeout_secs", FIELD(http.request_timeout_secs), limits::kRequestTimeoutSecs,
                         "a request must have arrived whole after this"));
}

#undef FIELD

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string ConfigKey::EnvironmentName() const {
  std::string result = "OTLP_";
  for (char c : name) result += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string ConfigKey::FlagName() const {
  std::string result = "--";
  for (char c : name) result += c == '.' || c == '_' ? '-' : c;
  return result;
}

const std::vector<ConfigKey>& ConfigKeys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    AddStoreKeys(&all);
    AddRetentionKeys(&all);
    AddProcessKeys(&all);
    AddServerKeys(&all);
    return all;
  }();
  return keys;
}

const ConfigKey* FindConfigKey(std::string_view name) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::string NearestName(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = name.size() / 3 + 2;  // further away is another word
  for (const std::string& c : candidates) {
    const size_t distance = EditDistance(name, c);
    if (distance < best_distance) {
      best_distance = distance;
      best = c;
    }
  }
  return best;
}

// An empty variable counts as unset, as in the OpenTelemetry specification.
std::optional<std::vector<std::string>> TextsFromEnvironment(const ConfigKey& key, std::string_view value) {
  if (value.empty()) return std::nullopt;
  return key.kind == ConfigKey::Kind::kList ? SplitList(value) : std::vector<std::string>{std::string(value)};
}

Status WithPrefix(const std::string& prefix, const Status& status) {
  return status.ok() ? status : Status(status.code(), prefix + ": " + status.message(), status.retryable());
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  if (text.find_first_not_of(" \t") == std::string_view::npos) return parts;
  for (;;) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    const size_t begin = part.find_first_not_of(" \t");
    const size_t end = part.find_last_not_of(" \t");
    parts.emplace_back(begin == std::string_view::npos ? "" : part.substr(begin, end - begin + 1));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace otlp_arrow
