// What the native SDK's tracers, meters and loggers record into: a recorder of C++, and what Python needs around it.
// Everything here wants the GIL, which orders the calls.
#pragma once

#include <cstdint>
#include <memory>

#include "mmap_values.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "otlp_arrow/sdk/recorder.h"

namespace otlp_arrow::python {

// `_native.Recorder`.
class Sink {
 public:
  // The recorder's ring reports that it is full (WhenFull::kReport); then a record waits for at most `max_wait_ms`.
  Sink(std::shared_ptr<sdk::Recorder> recorder, uint32_t max_wait_ms) : recorder_(std::move(recorder)), max_wait_ms_(max_wait_ms) {}
  // A recorder that ends may have something to write: others go on meanwhile.
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  const std::shared_ptr<sdk::Recorder>& recorder() const { return recorder_; }
  uint32_t epoch() const { return recorder_->epoch(); }

  // References of the keys of attributes, good for the epoch of now.
  KeyCache* keys() {
    if (keys_epoch_ != recorder_->epoch()) [[unlikely]] RenewKeys();
    return keys_.get();
  }

  // Records, or waits without the GIL until there is room, or counts a drop. `attempt` () -> ring::RecordResult makes its
  // views anew, because Python code may run between two attempts.
  template <class Attempt>
  void Put(ring::RingWriter* writer, ring::RingKind kind, const Attempt& attempt) {
    const ring::RecordResult result = attempt();
    if (result != ring::RecordResult::kRecorded) [[unlikely]] {
      PutAgain(writer, kind, result, [](const void* again) { return (*static_cast<const Attempt*>(again))(); }, &attempt);
    }
  }

  // Of this process; after a shutdown those of before it.
  ring::WriterCounters counters() const;
  // What could not be recorded for the values' sake (kInvalid).
  uint64_t invalid() const { return invalid_; }

 private:
  void RenewKeys();
  void PutAgain(ring::RingWriter* writer, ring::RingKind kind, ring::RecordResult result, ring::RecordResult (*attempt)(const void*), const void* again);

  std::shared_ptr<sdk::Recorder> recorder_;
  uint32_t max_wait_ms_;
  uint32_t keys_epoch_ = 0;
  std::unique_ptr<KeyCache> keys_;
  uint64_t invalid_ = 0;
  mutable ring::RingWriter* last_writer_ = nullptr;  // lives as long as the recorder
};

}  // namespace otlp_arrow::python
