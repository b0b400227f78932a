// What `otlp-arrow serve` tells the person who started it.
#pragma once

#include <string>
#include <vector>

#include "otlp_arrow/config.h"
#include "storage/ledger.h"

namespace otlp_arrow {

// host:port with the port in use; empty where that server is off.
struct ListenAddresses {
  std::string grpc;
  std::string http;
};

// Where to send, where the files are, how to query them.
std::string StartMessage(const Config& config, const ListenAddresses& addresses);

// How long data is kept, with the keys that change it.
std::string RetentionLine(const Config& config);

// "traces: 10 received, 10 stored, …" for each signal that received anything.
std::vector<std::string> LedgerLines(const Ledger& ledger);

}  // namespace otlp_arrow
