// Everything that can be configured. YAML, environment variables, command-line flags and code all fill this one
// struct; Validate() is the only judge of it. docs/configuration.md lists the keys under each name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/forwarding.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

enum class FileFormat { kArrow };
enum class Compression { kNone, kLz4, kZstd };

// What has happened to data when the sender gets its OK.
enum class Acknowledge {
  kMemory,   // it is in this process's memory; lost if the process dies before the next write
  kJournal,  // it is in the file system's hands; survives the death of the process
  kFsync,    // it is on the device; survives power loss (group commit)
};

struct GrpcConfig {
  bool enabled = true;
  std::string address = "127.0.0.1:4317";        // host:port; port 0 takes a free one
  uint64_t max_message_bytes = 64ull << 20;      // larger requests get RESOURCE_EXHAUSTED; after decompression
};

struct HttpConfig {
  bool enabled = true;
  std::string address = "127.0.0.1:4318";        // host:port; port 0 takes a free one
  uint64_t max_body_bytes = 64ull << 20;         // larger bodies get 413; before and after decompression
  uint32_t max_connections = 4096;               // more are refused with 503
  uint32_t idle_timeout_secs = 120;              // a connection without a request is closed after this
  uint32_t request_timeout_secs = 30;            // a request must have arrived whole after this
};

// The server's side of TLS.
struct ServerTlsConfig {
  std::string cert_file;       // PEM, with the chain; with key_file: the server speaks TLS alone
  std::string key_file;        // PEM
  std::string client_ca_file;  // PEM; clients must show a certificate that one of these signed (mutual TLS)
};

// Arrow Flight. docs/flight.md
struct FlightConfig {
  bool enabled = true;
  std::string address = "127.0.0.1:4319";        // host:port; port 0 takes a free one
  ServerTlsConfig tls;
  std::string bearer_token;                      // that clients must send; may hold ${env:NAME}, ${file:PATH}; empty: anyone may call
  uint64_t max_batch_bytes = 64ull << 20;        // of a record batch that a client puts
  uint32_t max_streams = 64;                     // DoGet and DoPut at a time; more are refused as UNAVAILABLE
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

  GrpcConfig grpc;
  HttpConfig http;
  FlightConfig flight;
  bool self_telemetry = false;                   // `serve` records its own metrics, of the service otlp-arrow
  std::string log_level = "info";                // trace, debug, info, warn, error, off

  // OK, or a config error that names the key, its value and what is allowed.
  OTLP_ARROW_EXPORT Status Validate() const;

  // Semantic-convention attributes that most queries filter on.
  OTLP_ARROW_EXPORT static std::vector<std::string> DefaultPromotedAttributes();
};

}  // namespace otlp_arrow
