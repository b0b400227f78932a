// One DoPut: batch by batch into the pipeline, each acknowledged once it is kept.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include <arrow/flight/server.h>
#include <arrow/status.h>

#include "pipeline/pipeline.h"
#include "query/put_rows.h"

namespace otlp_arrow {

class PutStream {
 public:
  struct Environment {
    Pipeline* pipeline;
    const std::atomic<bool>* stopping;
    std::chrono::milliseconds patience{10'000};  // how long a batch waits for room before it is refused
  };
  PutStream(Environment environment, const arrow::flight::ServerCallContext* context, PutRows rows, bool acknowledge_each);

  // Until the client is done. Errors: what the client is to be told.
  arrow::Status Run(arrow::flight::FlightMessageReader* reader, arrow::flight::FlightMetadataWriter* writer);

 private:
  arrow::Status Take(const arrow::RecordBatch& batch);
  // One request of a batch, again and again while there is no room.
  AcceptResult Accept(std::string request);
  bool IsOver() const { return context_->is_cancelled() || *environment_.stopping; }
  arrow::Status Acknowledge(arrow::flight::FlightMetadataWriter* writer, int64_t batch) const;

  Environment environment_;
  const arrow::flight::ServerCallContext* context_;
  PutRows rows_;
  bool acknowledge_each_;
  int64_t accepted_ = 0;  // since the last acknowledgement
  int64_t rejected_ = 0;
  std::string rejected_reason_;
};

}  // namespace otlp_arrow
