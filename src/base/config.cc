#include "otlp_arrow/config.h"

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

// Two listeners on one fixed port: the second could not start.
Status CheckDistinctAddresses(const Config& config) {
  if (!config.grpc.enabled || !config.http.enabled || config.grpc.address != config.http.address) return Status::Ok();
  auto address = ParseHostPort(config.http.address);
  if (!address.ok() || address->port == 0) return Status::Ok();
  return Status::Config("http.address: '" + config.http.address +
                        "' is also grpc.address; give each server its own port");
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
  OTLP_RETURN_NOT_OK(CheckServers(grpc, http));
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
