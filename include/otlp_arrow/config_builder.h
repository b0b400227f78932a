// A Config by chained calls: one method for each key of docs/configuration.md, an underscore standing for the dot of
// nested keys.
//
//   auto config = ConfigBuilder().FromEnvironment().output_dir("./telemetry").write_interval_secs(1).Build();
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/export.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// What a method here sets goes before the environment, the environment before the configuration that the builder began
// with, whatever the order of the calls. Copyable; not for use by several threads at once.
class OTLP_ARROW_EXPORT ConfigBuilder {
 public:
  // Begins with the defaults, or with settings from elsewhere: ReadYamlConfig of service.h reads them from a file.
  ConfigBuilder() = default;
  explicit ConfigBuilder(Config base) : base_(std::move(base)) {}

  // Build() will look at the environment of the process: OTLP_OUTPUT_DIR, OTLP_GRPC_ADDRESS, ... An empty variable counts as
  // unset. As ever with getenv, no other thread may change the environment meanwhile.
  ConfigBuilder& FromEnvironment() {
    environment_ = true;
    return *this;
  }

  // The configuration. Errors: kConfig, naming the key (and the variable that it came from), its value and what is allowed.
  Result<Config> Build() const;

  ConfigBuilder& output_dir(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.output_dir = path; });
  }
  ConfigBuilder& format(FileFormat value) {
    return Set([value](Config& c) { c.format = value; });
  }
  ConfigBuilder& compression(Compression value) {
    return Set([value](Config& c) { c.compression = value; });
  }
  ConfigBuilder& acknowledge(Acknowledge value) {
    return Set([value](Config& c) { c.acknowledge = value; });
  }
  ConfigBuilder& write_interval_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.write_interval_secs = secs; });
  }
  ConfigBuilder& max_file_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.max_file_bytes = bytes; });
  }
  ConfigBuilder& promote_attributes(std::vector<std::string> attributes) {
    return Set([attributes = std::move(attributes)](Config& c) { c.promote_attributes = attributes; });
  }
  ConfigBuilder& trace_cleanup_interval_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.trace_cleanup_interval_secs = secs; });
  }
  ConfigBuilder& metric_cleanup_interval_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.metric_cleanup_interval_secs = secs; });
  }
  ConfigBuilder& log_cleanup_interval_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.log_cleanup_interval_secs = secs; });
  }
  ConfigBuilder& max_total_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.max_total_bytes = bytes; });
  }
  ConfigBuilder& memory_budget(uint64_t bytes) {
    return Set([bytes](Config& c) { c.memory_budget = bytes; });
  }
  ConfigBuilder& admission_timeout_ms(uint32_t milliseconds) {
    return Set([milliseconds](Config& c) { c.admission_timeout_ms = milliseconds; });
  }
  ConfigBuilder& journal_max_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.journal_max_bytes = bytes; });
  }
  ConfigBuilder& workers(uint32_t threads) {
    return Set([threads](Config& c) { c.workers = threads; });
  }
  ConfigBuilder& shutdown_timeout_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.shutdown_timeout_secs = secs; });
  }
  ConfigBuilder& self_telemetry(bool value) {
    return Set([value](Config& c) { c.self_telemetry = value; });
  }
  ConfigBuilder& log_level(std::string level) {
    return Set([level = std::move(level)](Config& c) { c.log_level = level; });
  }
  ConfigBuilder& store(bool value) {
    return Set([value](Config& c) { c.store = value; });
  }
  ConfigBuilder& forward_backlog_max_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.forward_backlog_max_bytes = bytes; });
  }
  // Each call adds a destination to those that there are. docs/forwarding.md
  ConfigBuilder& AddForwarding(ForwardingConfig destination) {
    return Set([destination = std::move(destination)](Config& c) { c.forwarding.push_back(destination); });
  }
  ConfigBuilder& grpc_enabled(bool value) {
    return Set([value](Config& c) { c.grpc.enabled = value; });
  }
  ConfigBuilder& grpc_address(std::string address) {
    return Set([address = std::move(address)](Config& c) { c.grpc.address = address; });
  }
  ConfigBuilder& grpc_max_message_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.grpc.max_message_bytes = bytes; });
  }
  ConfigBuilder& http_enabled(bool value) {
    return Set([value](Config& c) { c.http.enabled = value; });
  }
  ConfigBuilder& http_address(std::string address) {
    return Set([address = std::move(address)](Config& c) { c.http.address = address; });
  }
  ConfigBuilder& http_max_body_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.http.max_body_bytes = bytes; });
  }
  ConfigBuilder& http_max_connections(uint32_t number) {
    return Set([number](Config& c) { c.http.max_connections = number; });
  }
  ConfigBuilder& http_idle_timeout_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.http.idle_timeout_secs = secs; });
  }
  ConfigBuilder& http_request_timeout_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.http.request_timeout_secs = secs; });
  }
  ConfigBuilder& flight_enabled(bool value) {
    return Set([value](Config& c) { c.flight.enabled = value; });
  }
  ConfigBuilder& flight_address(std::string address) {
    return Set([address = std::move(address)](Config& c) { c.flight.address = address; });
  }
  ConfigBuilder& flight_tls_cert_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.flight.tls.cert_file = path; });
  }
  ConfigBuilder& flight_tls_key_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.flight.tls.key_file = path; });
  }
  ConfigBuilder& flight_tls_client_ca_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.flight.tls.client_ca_file = path; });
  }
  ConfigBuilder& flight_bearer_token(std::string token) {
    return Set([token = std::move(token)](Config& c) { c.flight.bearer_token = token; });
  }
  ConfigBuilder& flight_max_batch_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.flight.max_batch_bytes = bytes; });
  }
  ConfigBuilder& flight_max_streams(uint32_t number) {
    return Set([number](Config& c) { c.flight.max_streams = number; });
  }
  ConfigBuilder& parquet_row_group_rows(uint32_t rows) {
    return Set([rows](Config& c) { c.parquet.row_group_rows = rows; });
  }
  ConfigBuilder& compaction_enabled(bool value) {
    return Set([value](Config& c) { c.compaction.enabled = value; });
  }
  ConfigBuilder& compaction_interval_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.compaction.interval_secs = secs; });
  }
  ConfigBuilder& compaction_min_age_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.compaction.min_age_secs = secs; });
  }
  ConfigBuilder& compaction_min_files(uint32_t number) {
    return Set([number](Config& c) { c.compaction.min_files = number; });
  }
  ConfigBuilder& compaction_target_file_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.compaction.target_file_bytes = bytes; });
  }
  ConfigBuilder& compaction_window_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.compaction.window_secs = secs; });
  }
  ConfigBuilder& compaction_format(std::optional<FileFormat> value) {
    return Set([value](Config& c) { c.compaction.format = value; });
  }
  ConfigBuilder& compaction_partition(Partitioning value) {
    return Set([value](Config& c) { c.compaction.partition = value; });
  }
  ConfigBuilder& log_format(std::string format) {
    return Set([format = std::move(format)](Config& c) { c.log_format = format; });
  }
  ConfigBuilder& limits_max_attributes(uint32_t number) {
    return Set([number](Config& c) { c.limits.max_attributes = number; });
  }
  ConfigBuilder& limits_max_value_depth(uint32_t number) {
    return Set([number](Config& c) { c.limits.max_value_depth = number; });
  }
  ConfigBuilder& tls_cert_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.tls.cert_file = path; });
  }
  ConfigBuilder& tls_key_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.tls.key_file = path; });
  }
  ConfigBuilder& tls_client_ca_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.tls.client_ca_file = path; });
  }
  ConfigBuilder& auth_bearer_tokens(std::vector<std::string> tokens) {
    return Set([tokens = std::move(tokens)](Config& c) { c.auth.bearer_tokens = tokens; });
  }
  ConfigBuilder& auth_headers(std::vector<std::pair<std::string, std::string>> headers) {
    return Set([headers = std::move(headers)](Config& c) { c.auth.headers = headers; });
  }
  ConfigBuilder& grpc_tls_cert_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.grpc.tls.cert_file = path; });
  }
  ConfigBuilder& grpc_tls_key_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.grpc.tls.key_file = path; });
  }
  ConfigBuilder& grpc_tls_client_ca_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.grpc.tls.client_ca_file = path; });
  }
  ConfigBuilder& grpc_max_receive_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.grpc.max_receive_bytes = bytes; });
  }
  ConfigBuilder& grpc_max_metadata_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.grpc.max_metadata_bytes = bytes; });
  }
  ConfigBuilder& grpc_max_streams_per_connection(uint32_t number) {
    return Set([number](Config& c) { c.grpc.max_streams_per_connection = number; });
  }
  ConfigBuilder& grpc_keepalive_time_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.grpc.keepalive_time_secs = secs; });
  }
  ConfigBuilder& grpc_keepalive_timeout_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.grpc.keepalive_timeout_secs = secs; });
  }
  ConfigBuilder& grpc_min_ping_interval_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.grpc.min_ping_interval_secs = secs; });
  }
  ConfigBuilder& grpc_max_connection_idle_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.grpc.max_connection_idle_secs = secs; });
  }
  ConfigBuilder& grpc_max_connection_age_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.grpc.max_connection_age_secs = secs; });
  }
  ConfigBuilder& grpc_max_connection_age_grace_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.grpc.max_connection_age_grace_secs = secs; });
  }
  ConfigBuilder& grpc_reflection(bool value) {
    return Set([value](Config& c) { c.grpc.reflection = value; });
  }
  ConfigBuilder& http_tls_cert_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.http.tls.cert_file = path; });
  }
  ConfigBuilder& http_tls_key_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.http.tls.key_file = path; });
  }
  ConfigBuilder& http_tls_client_ca_file(std::string path) {
    return Set([path = std::move(path)](Config& c) { c.http.tls.client_ca_file = path; });
  }
  ConfigBuilder& http_max_receive_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.http.max_receive_bytes = bytes; });
  }
  ConfigBuilder& http_max_header_bytes(uint64_t bytes) {
    return Set([bytes](Config& c) { c.http.max_header_bytes = bytes; });
  }
  ConfigBuilder& http_max_connections_per_client(uint32_t number) {
    return Set([number](Config& c) { c.http.max_connections_per_client = number; });
  }
  ConfigBuilder& http_header_timeout_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.http.header_timeout_secs = secs; });
  }
  ConfigBuilder& http_cors_allowed_origins(std::vector<std::string> origins) {
    return Set([origins = std::move(origins)](Config& c) { c.http.cors_allowed_origins = origins; });
  }
  ConfigBuilder& http_cors_allowed_headers(std::vector<std::string> names) {
    return Set([names = std::move(names)](Config& c) { c.http.cors_allowed_headers = names; });
  }
  ConfigBuilder& http_cors_max_age_secs(uint32_t secs) {
    return Set([secs](Config& c) { c.http.cors_max_age_secs = secs; });
  }
  ConfigBuilder& http_metrics_without_auth(bool value) {
    return Set([value](Config& c) { c.http.metrics_without_auth = value; });
  }

 private:
  using Setting = std::function<void(Config&)>;
  ConfigBuilder& Set(Setting setting) {
    settings_.push_back(std::move(setting));
    return *this;
  }

  Config base_;
  bool environment_ = false;
  std::vector<Setting> settings_;  // in the order of the calls: the last one of a key counts
};

}  // namespace otlp_arrow
