#include "library/config_keys.h"

#include <cctype>
#include <utility>

#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

using Texts = std::vector<std::string>;
using Keys = KeyMaker<Config>;

std::string DashedName(std::string name) {
  for (char& c : name) c = c == '.' || c == '_' ? '-' : c;
  return name;
}

ConfigKey PromoteAttributes() {
  SettingKey<Config> key{"promote_attributes",
                         KeyKind::kList,
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
  return {std::move(key)};
}

#define FIELD(member) [](auto& c) -> auto& { return c.member; }

void AddStoreKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Text("output_dir", FIELD(output_dir), limits::CheckPath, "a directory",
                       "the directory that receives everything; made if it is missing")});
  keys->push_back({Keys::Choice("format", FIELD(format), {{"arrow", FileFormat::kArrow}}, "the format of data files")});
  keys->push_back({Keys::Choice("compression", FIELD(compression),
                         {{"none", Compression::kNone}, {"lz4", Compression::kLz4}, {"zstd", Compression::kZstd}},
                         "how the buffers inside data files are compressed")});
  keys->push_back({
      Keys::Choice("acknowledge", FIELD(acknowledge),
             {{"memory", Acknowledge::kMemory}, {"journal", Acknowledge::kJournal}, {"fsync", Acknowledge::kFsync}},
             "what has happened when a sender gets its OK: in memory, in the journal (survives the death of the "
             "process), or on the "
             "device (survives power loss)")});
  keys->push_back({Keys::Number("write_interval_secs", FIELD(write_interval_secs), limits::kWriteIntervalSecs,
                         "a row is in a readable file at most this long after its arrival")});
  keys->push_back({Keys::Number("max_file_bytes", FIELD(max_file_bytes), limits::kMaxFileBytes,
                         "OTLP data in one file; reaching it writes the file at once")});
  keys->push_back({PromoteAttributes()});
}

void AddRetentionKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Number("trace_cleanup_interval_secs", FIELD(trace_cleanup_interval_secs),
                         limits::kCleanupIntervalSecs,
                         "trace files older than this are deleted; 0 keeps them for ever")});
  keys->push_back({Keys::Number("metric_cleanup_interval_secs", FIELD(metric_cleanup_interval_secs),
                         limits::kCleanupIntervalSecs,
                         "metric files older than this are deleted; 0 keeps them for ever")});
  keys->push_back({Keys::Number("log_cleanup_interval_secs", FIELD(log_cleanup_interval_secs), limits::kCleanupIntervalSecs,
                         "log files older than this are deleted; 0 keeps them for ever")});
  keys->push_back({Keys::Number("max_total_bytes", FIELD(max_total_bytes), limits::kMaxTotalBytes,
                         "of all data files together; the oldest are deleted first; 0 sets no limit")});
}

void AddForwardKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("store", FIELD(store), "whether files are written; false makes a relay, which only forwards")});
  keys->push_back({Keys::Number("forward_backlog_max_bytes", FIELD(forward_backlog_max_bytes), limits::kForwardBacklogMaxBytes,
                                "what may wait on disk for destinations; beyond it the oldest is given up, or a relay refuses new data")});
}

void AddProcessKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({
      Keys::Number("memory_budget", FIELD(memory_budget), limits::kMemoryBudget,
             "accepted data not yet turned into Arrow; beyond it senders wait, then are told to try again")});
  keys->push_back({Keys::Number("admission_timeout_ms", FIELD(admission_timeout_ms), limits::kAdmissionTimeoutMs,
                         "how long a request may wait for room in the memory budget")});
  keys->push_back({Keys::Number("journal_max_bytes", FIELD(journal_max_bytes), limits::kJournalMaxBytes,
                         "of the journal; beyond it senders are told to try again until files are written")});
  keys->push_back({Keys::Number("workers", FIELD(workers), limits::kWorkers,
                         "threads that turn OTLP into files; 0 takes as many as there are cores")});
  keys->push_back({
      Keys::Number("shutdown_timeout_secs", FIELD(shutdown_timeout_secs), limits::kShutdownTimeoutSecs,
             "how long an orderly end may take; what is left then stays in the journal for the next start")});
  keys->push_back({Keys::Switch("self_telemetry", FIELD(self_telemetry),
                                "whether the service records metrics of its own, as those of the service otlp-arrow")});
  keys->push_back({Keys::Text("log_level", FIELD(log_level), limits::CheckLogLevel, "trace, debug, info, warn, error, off",
                       "the least severe message that goes to standard error")});
}

void AddServerKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("grpc.enabled", FIELD(grpc.enabled), "whether OTLP/gRPC is served")});
  keys->push_back({Keys::Text("grpc.address", FIELD(grpc.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                       "where OTLP/gRPC is served")});
  keys->push_back({Keys::Number("grpc.max_message_bytes", FIELD(grpc.max_message_bytes), limits::kRequestBytes,
                         "the largest request that is taken, after decompression")});
  keys->push_back({Keys::Switch("http.enabled", FIELD(http.enabled), "whether OTLP/HTTP is served")});
  keys->push_back({Keys::Text("http.address", FIELD(http.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                       "where OTLP/HTTP is served")});
  keys->push_back({Keys::Number("http.max_body_bytes", FIELD(http.max_body_bytes), limits::kRequestBytes,
                         "the largest body that is taken, before and after decompression")});
  keys->push_back({Keys::Number("http.max_connections", FIELD(http.max_connections), limits::kMaxConnections,
                         "connections at a time; more are refused with 503")});
  keys->push_back({Keys::Number("http.idle_timeout_secs", FIELD(http.idle_timeout_secs), limits::kIdleTimeoutSecs,
                         "a connection without a request is closed after this")});
  keys->push_back({Keys::Number("http.request_timeout_secs", FIELD(http.request_timeout_secs), limits::kRequestTimeoutSecs,
                         "a request must have arrived whole after this")});
}

void AddFlightKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("flight.enabled", FIELD(flight.enabled), "whether Arrow Flight is served")});
  keys->push_back({Keys::Text("flight.address", FIELD(flight.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                              "where Arrow Flight is served")});
  keys->push_back({Keys::Text("flight.tls.cert_file", FIELD(flight.tls.cert_file), nullptr, "a PEM file",
                              "the server's certificate and its chain; with flight.tls.key_file Flight is served over TLS alone")});
  keys->push_back({Keys::Text("flight.tls.key_file", FIELD(flight.tls.key_file), nullptr, "a PEM file", "the certificate's private key")});
  keys->push_back({Keys::Text("flight.tls.client_ca_file", FIELD(flight.tls.client_ca_file), nullptr, "a PEM file",
                              "clients must show a certificate that one of these authorities signed (mutual TLS)")});
  keys->push_back({Keys::Secret("flight.bearer_token", FIELD(flight.bearer_token), "the token that clients must send; empty lets anyone call")});
  keys->push_back({Keys::Number("flight.max_batch_bytes", FIELD(flight.max_batch_bytes), limits::kRequestBytes,
                                "the largest record batch that a client may put")});
  keys->push_back({Keys::Number("flight.max_streams", FIELD(flight.max_streams), limits::kMaxStreams,
                                "reading and writing streams at a time; more are refused as unavailable")});
}

#undef FIELD

}  // namespace

std::string EnvironmentNameOf(std::string_view name) {
  std::string result = "OTLP_";
  for (char c : name) result += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::string ConfigKey::FlagName() const { return "--" + DashedName(name); }

std::string ConfigKey::NoFlagName() const {
  const std::string_view section = ".enabled";
  return "--no-" + DashedName(name.ends_with(section) ? name.substr(0, name.size() - section.size()) : name);
}

const std::vector<ConfigKey>& ConfigKeys() {
  static const std::vector<ConfigKey> keys = [] {
    std::vector<ConfigKey> all;
    AddStoreKeys(&all);
    AddRetentionKeys(&all);
    AddForwardKeys(&all);
    AddProcessKeys(&all);
    AddServerKeys(&all);
    AddFlightKeys(&all);
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

// An empty variable counts as unset, as in the OpenTelemetry specification.
std::optional<std::vector<std::string>> TextsFromEnvironment(const ConfigKey& key, std::string_view value) {
  if (value.empty()) return std::nullopt;
  return TextsOf(key, value);
}

Status WithPrefix(const std::string& prefix, const Status& status) {
  return status.ok() ? status : Status(status.code(), prefix + ": " + status.message(), status.retryable());
}

}  // namespace otlp_arrow
