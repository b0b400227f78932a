// The service's own metrics, recorded as everybody else's (self_telemetry: true): what /metrics tells, as OTLP of the service otlp-arrow.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "otlp_arrow/telemetry.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

// The counters of a pipeline; cumulative ones count since `start`. Names: otlp_arrow.items, otlp_arrow.forward.items, …
ResourceMetrics CollectSelfTelemetry(const Pipeline& pipeline, const std::string& instance, uint64_t start_unix_nano, uint64_t now_unix_nano);

class SelfTelemetry {
 public:
  // Hands the counters to the pipeline at once, every `interval`, and at its end.
  SelfTelemetry(Pipeline* pipeline, std::chrono::milliseconds interval);
  ~SelfTelemetry();

 private:
  void Run(std::chrono::milliseconds interval);
  void Record();

  Pipeline* pipeline_;
  const uint64_t start_;
  const std::string instance_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace otlp_arrow
