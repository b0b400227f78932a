// The writer behind otlp_arrow_library.mmap.MmapExporter. Everything here wants the GIL, which orders the calls.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gil.h"
#include "mmap_values.h"
#include "otlp_arrow/ring/ring_writer.h"

namespace otlp_arrow::python {

class MmapExporter {
 public:
  // Opens the file now. Raises OtlpConfigError, OtlpIOError.
  MmapExporter(std::string path, const ring::WriterOptions& options);
  // Opens at the first use the file that SDK_MMAP_EXPORTER_FILE names then.
  MmapExporter() = default;

  // Calls that are under way are finished first.
  void Close();
  bool is_closed() const { return is_closed_; }
  // Empty where no file was opened yet.
  const std::string& path() const { return path_; }
  ring::WriterCounters counters() const { return writer_ ? writer_->counters() : last_counters_; }

  // Keeps the writer from being closed for a scope: while arguments are read, Python code may run.
  class Use {
   public:
    Use(MmapExporter* exporter, const char* function) : exporter_(exporter) {
      if (!exporter->writer_ || exporter->is_closed_) [[unlikely]] exporter->Open(function);
      ++exporter->uses_;
    }
    ~Use() {
      if (--exporter_->uses_ == 0 && exporter_->is_closed_) [[unlikely]] exporter_->Free();
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ring::RingWriter* operator->() const { return exporter_->writer_.get(); }
    ring::RingWriter* get() const { return exporter_->writer_.get(); }

   private:
    MmapExporter* exporter_;
  };

  KeyCache* keys() { return &keys_; }
  // May a record wait? Then it does so without the GIL.
  bool may_wait() const { return may_wait_; }

  // A reference that this file gave for a thing of that kind, or 0 where `kind` may be empty. Raises OtlpExportError.
  ring::Ref RefArgument(const struct Argument& argument, ring::EntryKind kind);
  // Raises where nothing could be recorded for the arguments' sake; what found no room is counted.
  template <class Record>
  void Put(const char* function, const Record& record) {
    ring::RecordResult result;
    if (may_wait_) {
      GilRelease release;
      result = record();
    } else {
      result = record();
    }
    if (result == ring::RecordResult::kInvalid) [[unlikely]] RaiseInvalid(function);
  }

 private:
  struct KnownRef {
    ring::Ref ref = 0;
    uint8_t kinds = 0;
  };

  void Open(const char* function);
  void OpenFile(std::string path, const ring::WriterOptions& options);
  void Free();
  [[noreturn]] void RaiseInvalid(const char* function) const;

  std::unique_ptr<ring::RingWriter> writer_;
  std::string path_;
  bool is_closed_ = false;
  bool may_wait_ = false;
  int uses_ = 0;
  ring::WriterCounters last_counters_;
  KeyCache keys_;
  std::array<KnownRef, 64> known_{};  // by the low bits of the reference
};

}  // namespace otlp_arrow::python
