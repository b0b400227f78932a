// Where everything stands below the output directory, and what file names say. docs/formats/directory.md.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "otlp_arrow/signal.h"

namespace otlp_arrow {

// Journal positions that a data file holds, both ends included: all records of its signal between them.
struct SequenceRange {
  uint64_t first = 0;
  uint64_t last = 0;
  bool Contains(uint64_t sequence) const { return sequence >= first && sequence <= last; }
};

// A data file's name taken apart: <yyyymmdd>T<hhmmss>Z-<writer>-<first>_<last>.arrow
struct DataFileName {
  std::chrono::sys_seconds time;  // when the first of its items arrived
  std::string writer;
  SequenceRange range;

  std::string ToString() const;
  static std::optional<DataFileName> Parse(std::string_view name);
};

class StoreLayout {
 public:
  explicit StoreLayout(std::string output_dir) : root_(std::move(output_dir)) {}

  const std::string& root() const { return root_; }
  std::string DataDir(Signal signal) const { return root_ + "/otlp/" + std::string(SignalName(signal)); }
  std::string JournalsDir() const { return root_ + "/journal"; }
  std::string WriterDir(const std::string& writer) const { return JournalsDir() + "/" + writer; }
  std::string WriterLock(const std::string& writer) const { return WriterDir(writer) + "/lock"; }
  std::string LedgersDir() const { return root_ + "/ledger"; }
  std::string LedgerFile(const std::string& writer) const { return LedgersDir() + "/" + writer + ".json"; }
  // What ended writers left that is not forwarded yet: their folders, moved here from journal/.
  std::string LeftOversDir() const { return root_ + "/forward"; }
  std::string LeftOverDir(const std::string& writer) const { return LeftOversDir() + "/" + writer; }
  std::string LeftOverLock(const std::string& writer) const { return LeftOverDir(writer) + "/lock"; }
  // Held by the one process that looks after what dead writers left: retention of their files, folding of their ledgers.
  std::string LedgersLock() const { return LedgersDir() + "/lock"; }
  // OTLP-MMAP files of programs that record with the native SDK. docs/formats/mmap.md
  std::string RingsDir() const { return root_ + "/rings"; }
  // Damaged journal segments and files are moved here.
  std::string DamagedDir() const { return root_ + "/damaged"; }

 private:
  std::string root_;
};

// A new writer id: 12 lower-case hex digits from the system's random source.
std::string NewWriterId();

}  // namespace otlp_arrow
