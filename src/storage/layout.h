// Where everything stands below the output directory, and what file names say. docs/formats/directory.md.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Journal positions that a data file holds, both ends included: all records of its signal between them.
struct SequenceRange {
  uint64_t first = 0;
  uint64_t last = 0;
  bool Contains(uint64_t sequence) const { return sequence >= first && sequence <= last; }
};

// ".arrow" or ".parquet": what a file is read as.
std::string_view FileExtension(FileFormat format);
// By the extension; nullopt for any other, and for names that begin with a dot.
std::optional<FileFormat> FormatOfFileName(std::string_view name);

// A data file's name taken apart: <yyyymmdd>T<hhmmss>Z-<writer>-<first>_<last>.<extension>, or, of several such files
// merged into one, <yyyymmdd>T<hhmmss>Z-<id>-merged.<extension>
struct DataFileName {
  std::chrono::sys_seconds time;  // when the first of its items arrived; merged: the latest time of the files that it replaces
  std::string writer;             // merged: an id of its own
  SequenceRange range{1, 0};      // of the writer's journal; merged: none
  FileFormat format = FileFormat::kArrow;
  bool merged = false;

  std::string ToString() const;
  static std::optional<DataFileName> Parse(std::string_view name);
};

// A file whose name is one of ours.
struct DataFile {
  std::string path;       // whole
  std::string partition;  // the folder below the signal's, such as "date=2026-01-31/hour=23"; empty: none
  DataFileName name;
  uint64_t bytes = 0;
};

class StoreLayout {
 public:
  explicit StoreLayout(std::string output_dir) : root_(std::move(output_dir)) {}

  const std::string& root() const { return root_; }
  std::string DataDir(Signal signal) const { return root_ + "/otlp/" + std::string(SignalName(signal)); }
  // Held shared while a file is renamed into a signal's folder or deleted there, exclusively while the folder is exchanged.
  std::string PublishLock() const { return root_ + "/otlp/.lock"; }
  // Where files are merged; `lock` in it is held by the one process that does.
  std::string CompactDir() const { return root_ + "/compact"; }
  std::string CompactLock() const { return CompactDir() + "/lock"; }
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

// The signal's data files, those in partitions too, the oldest first. Folders and files of other names, and those
// that begin with a dot, are passed over. A missing folder has none.
Result<std::vector<DataFile>> ListDataFiles(const StoreLayout& layout, Signal signal);

// A new writer id: 12 lower-case hex digits from the system's random source.
std::string NewWriterId();

}  // namespace otlp_arrow
