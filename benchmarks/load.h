// What the load generator sends and counts, for both protocols.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/signal.h"

namespace otlp_arrow::bench {

struct LoadRequest {
  std::string bytes;  // as they go over the wire, gzipped where that was asked for
  int64_t items = 0;
};

struct Load {
  std::string address;  // host:port
  Signal signal = Signal::kTraces;
  bool gzip = false;
  bool json = false;    // HTTP
  int connections = 4;
  int in_flight = 1;    // requests under way on each connection; HTTP has one
  int threads = 1;
  int idle = 0;         // more connections, which send one request before the others begin and then stay open in silence
  double seconds = 2;
  bool once = false;    // each request once, however long that takes
  std::vector<LoadRequest> requests;  // sent round and round
};

// What the idle connections do.
Load IdleLoad(const Load& load);

// What one thread has seen.
struct Tally {
  int64_t requests = 0, errors = 0;
  int64_t items_acked = 0, items_rejected = 0, items_failed = 0;
  std::vector<double> latencies;       // seconds, of the requests that were taken
  std::map<std::string, int64_t> why;  // errors by reason

  // `response`: an Export…ServiceResponse, in bytes or as JSON.
  void OnTaken(const LoadRequest& request, std::string_view response, bool json, double latency);
  void OnError(const LoadRequest& request, const std::string& reason);
  Tally& operator+=(const Tally& other);
};

// Goes round the requests, each thread beginning elsewhere; or once over its part of them.
class RequestRound {
 public:
  RequestRound(const Load& load, int thread)
      : requests_(load.requests), once_(load.once), next_(BeginOf(load, thread)), end_(BeginOf(load, thread + 1)) {}

  // nullptr: there are no more.
  const LoadRequest* Next() {
    if (once_ && next_ == end_) return nullptr;
    if (next_ == requests_.size()) next_ = 0;
    return &requests_[next_++];
  }

 private:
  static size_t BeginOf(const Load& load, int thread) {
    return load.requests.size() * static_cast<size_t>(thread) / static_cast<size_t>(load.threads);
  }

  const std::vector<LoadRequest>& requests_;
  const bool once_;
  size_t next_, end_;
};

struct LoadResult {
  Tally tally;
  int64_t idle_items_acked = 0;  // of idle connections, which are not in the tally
  double seconds = 0;            // from the first request to the last answer; connecting is not in it
};

// Send until load.seconds have passed, then wait for what is under way.
LoadResult RunGrpcLoad(const Load& load);
LoadResult RunHttpLoad(const Load& load);

}  // namespace otlp_arrow::bench
