// OTLP/gRPC: TraceService, MetricsService and LogsService, and the standard health and reflection services.
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
  // Listens on config.grpc.address and hands every request to `pipeline`, which must outlive the server. Errors: kServer naming the
  // address, the reason and the way out; kConfig for a certificate or secret that cannot be had.
  static Result<std::unique_ptr<OtlpGrpcServer>> Start(const Config& config, Pipeline* pipeline);

  // Shuts down at once if Shutdown() was not called.
  ~OtlpGrpcServer();

  int port() const;
  // host:port, with the port that was taken where the configuration says 0.
  const std::string& address() const;

  // Takes certificates and `auth` of another configuration, for connections and calls to come; what else differs needs another server.
  // Errors: kConfig, and then nothing changes.
  Status Reload(const Config& config);

  // New requests are refused as UNAVAILABLE; those that the pipeline is still deciding on are answered until `deadline`
  // from now, then refused too. Returns when nothing of the server is left. Later calls do nothing.
  void Shutdown(std::chrono::milliseconds deadline);

 private:
  class Impl;
  explicit OtlpGrpcServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow
