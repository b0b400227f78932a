// What DoAction does: flush, health, schema, stats.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <arrow/flight/types.h>
#include <arrow/status.h>

#include "pipeline/pipeline.h"
#include "query/stream_planner.h"
#include "server/flight/flight_counters.h"
#include "server/flight/stream_limit.h"

namespace otlp_arrow {

class FlightActions {
 public:
  FlightActions(Pipeline* pipeline, StreamPlanner* planner, const FlightCounters* counters, const StreamLimit* streams)
      : pipeline_(pipeline), planner_(planner), counters_(counters), streams_(streams) {}

  static std::vector<arrow::flight::ActionType> List();
  // One result.
  arrow::Result<std::shared_ptr<arrow::Buffer>> Run(const arrow::flight::Action& action) const;

 private:
  arrow::Result<std::shared_ptr<arrow::Buffer>> Flush(std::string_view body) const;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Schema(std::string_view body) const;
  std::string Stats() const;
  std::string Health() const;

  Pipeline* pipeline_;
  StreamPlanner* planner_;
  const FlightCounters* counters_;
  const StreamLimit* streams_;
};

}  // namespace otlp_arrow
