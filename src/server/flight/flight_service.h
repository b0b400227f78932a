// The calls of Arrow Flight.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/server.h>

#include "otlp_arrow/config.h"
#include "pipeline/pipeline.h"
#include "query/put_rows.h"
#include "query/read_command.h"
#include "query/stream_planner.h"
#include "server/flight/flight_actions.h"
#include "server/flight/flight_counters.h"
#include "server/flight/stream_limit.h"

namespace otlp_arrow {

// Thread-safe. Outlives the listeners that call it.
class FlightService {
 public:
  FlightService(const Config& config, Pipeline* pipeline);

  // No stream begins any more, and of those that put no batch is taken.
  void Stop() { stopping_ = true; }
  std::string MetricsText() const;
  FlightCounters* counters() { return &counters_; }

  using CallContext = arrow::flight::ServerCallContext;
  using Descriptor = arrow::flight::FlightDescriptor;

  arrow::Status ListFlights(const CallContext& context, const arrow::flight::Criteria* criteria,
                            std::unique_ptr<arrow::flight::FlightListing>* listings);
  arrow::Status GetFlightInfo(const CallContext& context, const Descriptor& request, std::unique_ptr<arrow::flight::FlightInfo>* info);
  arrow::Status GetSchema(const CallContext& context, const Descriptor& request, std::unique_ptr<arrow::flight::SchemaResult>* schema);
  arrow::Status DoGet(const CallContext& context, const arrow::flight::Ticket& request,
                      std::unique_ptr<arrow::flight::FlightDataStream>* stream);
  arrow::Status DoPut(const CallContext& context, std::unique_ptr<arrow::flight::FlightMessageReader> reader,
                      std::unique_ptr<arrow::flight::FlightMetadataWriter> writer);
  arrow::Status DoAction(const CallContext& context, const arrow::flight::Action& action,
                         std::unique_ptr<arrow::flight::ResultStream>* result);
  arrow::Status ListActions(const CallContext& context, std::vector<arrow::flight::ActionType>* actions);

 private:
  arrow::Result<arrow::flight::FlightInfo> InfoOf(const Descriptor& descriptor, const ReadCommand& command);
  arrow::Result<std::unique_ptr<StreamLimit::Open>> OpenStream();

  Pipeline* pipeline_;
  PutLimits limits_;
  std::vector<PromotedAttribute> promoted_;
  StreamPlanner planner_;
  StreamLimit streams_;
  FlightCounters counters_;
  std::atomic<bool> stopping_{false};
  FlightActions actions_;
};

}  // namespace otlp_arrow
