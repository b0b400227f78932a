// One DoGet: stored rows, one message at a time as the client takes them.
#pragma once

#include <cstdint>
#include <memory>

#include <arrow/flight/server.h>

#include "query/message_stream.h"
#include "server/flight/flight_counters.h"
#include "server/flight/stream_limit.h"

namespace otlp_arrow {

class GetStream final : public arrow::flight::FlightDataStream {
 public:
  // `context` lives as long as the call, and so longer than the stream.
  GetStream(StreamPlan plan, bool decompress, const arrow::flight::ServerCallContext* context,
            std::unique_ptr<StreamLimit::Open> open, FlightCounters* counters);
  ~GetStream() override;

  std::shared_ptr<arrow::Schema> schema() override { return messages_.schema(); }
  arrow::Result<arrow::flight::FlightPayload> GetSchemaPayload() override;
  arrow::Result<arrow::flight::FlightPayload> Next() override;

 private:
  std::unique_ptr<StreamLimit::Open> open_;
  FlightCounters* counters_;
  MessageStream messages_;
};

// Gives back the memory that streams keep for one another.
void TrimStreamMemory();

}  // namespace otlp_arrow
