// The writer of a thread, whose memory serves one request after the other.
#pragma once

#include <memory>
#include <utility>

#include "otlp_arrow/wire_writer.h"

namespace otlp_arrow::exporters {

class ScratchWriter {
 public:
  // Whoever comes while it is in use (a log line about an export may itself be exported) gets one of its own.
  ScratchWriter() : writer_(std::move(kept())) {
    if (!writer_) writer_ = std::make_unique<wire::Writer>();
    writer_->Clear();
  }
  ~ScratchWriter() {
    constexpr size_t kMostKept = 4 << 20;  // a larger one was an exception: its memory goes back
    if (writer_->capacity() <= kMostKept) kept() = std::move(writer_);
  }
  ScratchWriter(const ScratchWriter&) = delete;
  ScratchWriter& operator=(const ScratchWriter&) = delete;

  wire::Writer* get() { return writer_.get(); }

 private:
  static std::unique_ptr<wire::Writer>& kept() {
    thread_local std::unique_ptr<wire::Writer> writer;
    return writer;
  }

  std::unique_ptr<wire::Writer> writer_;
};

}  // namespace otlp_arrow::exporters
