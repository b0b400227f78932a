// Sending on what is recorded: where to, how, and what became of it. docs/forwarding.md
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// The client's side of TLS, which an endpoint with https (or grpcs, grpc+tls) uses.
struct ClientTlsConfig {
  std::string ca_file;       // PEM; trusted instead of the system's authorities
  std::string cert_file;     // PEM; with key_file: what the client shows where the server asks (mutual TLS)
  std::string key_file;      // PEM
  std::string server_name;   // the name that the server's certificate must bear, where it is not the endpoint's host
};

// One destination. Texts of headers and credentials may hold ${env:NAME} and ${file:PATH}, which are looked up when sending
// starts and again when the peer refuses the credentials, so that they can be replaced at run time. They are never shown.
struct ForwardingConfig {
  std::string name;            // in metrics, messages and the positions on disk; empty: made from protocol and endpoint
  bool enabled = true;
  std::string endpoint;        // "http://host:4318/prefix", "https://host:4317", "host:4317", "grpc://host:4319" with flight
  std::string protocol;        // "grpc", "http" (binary protobuf), "flight"; empty: port 4318 or a path mean http, 4319 flight, else grpc
  std::vector<Signal> signals{kAllSignals.begin(), kAllSignals.end()};
  std::string compression = "none";  // of requests: "none", "gzip"; http also "zstd"; flight "lz4" and "zstd"

  std::vector<std::pair<std::string, std::string>> headers;  // sent with each request
  std::string bearer_token;                                  // "authorization: Bearer …"
  std::string username, password;                            // "authorization: Basic …"
  std::string api_key, api_key_header = "x-api-key";
  ClientTlsConfig tls;

  uint64_t batch_bytes = 1 << 20;    // requests are joined up to this size; a larger one goes alone
  uint32_t batch_delay_ms = 200;     // and wait at most this long for company
  uint32_t max_in_flight = 4;        // requests under way at a time; 1: the peer sees them strictly in order
  uint32_t timeout_ms = 10'000;      // of one request
  uint32_t retry_initial_ms = 250;   // doubled for each next attempt, shortened at random by up to half
  uint32_t retry_max_ms = 30'000;
  uint32_t max_retry_secs = 0;       // then a request is given up; 0: never
  uint32_t breaker_failures = 5;     // in a row, that open the circuit breaker; 0: never
  uint32_t breaker_open_ms = 10'000; // until one request is tried

  // What stands for the destination everywhere: `name`, or "grpc-host:port".
  OTLP_ARROW_EXPORT std::string DisplayName() const;
  // OK, or a config error that begins with "forwarding.<key>", names the value (but of secrets) and what is allowed.
  OTLP_ARROW_EXPORT Status Validate() const;

  bool Takes(Signal signal) const;
};

// Why items that were accepted for a destination will never be sent to it.
enum class GiveUpReason : uint8_t {
  kBacklogFull,  // the destination was away for longer than forward_backlog_max_bytes last
  kRefused,      // the destination refuses them for good, each alone
  kTooLarge,     // one item is larger than what it takes
  kTimeout,      // max_retry_secs are over
  kDamaged,      // they cannot be read back
};
inline constexpr size_t kGiveUpReasonCount = 5;
OTLP_ARROW_EXPORT std::string_view GiveUpReasonName(GiveUpReason reason);  // "backlog_full", …

// Items of one signal for one destination: accepted = sent + rejected + the sum of given_up + backlog.
struct DestinationSignalStats {
  int64_t accepted = 0;
  int64_t sent = 0;
  int64_t rejected = 0;  // left out by the destination (partial_success)
  std::array<int64_t, kGiveUpReasonCount> given_up{};
  int64_t backlog = 0;   // not yet sent
};

struct DestinationStats {
  // Upper bounds of the buckets of send_latency, in seconds; the last bucket has none.
  static constexpr std::array<double, 12> kLatencyBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

  std::string name, endpoint, protocol;
  std::array<DestinationSignalStats, kSignalCount> signals{};  // by Signal
  std::string breaker;                 // "closed", "open", "half_open"
  uint64_t backlog_bytes = 0;          // of requests not yet sent
  double oldest_unsent_age_secs = 0;   // 0 where everything is sent
  int64_t requests = 0;                // that got an answer of whatever kind
  int64_t retries = 0;
  int64_t failures = 0;                // attempts that were not taken
  int64_t bytes_sent = 0;              // OTLP bytes of requests that were taken
  int64_t in_flight = 0;               // requests under way
  std::array<int64_t, kLatencyBounds.size() + 1> send_latency{};  // attempts by duration
  double send_latency_sum_secs = 0;
  std::string last_error;              // of the newest failure; empty once a request is taken again
};

}  // namespace otlp_arrow
