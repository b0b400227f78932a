#include "server/flight/get_stream.h"

#include <optional>
#include <utility>

#include "query/large_buffer_pool.h"
#include "server/flight/flight_status.h"

namespace otlp_arrow {
namespace {

// Never destroyed: gRPC may hold on to a message for a moment after its stream is gone.
LargeBufferPool* StreamMemory() {
  static auto* const pool = new LargeBufferPool();
  return pool;
}

arrow::flight::FlightPayload ToFlight(arrow::ipc::IpcPayload payload) { return {nullptr, nullptr, std::move(payload)}; }

}  // namespace

void TrimStreamMemory() { StreamMemory()->Trim(); }

GetStream::GetStream(StreamPlan plan, bool decompress, const arrow::flight::ServerCallContext* context,
                     std::unique_ptr<StreamLimit::Open> open, FlightCounters* counters)
    : open_(std::move(open)),
      counters_(counters),
      messages_(std::move(plan), {.decompress = decompress,
                                  .pool = StreamMemory(),
                                  .is_cancelled = [context] { return context->is_cancelled(); }}) {}

GetStream::~GetStream() {
  if (open_ && open_->is_last()) TrimStreamMemory();
}

arrow::Result<arrow::flight::FlightPayload> GetStream::GetSchemaPayload() {
  auto payload = messages_.Schema();
  if (!payload.ok()) return ToFlightStatus(payload.status());
  return ToFlight(*std::move(payload));
}

arrow::Result<arrow::flight::FlightPayload> GetStream::Next() {
  try {
    auto payload = messages_.Next();
    if (!payload.ok()) return ToFlightStatus(payload.status());
    if (!payload->has_value()) return arrow::flight::FlightPayload();  // the end
    counters_->bytes_sent += (*payload)->body_length;
    return ToFlight(**std::move(payload));
  } catch (const std::exception& error) {
    return ToFlightStatus(Status::Io(std::string("cannot read on: ") + error.what()));
  }
}

}  // namespace otlp_arrow
