// A process's own ring below a library's directory, and the thread that takes from it what the library stores.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "collector/ring_drain.h"
#include "otlp_arrow/library.h"
#include "otlp_arrow/library_recorder.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "recorder/ring_adopter.h"
#include "recorder/store_sinks.h"

namespace otlp_arrow {

// Thread-safe. Not to be used, nor destroyed, by a forked child.
class RingSession : public std::enable_shared_from_this<RingSession> {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // Errors: kIo, kConfig.
  static Result<std::shared_ptr<RingSession>> Open(std::shared_ptr<OtlpLibrary> library, const LibraryRecorderOptions& options);
  ~RingSession();
  RingSession(const RingSession&) = delete;
  RingSession& operator=(const RingSession&) = delete;

  ring::RingWriter* writer() const { return writer_.get(); }

  // Returns when the library has all that was recorded before the call, points of metrics included. Errors: kExport
  // (retryable): not by the deadline; kIo: the ring is none any more.
  Status Flush(Deadline deadline);
  // The same for the last time: spans that are open are handed on as incomplete, and the ring is removed. What could not be
  // handed on by the deadline stays in it. Later calls return the first one's outcome.
  Status Stop(Deadline deadline);
  // Stops, and removes a ring that nobody has recorded into.
  void Discard();
  // In a forked child: what it keeps is the parent's.
  void Abandon() { library_.reset(); }

 private:
  RingSession(std::shared_ptr<OtlpLibrary> library, const LibraryRecorderOptions& options);
  Status OpenRing();
  void Run();
  void Work();
  bool Serve();
  void Close();
  void AdoptSometimes();
  void Rest(bool worked);
  void Fail(const Status& why);

  std::shared_ptr<OtlpLibrary> library_;
  const LibraryRecorderOptions options_;
  LibrarySink sink_;
  RingAdopter adopter_;
  std::string path_;
  std::unique_ptr<ring::RingWriter> writer_;

  // The thread's own.
  std::unique_ptr<RingDrain> drain_;
  RingDrain::Positions flush_to_{};
  uint64_t flushing_ = 0;  // which of the flushes is under way
  std::chrono::steady_clock::time_point next_scan_{};
  std::chrono::steady_clock::duration pause_{};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  uint64_t flushes_wanted_ = 0, flushes_done_ = 0;
  Status trouble_;  // why the library takes nothing at the moment; not retryable: why the ring is read no more
  bool stopping_ = false, stopped_ = false;
  Deadline stop_by_{};
  Status outcome_;
  std::thread thread_;
};

}  // namespace otlp_arrow
