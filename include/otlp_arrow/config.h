// Everything that can be configured. YAML, environment variables, command-line flags and code all fill this one
// struct; Validate() is the only judge of it. docs/configuration.md lists the keys under each name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/forwarding.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

enum class FileFormat { kArrow, kParquet };
enum class Compression { kNone, kLz4, kZstd };

// What has happened to data when the sender gets its OK.
enum class Acknowledge {
  kMemory,   // it is in this process's memory; lost if the process dies before the next write
  kJournal,  // it is in the file system's hands; survives the death of the process
  kFsync,    // it is on the device; survives power loss (group commit)
};

// The server's side of TLS. Files are read again when they change, so that certificates are renewed without a restart.
struct ServerTlsConfig {
  std::string cert_file;       // PEM, with the chain; with key_file: the server speaks TLS alone
  std::string key_file;        // PEM
  std::string client_ca_file;  // PEM; clients must show a certificate that one of these signed (mutual TLS)
};

// Who may call the servers. Nothing set: anyone. Else a call needs one of the tokens, or all of the headers. docs/security-model.md
struct AuthConfig {
  std::vector<std::string> bearer_tokens;                        // any of them; may hold ${env:NAME}, ${file:PATH}
  std::vector<std::pair<std::string, std::string>> headers;      // name and value, such as X-Api-Key; values as above
};

struct GrpcConfig {
  bool enabled = true;
  std::string address = "127.0.0.1:4317";        // host:port; port 0 takes a free one
  ServerTlsConfig tls{};                         // instead of Config::tls, where it names a certificate
  uint64_t max_message_bytes = 64ull << 20;      // larger requests get RESOURCE_EXHAUSTED; after decompression
  uint64_t max_receive_bytes = 256ull << 20;     // that the messages coming in at a time may take; beyond it clients are slowed down
  uint64_t max_metadata_bytes = 16ull << 10;     // of one call's headers
  uint32_t max_streams_per_connection = 1024;    // calls at a time on one connection; more wait on the client's side
  uint32_t keepalive_time_secs = 60;             // a silent connection is asked for a sign of life after this
  uint32_t keepalive_timeout_secs = 20;          // and closed after this without one
  uint32_t min_ping_interval_secs = 10;          // clients that ping more often are sent away
  uint32_t max_connection_idle_secs = 0;         // a connection without a call is closed after this; 0: never
  uint32_t max_connection_age_secs = 0;          // connections are renewed after this, to spread clients over servers; 0: never
  uint32_t max_connection_age_grace_secs = 30;   // what is under way then may take this long
  bool reflection = true;                        // answers grpc.reflection, for grpcurl and the like
};

struct HttpConfig {
  bool enabled = true;
  std::string address = "127.0.0.1:4318";        // host:port; port 0 takes a free one
  ServerTlsConfig tls{};                         // instead of Config::tls, where it names a certificate
  uint64_t max_body_bytes = 64ull << 20;         // larger bodies get 413; before and after decompression
  uint64_t max_receive_bytes = 256ull << 20;     // that bodies coming in at a time may take together; beyond it 503
  uint64_t max_header_bytes = 16ull << 10;       // request line and headers; larger ones get 431
  uint32_t max_connections = 4096;               // more are refused with 503
  uint32_t max_connections_per_client = 0;       // from one IP address; more are refused with 503; 0: no limit
  uint32_t idle_timeout_secs = 120;              // a connection without a request is closed after this
  uint32_t header_timeout_secs = 10;             // a request's headers, and a TLS handshake, must be complete after this
  uint32_t request_timeout_secs = 30;            // a request must have arrived whole after this
  std::vector<std::string> cors_allowed_origins{};  // web pages that may send from a browser: origins, or "*"; empty: none
  std::vector<std::string> cors_allowed_headers{};  // that such pages may add to Content-Type, Content-Encoding and Authorization
  uint32_t cors_max_age_secs = 7200;             // how long a browser may remember the answer
  bool metrics_without_auth = false;             // /metrics asks for no credentials although `auth` is set
};

// Arrow Flight. docs/flight.md
struct FlightConfig {
  bool enabled = true;
  std::string address = "127.0.0.1:4319";        // host:port; port 0 takes a free one
  ServerTlsConfig tls{};                         // instead of Config::tls, where it names a certificate
  std::string bearer_token;                      // that clients of Flight may send besides those of `auth`
  uint64_t max_batch_bytes = 64ull << 20;        // of a record batch that a client puts
  uint32_t max_streams = 64;                     // DoGet and DoPut at a time; more are refused as UNAVAILABLE
};

// What an item may hold; one over a limit is left out, counted as invalid and named in partial_success.
struct LimitsConfig {
  uint32_t max_attributes = 4096;                // of one list: of a span, an event, a resource, ...
  uint32_t max_value_depth = 64;                 // of arrays and maps in each other
};

// How Parquet files are laid out.
struct ParquetConfig {
  uint32_t row_group_rows = 128 << 10;           // each has statistics, and a bloom filter of trace ids
};

enum class Partitioning { kNone, kDate, kHour };  // Hive style: date=2026-01-31/hour=23

// Merging small files into large ones while the service runs; `otlp-arrow compact` does it at once. docs/compaction.md
struct CompactionConfig {
  bool enabled = false;
  uint32_t interval_secs = 60;                   // how often it is looked for work
  uint32_t min_age_secs = 60;                    // younger files are left alone
  uint32_t min_files = 8;                        // as many small files at least make it worthwhile
  uint64_t target_file_bytes = 256ull << 20;     // files are merged up to this size
  uint32_t window_secs = 3600;                   // one merged file holds arrivals of one such window, so that retention stays exact to it
  std::optional<FileFormat> format;              // of merged files; nullopt: Config::format
  Partitioning partition = Partitioning::kNone;
};

struct Config {
  std::string output_dir = "./output_dir";
  FileFormat format = FileFormat::kArrow;
  Compression compression = Compression::kZstd;
  Acknowledge acknowledge = Acknowledge::kJournal;

  uint32_t write_interval_secs = 5;              // a row is in a readable file at most this long after its arrival
  uint64_t max_file_bytes = 64ull << 20;         // of OTLP data that one file holds; reaching it writes the file at once
  uint64_t memory_budget = 64ull << 20;          // bytes of accepted data not yet turned into Arrow; beyond it senders wait, then are refused
  uint32_t admission_timeout_ms = 1000;          // how long a request may wait for room in the budget before the refusal
  uint64_t journal_max_bytes = 1024ull << 20;    // per process; beyond it requests are refused until files are written
  uint32_t workers = 0;                          // threads that turn OTLP into files; 0: as many as there are cores
  uint32_t shutdown_timeout_secs = 30;           // how long SIGTERM may take to write what is under way

  // Retention: whole files older than this many seconds are deleted; 0 keeps them for ever.
  uint32_t trace_cleanup_interval_secs = 600;
  uint32_t metric_cleanup_interval_secs = 3600;
  uint32_t log_cleanup_interval_secs = 3600;
  uint64_t max_total_bytes = 0;                  // of all data files; the oldest go first; 0: no limit

  // Attributes that also get a column of their own: "key" (string), "key:int64", "key:double" or "key:bool".
  std::vector<std::string> promote_attributes = DefaultPromotedAttributes();

  // Where what is accepted goes besides the files; with `store` false, instead of them (a relay).
  std::vector<ForwardingConfig> forwarding;
  bool store = true;
  // Bytes on disk that may wait for destinations, of a process and of what dead ones left. Beyond them the oldest are given up
  // and counted; a relay refuses new data instead.
  uint64_t forward_backlog_max_bytes = 4096ull << 20;

  ParquetConfig parquet;
  CompactionConfig compaction;

  ServerTlsConfig tls;                           // of all servers that have none of their own
  AuthConfig auth;                               // of all servers
  LimitsConfig limits;
  GrpcConfig grpc;
  HttpConfig http;
  FlightConfig flight;
  bool self_telemetry = false;                   // `serve` records its own metrics, of the service otlp-arrow
  std::string log_level = "info";                // trace, debug, info, warn, error, off
  std::string log_format = "text";               // text, or json: an object a line

  // The server's own TLS where it names a certificate, else that of all.
  const ServerTlsConfig& TlsOf(const ServerTlsConfig& own) const { return own.cert_file.empty() ? tls : own; }

  // OK, or a config error that names the key, its value and what is allowed.
  OTLP_ARROW_EXPORT Status Validate() const;

  // Semantic-convention attributes that most queries filter on.
  OTLP_ARROW_EXPORT static std::vector<std::string> DefaultPromotedAttributes();
};

}  // namespace otlp_arrow
