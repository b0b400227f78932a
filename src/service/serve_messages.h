// What `otlp-arrow serve` tells the person who started it.
#pragma once

#include <string>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/forwarding.h"
#include "service/logging.h"
#include "storage/ledger.h"

namespace otlp_arrow {

// host:port with the port in use; empty where that server is off.
struct ListenAddresses {
  std::string grpc;
  std::string http;
  std::string flight;
};

// Where to send, where the files are, how to query them.
std::string StartMessage(const Config& config, const ListenAddresses& addresses);

// The same for log_format: json.
LogFields StartFields(const Config& config, const ListenAddresses& addresses);

// What a service with this configuration does, a line each: where it listens, and who may call; where files go; where data is forwarded.
std::vector<std::string> PlanLines(const Config& config);

// How long data is kept, with the keys that change it.
std::string RetentionLine(const Config& config);

// "traces: 10 received, 10 stored, …" for each signal that received anything.
std::vector<std::string> LedgerLines(const Ledger& ledger);

// "main, traces: 10 sent, 2 left for the next start" for each destination and signal that anything was accepted for.
std::vector<std::string> ForwardingLines(const std::vector<DestinationStats>& destinations);

}  // namespace otlp_arrow
