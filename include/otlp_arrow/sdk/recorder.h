// Where the native SDK records: an OTLP-MMAP ring that belongs to a process. What is recorded is in the ring when the call
// returns, so it outlives the program. docs/formats/mmap.md
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "otlp_arrow/export.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow::sdk {

// Thread-safe. After fork() the child may go on using it, see epoch().
class OTLP_ARROW_EXPORT Recorder {
 public:
  virtual ~Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // References (of strings, scopes, metrics) are good for one epoch and its Writer(). A new epoch begins in each forked child,
  // which may have another ring and be another resource; spans that the parent has started end in the parent alone. Never 0.
  uint32_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }

  // The ring of this process, opened where that is still to be done; it stays mapped as long as the recorder lives.
  // Errors: kConfig, kIo of RingWriter::Open; kShutdown.
  virtual Result<ring::RingWriter*> Writer() = 0;

  // Returns when everything recorded before the call is where it is meant to be: in the file already for a file of its own,
  // in readable Arrow files (points of metrics included) for a library. Errors: kExport (retryable) when `timeout` ran
  // out; kIo; kShutdown.
  virtual Status ForceFlush(std::chrono::milliseconds timeout) = 0;

  // Nothing is recorded afterwards. What was recorded is flushed; what `timeout` does not suffice for stays in the ring file,
  // for the next start. Later calls return the first one's outcome.
  virtual Status Shutdown(std::chrono::milliseconds timeout) = 0;
  bool is_shut_down() const noexcept { return shut_down_.load(std::memory_order_acquire); }

  // How often points of metrics are taken where this process does that (a library); zero where a collector does.
  virtual std::chrono::milliseconds metric_interval() const { return std::chrono::milliseconds(0); }

 protected:
  Recorder() = default;
  std::atomic<uint32_t> epoch_{1};
  std::atomic<bool> shut_down_{false};
};

struct FileRecorderOptions {
  // The ring file; created where there is none. "{pid}" in it stands for the number of the process: a forked child then has
  // a file of its own, otherwise it shares its parent's.
  std::string path;
  ring::WriterOptions ring;
};

// For a collector in another process (`otlp-arrow collect`), now or after a crash. Errors: kConfig, kIo.
OTLP_ARROW_EXPORT Result<std::shared_ptr<Recorder>> OpenFileRecorder(const FileRecorderOptions& options);

}  // namespace otlp_arrow::sdk
