// OTLP/gRPC: TraceService, MetricsService and LogsService, and the standard health service.
// https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

class OtlpGrpcServer {
 public:
  // Listens on config.address and hands every request to `pipeline`, which must outlive the server. The error (kServer)
  // names the address, the reason and the way out.
  static Result<std::unique_ptr<OtlpGrpcServer>> Start(const GrpcConfig& config, Pipeline* pipeline);

  // Shuts down at once if Shutdown() was not called.
  ~OtlpGrpcServer();

  int port() const;
  // host:port, with the port that was taken where the configuration says 0.
  const std::string& address() const;

  // New requests are refused as UNAVAILABLE; those that the pipeline is still deciding on are answered until `deadline`
  // from now, then refused too. Returns when nothing of the server is left. Later calls do nothing.
  void Shutdown(std::chrono::milliseconds deadline);

 private:
  class Impl;
  explicit OtlpGrpcServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow
