#include "otlp_arrow/config.h"

#include <algorithm>

#include "base/config_limits.h"
#include "base/host_port.h"

namespace otlp_arrow {
namespace {

Status CheckPromoted(const std::vector<std::string>& attributes) {
  if (attributes.size() > limits::kMaxPromotedAttributes) {
    return Status::Config("promote_attributes: " + std::to_string(attributes.size()) +
                          " attributes; allowed are 0 to " + std::to_string(limits::kMaxPromotedAttributes));
  }
  for (const std::string& a : attributes) {
    if (a.empty()) {
      return Status::Config("promote_attributes: an entry is empty; write each as key or key:type, such as http.route");
    }
  }
  return Status::Ok();
}

struct Listener {
  const char* key;
  bool enabled;
  const std::string& address;
};

// Two listeners on one fixed port: the second could not start.
Status CheckDistinctAddresses(const Config& config) {
  const Listener listeners[] = {{"grpc.address", config.grpc.enabled, config.grpc.address},
                                {"http.address", config.http.enabled, config.http.address},
                                {"flight.address", config.flight.enabled, config.flight.address}};
  for (const Listener& later : listeners) {
    for (const Listener* earlier = listeners; earlier != &later; ++earlier) {
      if (!earlier->enabled || !later.enabled || earlier->address != later.address) continue;
      auto address = ParseHostPort(later.address);
      if (!address.ok() || address->port == 0) continue;
      return Status::Config(std::string(later.key) + ": '" + later.address + "' is also " + earlier->key + "; give each server its own port");
    }
  }
  return Status::Ok();
}

Status CheckTls(const std::string& section, const ServerTlsConfig& tls) {
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    return Status::Config(section + (tls.cert_file.empty() ? "cert_file" : "key_file") + ": it is empty; a certificate and its key are given together");
  }
  if (!tls.client_ca_file.empty() && tls.cert_file.empty()) {
    return Status::Config(section + "client_ca_file: '" + tls.client_ca_file + "' means nothing without TLS; give " + section + "cert_file and " +
                          section + "key_file too");
  }
  return Status::Ok();
}

Status CheckAuth(const AuthConfig& auth) {
  using namespace limits;  // NOLINT: constants of one table
  if (auth.bearer_tokens.size() > kMaxAuthEntries || auth.headers.size() > kMaxAuthEntries) {
    return Status::Config("auth: " + std::to_string(auth.bearer_tokens.size()) + " tokens and " + std::to_string(auth.headers.size()) +
                          " headers; allowed are 0 to " + std::to_string(kMaxAuthEntries) + " of each");
  }
  for (const std::string& token : auth.bearer_tokens) {
    if (token.empty()) return Status::Config("auth.bearer_tokens: an entry is empty; give a token, such as ${file:PATH}, or leave the entry out");
    OTLP_RETURN_NOT_OK(CheckSecret("auth.bearer_tokens", token));
  }
  for (const auto& [name, value] : auth.headers) {
    if (value.empty()) return Status::Config("auth.headers." + name + ": the value is empty; give a secret, such as ${env:NAME}");
    OTLP_RETURN_NOT_OK(CheckHeader("auth.headers", name, value));
  }
  return Status::Ok();
}

Status CheckGrpc(const GrpcConfig& grpc) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckAddress("grpc.address", grpc.address));
  OTLP_RETURN_NOT_OK(CheckTls("grpc.tls.", grpc.tls));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_message_bytes", grpc.max_message_bytes, kRequestBytes));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_receive_bytes", grpc.max_receive_bytes, kReceiveBytes));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_metadata_bytes", grpc.max_metadata_bytes, kHeaderBytes));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_streams_per_connection", grpc.max_streams_per_connection, kMaxStreams));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.keepalive_time_secs", grpc.keepalive_time_secs, kKeepaliveSecs));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.keepalive_timeout_secs", grpc.keepalive_timeout_secs, kKeepaliveSecs));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.min_ping_interval_secs", grpc.min_ping_interval_secs, kKeepaliveSecs));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_connection_idle_secs", grpc.max_connection_idle_secs, kConnectionSecs));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_connection_age_secs", grpc.max_connection_age_secs, kConnectionSecs));
  return CheckRange("grpc.max_connection_age_grace_secs", grpc.max_connection_age_grace_secs, kConnectionSecs);
}

Status CheckHttp(const HttpConfig& http) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckAddress("http.address", http.address));
  OTLP_RETURN_NOT_OK(CheckTls("http.tls.", http.tls));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_body_bytes", http.max_body_bytes, kRequestBytes));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_receive_bytes", http.max_receive_bytes, kReceiveBytes));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_header_bytes", http.max_header_bytes, kHeaderBytes));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_connections", http.max_connections, kMaxConnections));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_connections_per_client", http.max_connections_per_client, kOptionalConnections));
  OTLP_RETURN_NOT_OK(CheckRange("http.idle_timeout_secs", http.idle_timeout_secs, kIdleTimeoutSecs));
  OTLP_RETURN_NOT_OK(CheckRange("http.header_timeout_secs", http.header_timeout_secs, kRequestTimeoutSecs));
  OTLP_RETURN_NOT_OK(CheckRange("http.request_timeout_secs", http.request_timeout_secs, kRequestTimeoutSecs));
  for (const std::string& name : http.cors_allowed_headers) OTLP_RETURN_NOT_OK(CheckHeaderName("http.cors_allowed_headers", name));
  for (const std::string& origin : http.cors_allowed_origins) OTLP_RETURN_NOT_OK(CheckOrigin("http.cors_allowed_origins", origin));
  return CheckRange("http.cors_max_age_secs", http.cors_max_age_secs, kCorsMaxAgeSecs);
}

Status CheckFlight(const FlightConfig& flight) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckAddress("flight.address", flight.address));
  OTLP_RETURN_NOT_OK(CheckTls("flight.tls.", flight.tls));
  OTLP_RETURN_NOT_OK(CheckSecret("flight.bearer_token", flight.bearer_token));
  OTLP_RETURN_NOT_OK(CheckRange("flight.max_batch_bytes", flight.max_batch_bytes, kRequestBytes));
  return CheckRange("flight.max_streams", flight.max_streams, kMaxStreams);
}

Status CheckServers(const Config& config) {
  OTLP_RETURN_NOT_OK(CheckTls("tls.", config.tls));
  OTLP_RETURN_NOT_OK(CheckAuth(config.auth));
  OTLP_RETURN_NOT_OK(CheckGrpc(config.grpc));
  OTLP_RETURN_NOT_OK(CheckHttp(config.http));
  return CheckFlight(config.flight);
}

Status CheckFiles(const ParquetConfig& parquet, const CompactionConfig& compaction) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckRange("parquet.row_group_rows", parquet.row_group_rows, kRowGroupRows));
  OTLP_RETURN_NOT_OK(CheckRange("compaction.interval_secs", compaction.interval_secs, kCompactionIntervalSecs));
  OTLP_RETURN_NOT_OK(CheckRange("compaction.min_age_secs", compaction.min_age_secs, kCompactionMinAgeSecs));
  OTLP_RETURN_NOT_OK(CheckRange("compaction.min_files", compaction.min_files, kCompactionMinFiles));
  OTLP_RETURN_NOT_OK(CheckRange("compaction.target_file_bytes", compaction.target_file_bytes, kCompactionFileBytes));
  return CheckRange("compaction.window_secs", compaction.window_secs, kCompactionWindowSecs);
}

Status CheckItemLimits(const LimitsConfig& items) {
  OTLP_RETURN_NOT_OK(limits::CheckRange("limits.max_attributes", items.max_attributes, limits::kMaxAttributes));
  return limits::CheckRange("limits.max_value_depth", items.max_value_depth, limits::kMaxValueDepth);
}

// "forwarding.endpoint: …" becomes "forwarding[1].endpoint: …".
Status OfDestination(size_t index, const Status& status) {
  constexpr std::string_view kKey = "forwarding";
  const std::string& message = status.message();
  return Status::Config(std::string(kKey) + "[" + std::to_string(index) + "]" + message.substr(kKey.size()));
}

Status CheckEachDestination(const std::vector<ForwardingConfig>& all) {
  if (all.size() > limits::kMaxDestinations) {
    return Status::Config("forwarding: " + std::to_string(all.size()) + " destinations; allowed are 0 to " + std::to_string(limits::kMaxDestinations));
  }
  for (size_t i = 0; i < all.size(); ++i) {
    const Status status = all[i].Validate();
    if (!status.ok()) return all.size() == 1 ? status : OfDestination(i, status);
    for (size_t j = 0; j < i; ++j) {
      if (all[j].DisplayName() != all[i].DisplayName()) continue;
      return Status::Config("forwarding[" + std::to_string(i) + "].name: '" + all[i].DisplayName() + "' is also the name of forwarding[" +
                            std::to_string(j) + "]; give each destination a name of its own");
    }
  }
  return Status::Ok();
}

Status CheckForwarding(const Config& config) {
  OTLP_RETURN_NOT_OK(limits::CheckRange("forward_backlog_max_bytes", config.forward_backlog_max_bytes, limits::kForwardBacklogMaxBytes));
  OTLP_RETURN_NOT_OK(CheckEachDestination(config.forwarding));
  const bool forwards = std::any_of(config.forwarding.begin(), config.forwarding.end(), [](const auto& f) { return f.enabled; });
  if (!config.store && !forwards) {
    return Status::Config("store: false without a destination that is enabled would keep nothing; add one under forwarding, or store");
  }
  if (forwards && config.acknowledge == Acknowledge::kMemory) {
    return Status::Config("acknowledge: 'memory' keeps no journal, from which forwarding sends; allowed with forwarding are journal, fsync");
  }
  return Status::Ok();
}

}  // namespace

Status Config::Validate() const {
  using namespace otlp_arrow::limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckPath("output_dir", output_dir));
  OTLP_RETURN_NOT_OK(CheckRange("write_interval_secs", write_interval_secs, kWriteIntervalSecs));
  OTLP_RETURN_NOT_OK(CheckRange("max_file_bytes", max_file_bytes, kMaxFileBytes));
  OTLP_RETURN_NOT_OK(CheckRange("memory_budget", memory_budget, kMemoryBudget));
  OTLP_RETURN_NOT_OK(CheckRange("admission_timeout_ms", admission_timeout_ms, kAdmissionTimeoutMs));
  OTLP_RETURN_NOT_OK(CheckRange("journal_max_bytes", journal_max_bytes, kJournalMaxBytes));
  OTLP_RETURN_NOT_OK(CheckRange("workers", workers, kWorkers));
  OTLP_RETURN_NOT_OK(CheckRange("shutdown_timeout_secs", shutdown_timeout_secs, kShutdownTimeoutSecs));
  OTLP_RETURN_NOT_OK(CheckRange("trace_cleanup_interval_secs", trace_cleanup_interval_secs, kCleanupIntervalSecs));
  OTLP_RETURN_NOT_OK(CheckRange("metric_cleanup_interval_secs", metric_cleanup_interval_secs, kCleanupIntervalSecs));
  OTLP_RETURN_NOT_OK(CheckRange("log_cleanup_interval_secs", log_cleanup_interval_secs, kCleanupIntervalSecs));
  OTLP_RETURN_NOT_OK(CheckRange("max_total_bytes", max_total_bytes, kMaxTotalBytes));
  OTLP_RETURN_NOT_OK(CheckPromoted(promote_attributes));
  OTLP_RETURN_NOT_OK(CheckForwarding(*this));
  OTLP_RETURN_NOT_OK(CheckFiles(parquet, compaction));
  OTLP_RETURN_NOT_OK(CheckItemLimits(limits));
  OTLP_RETURN_NOT_OK(CheckServers(*this));
  OTLP_RETURN_NOT_OK(CheckDistinctAddresses(*this));
  OTLP_RETURN_NOT_OK(CheckLogFormat("log_format", log_format));
  return CheckLogLevel("log_level", log_level);
}

// Each costs a column in every file, so: what people filter and group by, from the stable semantic conventions
// (https://opentelemetry.io/docs/specs/semconv).
std::vector<std::string> Config::DefaultPromotedAttributes() {
  return {
      "http.request.method", "http.response.status_code:int64",
      "http.route",          "url.path",
      "server.address",      "error.type",
      "exception.type",      "db.system.name",
      "db.operation.name",   "rpc.system",
      "rpc.method",          "messaging.system",
  };
}

}  // namespace otlp_arrow
