// What an OTLP-MMAP file holds, for people and for programs. docs/formats/mmap.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "otlp_arrow/status.h"
#include "ring/ring_reader.h"

namespace otlp_arrow {

struct RingRecord {
  ring::RingKind ring = ring::RingKind::kSpans;
  int64_t sequence = 0;
  std::string state;  // "read", "waiting", "being written", "given up", "empty"
  std::string text;   // the record, decoded; "unreadable" where it is none
};

struct RingInspection {
  std::string path;
  ring::FileStats stats;
  std::vector<uint32_t> live_writers;
  bool has_consumer = false;
  std::vector<std::string> dictionary;  // each entry with its reference, decoded
  std::string dictionary_problem;       // why there are no more
  std::vector<RingRecord> records;      // the last ones of each ring, oldest first
};

// Does the file begin as an OTLP-MMAP file does?
bool LooksLikeRingFile(const std::string& path);
// Changes nothing, and may be done beside writers and a collector. Errors: kIo.
Result<RingInspection> InspectRing(const std::string& path, size_t records_of_each_ring);

std::string RingInspectionText(const RingInspection& inspection);
std::string RingInspectionJson(const RingInspection& inspection);

}  // namespace otlp_arrow
