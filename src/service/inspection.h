// What a directory of stored telemetry, or one file, holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "storage/ledger.h"

namespace otlp_arrow {

struct InspectedSignal {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t bytes = 0;                                         // of the files
  std::optional<int64_t> first_time;                         // nanoseconds since 1970; spans: start_time, …
  std::optional<int64_t> last_time;                          // … and end_time
  std::map<std::string, int64_t> services;                   // rows by service_name; "" where there is none
  std::vector<std::pair<std::string, std::string>> columns;  // name and type, of the newest file
};

struct DamagedFile {
  std::string path;
  std::string reason;
};

struct Inspection {
  std::string path;
  InspectedSignal signals[kSignalCount];
  std::vector<DamagedFile> damaged;  // files that could not be read; what else the directory holds counts all the same
  int64_t live_journals = 0;         // of writers at work
  int64_t left_journals = 0;         // of writers that are gone …
  int64_t left_items = 0;            // … with at most this many items that are in no file yet
  int64_t unsent_journals = 0;       // in files already, not yet forwarded …
  int64_t unsent_bytes = 0;          // … with this much on the disk
  int64_t ledgers = 0;               // files that `ledger` is the sum of
  Ledger ledger;

  InspectedSignal& operator[](Signal s) { return signals[static_cast<size_t>(s)]; }
  const InspectedSignal& operator[](Signal s) const { return signals[static_cast<size_t>(s)]; }
};

// Errors (I/O) only where `path` is not there or cannot be listed.
Result<Inspection> Inspect(const std::string& path);

// For people: a table, then services, losses and damage; the columns with `schema`.
std::string InspectionText(const Inspection& inspection, bool schema);
// For programs: one JSON object on one line.
std::string InspectionJson(const Inspection& inspection, bool schema);

}  // namespace otlp_arrow
