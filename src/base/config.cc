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

Status CheckFlight(const FlightConfig& flight) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckAddress("flight.address", flight.address));
  if (flight.tls.cert_file.empty() != flight.tls.key_file.empty()) {
    return Status::Config(std::string(flight.tls.cert_file.empty() ? "flight.tls.cert_file" : "flight.tls.key_file") +
                          ": it is empty; a certificate and its key are given together");
  }
  if (!flight.tls.client_ca_file.empty() && flight.tls.cert_file.empty()) {
    return Status::Config("flight.tls.client_ca_file: '" + flight.tls.client_ca_file +
                          "' means nothing without TLS; give flight.tls.cert_file and flight.tls.key_file too");
  }
  OTLP_RETURN_NOT_OK(CheckSecret("flight.bearer_token", flight.bearer_token));
  OTLP_RETURN_NOT_OK(CheckRange("flight.max_batch_bytes", flight.max_batch_bytes, kRequestBytes));
  return CheckRange("flight.max_streams", flight.max_streams, kMaxStreams);
}

Status CheckServers(const GrpcConfig& grpc, const HttpConfig& http) {
  using namespace limits;  // NOLINT: constants of one table
  OTLP_RETURN_NOT_OK(CheckAddress("grpc.address", grpc.address));
  OTLP_RETURN_NOT_OK(CheckRange("grpc.max_message_bytes", grpc.max_message_bytes, kRequestBytes));
  OTLP_RETURN_NOT_OK(CheckAddress("http.address", http.address));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_body_bytes", http.max_body_bytes, kRequestBytes));
  OTLP_RETURN_NOT_OK(CheckRange("http.max_connections", http.max_connections, kMaxConnections));
  OTLP_RETURN_NOT_OK(CheckRange("http.idle_timeout_secs", http.idle_timeout_secs, kIdleTimeoutSecs));
  return CheckRange("http.request_timeout_secs", http.request_timeout_secs, kRequestTimeoutSecs);
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
  using namespace limits;  // NOLINT: constants of one table
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
  OTLP_RETURN_NOT_OK(CheckServers(grpc, http));
  OTLP_RETURN_NOT_OK(CheckFlight(flight));
  OTLP_RETURN_NOT_OK(CheckDistinctAddresses(*this));
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
