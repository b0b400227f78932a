#include "sdk_sink.h"

#include <utility>

#include "gil.h"

namespace otlp_arrow::python {

Sink::~Sink() {
  GilRelease release;
  recorder_.reset();
}

ring::WriterCounters Sink::counters() const {
  if (auto writer = recorder_->Writer(); writer.ok()) last_writer_ = *writer;
  return last_writer_ ? last_writer_->counters() : ring::WriterCounters();
}

void Sink::RenewKeys() {
  const uint32_t epoch = recorder_->epoch();
  auto keys = std::make_unique<KeyCache>();
  std::swap(keys_, keys);
  keys_epoch_ = epoch;
}

void Sink::PutAgain(ring::RingWriter* writer, ring::RingKind kind, ring::RecordResult result, ring::RecordResult (*attempt)(const void*),
                    const void* again) {
  // Others may take the room that one of them waited for, so more than one wait may be needed.
  constexpr int kMostWaits = 3;
  for (int waits = 0; result == ring::RecordResult::kFull && waits < kMostWaits; ++waits) {
    bool has_room = false;
    {
      GilRelease release;
      has_room = writer->WaitForRoom(kind, max_wait_ms_);
    }
    if (!has_room) break;
    result = attempt(again);
  }
  if (result == ring::RecordResult::kFull) {
    writer->CountDropped(1);
  } else if (result == ring::RecordResult::kInvalid) {
    ++invalid_;
  }
}

}  // namespace otlp_arrow::python
