// Everything that `otlp-arrow serve` runs between its start and its end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "pipeline/pipeline.h"
#include "recorder/background_adopter.h"
#include "recorder/store_sinks.h"
#include "server/flight/otlp_flight_server.h"
#include "server/grpc/otlp_grpc_server.h"
#include "server/http/otlp_http_server.h"
#include "service/measured_pipeline.h"
#include "service/self_telemetry.h"
#include "service/serve_messages.h"
#include "service/service_metrics.h"

namespace otlp_arrow {

class RunningService {
 public:
  // Recovers what is there, then listens. Errors: those of Pipeline::Open and of the servers.
  static Result<std::unique_ptr<RunningService>> Start(const Config& config);
  ~RunningService();

  ListenAddresses addresses() const;
  const Pipeline& pipeline() const { return *pipeline_; }

  // Takes over what can change while it runs; certificates and secrets are read again too. Each part that cannot keeps what it had: its error
  // is returned. Not at the same time as itself or Stop.
  std::vector<Status> Reload(const Config& config);
  // Counts a configuration that could not be read.
  void CountFailedReload();

  // Stops accepting, finishes what is under way, writes everything.
  Status Stop(std::chrono::milliseconds timeout);

 private:
  explicit RunningService(const Config& config);
  Status StartServers(const Config& config);
  // Null where the server is off.
  MeasuredPipeline* AddServer(bool enabled, const std::string& name);
  void SetSelfTelemetry(bool enabled);
  std::string MetricsText();

  FileCounts file_counts_;
  std::mutex reloads_mutex_;
  ReloadCounts reloads_;
  std::vector<std::unique_ptr<MeasuredPipeline>> measured_;  // outlives the pipeline, whose last answers are counted
  // The others hold a pointer to the pipeline and go first.
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<StoreSink> sink_;
  std::unique_ptr<BackgroundAdopter> adopter_;
  std::unique_ptr<SelfTelemetry> self_telemetry_;
  std::unique_ptr<OtlpGrpcServer> grpc_;
  std::unique_ptr<OtlpFlightServer> flight_;
  std::unique_ptr<OtlpHttpServer> http_;  // asks the others for their metrics
};

}  // namespace otlp_arrow
