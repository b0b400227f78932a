#include "library/config_keys.h"

#include <cctype>
#include <utility>

#include "schema/schemas.h"

namespace otlp_arrow {
namespace {

using Texts = std::vector<std::string>;
using Keys = KeyMaker<Config>;
constexpr Reloading kNow = Reloading::kNow, kRestart = Reloading::kRestart;

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
                       "the directory that receives everything; made if it is missing"), kRestart});
  keys->push_back({Keys::Choice("format", FIELD(format), {{"arrow", FileFormat::kArrow}, {"parquet", FileFormat::kParquet}}, "the format of data files"), kRestart});
  keys->push_back({Keys::Choice("compression", FIELD(compression),
                         {{"none", Compression::kNone}, {"lz4", Compression::kLz4}, {"zstd", Compression::kZstd}},
                         "how the buffers inside data files are compressed"), kRestart});
  keys->push_back({
      Keys::Choice("acknowledge", FIELD(acknowledge),
             {{"memory", Acknowledge::kMemory}, {"journal", Acknowledge::kJournal}, {"fsync", Acknowledge::kFsync}},
             "what has happened when a sender gets its OK: in memory, in the journal (survives the death of the "
             "process), or on the "
             "device (survives power loss)"), kRestart});
  keys->push_back({Keys::Number("write_interval_secs", FIELD(write_interval_secs), limits::kWriteIntervalSecs,
                         "a row is in a readable file at most this long after its arrival"), kRestart});
  keys->push_back({Keys::Number("max_file_bytes", FIELD(max_file_bytes), limits::kMaxFileBytes,
                         "OTLP data in one file; reaching it writes the file at once"), kRestart});
  keys->push_back({PromoteAttributes(), kRestart});
  keys->push_back({Keys::Number("parquet.row_group_rows", FIELD(parquet.row_group_rows), limits::kRowGroupRows,
                                "rows of a Parquet row group; each has statistics, and a bloom filter of trace ids"), kRestart});
}

void AddCompactionKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("compaction.enabled", FIELD(compaction.enabled), "whether small files are merged into large ones while the service runs"), kNow});
  keys->push_back({Keys::Number("compaction.interval_secs", FIELD(compaction.interval_secs), limits::kCompactionIntervalSecs, "how often there is a look for work"), kNow});
  keys->push_back({Keys::Number("compaction.min_age_secs", FIELD(compaction.min_age_secs), limits::kCompactionMinAgeSecs, "younger files are left alone"), kNow});
  keys->push_back({Keys::Number("compaction.min_files", FIELD(compaction.min_files), limits::kCompactionMinFiles, "how many small files make it worthwhile"), kNow});
  keys->push_back({Keys::Number("compaction.target_file_bytes", FIELD(compaction.target_file_bytes), limits::kCompactionFileBytes, "files are merged up to this size"), kNow});
  keys->push_back({Keys::Number("compaction.window_secs", FIELD(compaction.window_secs), limits::kCompactionWindowSecs,
                                "a merged file holds arrivals of one such window, which is as exact as retention is then"), kNow});
  keys->push_back({Keys::Choice("compaction.format", FIELD(compaction.format),
                                {{"same", std::nullopt}, {"arrow", FileFormat::kArrow}, {"parquet", FileFormat::kParquet}},
                                "the format of merged files; same is that of `format`"), kNow});
  keys->push_back({Keys::Choice("compaction.partition", FIELD(compaction.partition),
                                {{"none", Partitioning::kNone}, {"date", Partitioning::kDate}, {"hour", Partitioning::kHour}},
                                "Hive partitions of merged files: date=2026-01-31, with hour also hour=23 below it"), kNow});
}

void AddRetentionKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Number("trace_cleanup_interval_secs", FIELD(trace_cleanup_interval_secs),
                         limits::kCleanupIntervalSecs,
                         "trace files older than this are deleted; 0 keeps them for ever"), kNow});
  keys->push_back({Keys::Number("metric_cleanup_interval_secs", FIELD(metric_cleanup_interval_secs),
                         limits::kCleanupIntervalSecs,
                         "metric files older than this are deleted; 0 keeps them for ever"), kNow});
  keys->push_back({Keys::Number("log_cleanup_interval_secs", FIELD(log_cleanup_interval_secs), limits::kCleanupIntervalSecs,
                         "log files older than this are deleted; 0 keeps them for ever"), kNow});
  keys->push_back({Keys::Number("max_total_bytes", FIELD(max_total_bytes), limits::kMaxTotalBytes,
                         "of all data files together; the oldest are deleted first; 0 sets no limit"), kNow});
}

void AddForwardKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("store", FIELD(store), "whether files are written; false makes a relay, which only forwards"), kRestart});
  keys->push_back({Keys::Number("forward_backlog_max_bytes", FIELD(forward_backlog_max_bytes), limits::kForwardBacklogMaxBytes,
                                "what may wait on disk for destinations; beyond it the oldest is given up, or a relay refuses new data"), kRestart});
}

void AddProcessKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({
      Keys::Number("memory_budget", FIELD(memory_budget), limits::kMemoryBudget,
             "accepted data not yet turned into Arrow; beyond it senders wait, then are told to try again"), kNow});
  keys->push_back({Keys::Number("admission_timeout_ms", FIELD(admission_timeout_ms), limits::kAdmissionTimeoutMs,
                         "how long a request may wait for room in the memory budget"), kNow});
  keys->push_back({Keys::Number("journal_max_bytes", FIELD(journal_max_bytes), limits::kJournalMaxBytes,
                         "of the journal; beyond it senders are told to try again until files are written"), kRestart});
  keys->push_back({Keys::Number("workers", FIELD(workers), limits::kWorkers,
                         "threads that turn OTLP into files; 0 takes as many as there are cores"), kRestart});
  keys->push_back({
      Keys::Number("shutdown_timeout_secs", FIELD(shutdown_timeout_secs), limits::kShutdownTimeoutSecs,
             "how long an orderly end may take; what is left then stays in the journal for the next start"), kNow});
  keys->push_back({Keys::Switch("self_telemetry", FIELD(self_telemetry),
                                "whether the service records metrics of its own, as those of the service otlp-arrow"), kNow});
  keys->push_back({Keys::Text("log_level", FIELD(log_level), limits::CheckLogLevel, "trace, debug, info, warn, error, off",
                       "the least severe message that goes to standard error"), kNow});
  keys->push_back({Keys::Text("log_format", FIELD(log_format), limits::CheckLogFormat, "text, json", "lines for people, or a JSON object a line"), kNow});
  keys->push_back({Keys::Number("limits.max_attributes", FIELD(limits.max_attributes), limits::kMaxAttributes,
                                "attributes of one span, event, record, resource, and so on; items with more are left out and reported"), kNow});
  keys->push_back({Keys::Number("limits.max_value_depth", FIELD(limits.max_value_depth), limits::kMaxValueDepth,
                                "arrays and maps inside each other; items with deeper values are left out and reported"), kNow});
}

// `find` gives the ServerTlsConfig of a configuration.
template <class Find>
void AddTlsKeys(const std::string& section, const std::string& whose, Find find, std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Text(section + "cert_file", [find](auto& c) -> auto& { return find(c).cert_file; }, nullptr, "a PEM file",
                              "the certificate " + whose + " and its chain; with " + section + "key_file TLS alone is spoken"), kNow});
  keys->push_back({Keys::Text(section + "key_file", [find](auto& c) -> auto& { return find(c).key_file; }, nullptr, "a PEM file",
                              "the certificate's private key"), kNow});
  keys->push_back({Keys::Text(section + "client_ca_file", [find](auto& c) -> auto& { return find(c).client_ca_file; }, nullptr, "a PEM file",
                              "clients must show a certificate that one of these authorities signed (mutual TLS)"), kNow});
}

void AddSecurityKeys(std::vector<ConfigKey>* keys) {
  AddTlsKeys("tls.", "of every server that has none of its own", FIELD(tls), keys);
  keys->push_back({Keys::SecretList("auth.bearer_tokens", FIELD(auth.bearer_tokens), "the tokens of which clients must send one; none lets anyone call"), kNow});
  keys->push_back({Keys::SecretPairs("auth.headers", FIELD(auth.headers), "headers and the values that clients may send instead of a token, all of them"), kNow});
}

void AddGrpcKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("grpc.enabled", FIELD(grpc.enabled), "whether OTLP/gRPC is served"), kRestart});
  keys->push_back({Keys::Text("grpc.address", FIELD(grpc.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                       "where OTLP/gRPC is served"), kRestart});
  AddTlsKeys("grpc.tls.", "of OTLP/gRPC", FIELD(grpc.tls), keys);
  keys->push_back({Keys::Number("grpc.max_message_bytes", FIELD(grpc.max_message_bytes), limits::kRequestBytes,
                         "the largest request that is taken, after decompression"), kRestart});
  keys->push_back({Keys::Number("grpc.max_receive_bytes", FIELD(grpc.max_receive_bytes), limits::kReceiveBytes,
                                "what requests that are coming in may take together; beyond it clients are slowed down"), kRestart});
  keys->push_back({Keys::Number("grpc.max_metadata_bytes", FIELD(grpc.max_metadata_bytes), limits::kHeaderBytes, "the headers of one call"), kRestart});
  keys->push_back({Keys::Number("grpc.max_streams_per_connection", FIELD(grpc.max_streams_per_connection), limits::kMaxStreams,
                                "calls at a time on one connection"), kRestart});
  keys->push_back({Keys::Number("grpc.keepalive_time_secs", FIELD(grpc.keepalive_time_secs), limits::kKeepaliveSecs,
                                "a silent connection is asked for a sign of life after this"), kRestart});
  keys->push_back({Keys::Number("grpc.keepalive_timeout_secs", FIELD(grpc.keepalive_timeout_secs), limits::kKeepaliveSecs,
                                "and closed where none comes for so long"), kRestart});
  keys->push_back({Keys::Number("grpc.min_ping_interval_secs", FIELD(grpc.min_ping_interval_secs), limits::kKeepaliveSecs,
                                "clients that ping more often are sent away"), kRestart});
  keys->push_back({Keys::Number("grpc.max_connection_idle_secs", FIELD(grpc.max_connection_idle_secs), limits::kConnectionSecs,
                                "a connection without a call is closed after this; 0 never does"), kRestart});
  keys->push_back({Keys::Number("grpc.max_connection_age_secs", FIELD(grpc.max_connection_age_secs), limits::kConnectionSecs,
                                "clients are asked to connect anew after this, which spreads them over servers; 0 never does"), kRestart});
  keys->push_back({Keys::Number("grpc.max_connection_age_grace_secs", FIELD(grpc.max_connection_age_grace_secs), limits::kConnectionSecs,
                                "how long calls under way may then take"), kRestart});
  keys->push_back({Keys::Switch("grpc.reflection", FIELD(grpc.reflection), "whether grpcurl and the like may ask which services there are"), kRestart});
}

void AddHttpKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("http.enabled", FIELD(http.enabled), "whether OTLP/HTTP is served"), kRestart});
  keys->push_back({Keys::Text("http.address", FIELD(http.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                       "where OTLP/HTTP is served"), kRestart});
  AddTlsKeys("http.tls.", "of OTLP/HTTP", FIELD(http.tls), keys);
  keys->push_back({Keys::Number("http.max_body_bytes", FIELD(http.max_body_bytes), limits::kRequestBytes,
                         "the largest body that is taken, before and after decompression"), kNow});
  keys->push_back({Keys::Number("http.max_receive_bytes", FIELD(http.max_receive_bytes), limits::kReceiveBytes,
                                "what bodies that are coming in may take together; beyond it requests get 503"), kNow});
  keys->push_back({Keys::Number("http.max_header_bytes", FIELD(http.max_header_bytes), limits::kHeaderBytes, "the request line and the headers of a request"), kNow});
  keys->push_back({Keys::Number("http.max_connections", FIELD(http.max_connections), limits::kMaxConnections,
                         "connections at a time; more are refused with 503"), kNow});
  keys->push_back({Keys::Number("http.max_connections_per_client", FIELD(http.max_connections_per_client), limits::kOptionalConnections,
                                "connections at a time of one IP address; more are refused with 503; 0 sets no limit"), kNow});
  keys->push_back({Keys::Number("http.idle_timeout_secs", FIELD(http.idle_timeout_secs), limits::kIdleTimeoutSecs,
                         "a connection without a request is closed after this"), kNow});
  keys->push_back({Keys::Number("http.header_timeout_secs", FIELD(http.header_timeout_secs), limits::kRequestTimeoutSecs,
                                "the headers of a request, and a TLS handshake, must be complete after this"), kNow});
  keys->push_back({Keys::Number("http.request_timeout_secs", FIELD(http.request_timeout_secs), limits::kRequestTimeoutSecs,
                         "a request must have arrived whole after this"), kNow});
  keys->push_back({Keys::List("http.cors_allowed_origins", FIELD(http.cors_allowed_origins), limits::CheckOrigin, "origins, such as https://app.example, or *",
                              "the web pages that may send from a browser; none by default"), kNow});
  keys->push_back({Keys::List("http.cors_allowed_headers", FIELD(http.cors_allowed_headers), limits::CheckHeaderName, "names of headers",
                              "what such pages may send besides Content-Type, Content-Encoding and Authorization"), kNow});
  keys->push_back({Keys::Number("http.cors_max_age_secs", FIELD(http.cors_max_age_secs), limits::kCorsMaxAgeSecs, "how long a browser may remember what is allowed"), kNow});
  keys->push_back({Keys::Switch("http.metrics_without_auth", FIELD(http.metrics_without_auth), "whether /metrics asks for no credentials although `auth` is set"), kNow});
}

void AddFlightKeys(std::vector<ConfigKey>* keys) {
  keys->push_back({Keys::Switch("flight.enabled", FIELD(flight.enabled), "whether Arrow Flight is served"), kRestart});
  keys->push_back({Keys::Text("flight.address", FIELD(flight.address), limits::CheckAddress, "host:port; port 0 takes a free one",
                              "where Arrow Flight is served"), kRestart});
  AddTlsKeys("flight.tls.", "of Flight", FIELD(flight.tls), keys);
  keys->push_back({Keys::Secret("flight.bearer_token", FIELD(flight.bearer_token), "a token that clients of Flight may send besides those of `auth`"), kNow});
  keys->push_back({Keys::Number("flight.max_batch_bytes", FIELD(flight.max_batch_bytes), limits::kRequestBytes,
                                "the largest record batch that a client may put"), kRestart});
  keys->push_back({Keys::Number("flight.max_streams", FIELD(flight.max_streams), limits::kMaxStreams,
                                "reading and writing streams at a time; more are refused as unavailable"), kRestart});
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
    AddCompactionKeys(&all);
    AddRetentionKeys(&all);
    AddForwardKeys(&all);
    AddProcessKeys(&all);
    AddSecurityKeys(&all);
    AddGrpcKeys(&all);
    AddHttpKeys(&all);
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
