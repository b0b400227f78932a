// OTLP/HTTP: POST /v1/traces, /v1/metrics and /v1/logs with binary protobuf, and pages for people and monitors.
// https://opentelemetry.io/docs/specs/otlp/#otlphttp
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

class Clock;

class OtlpHttpServer {
 public:
  // Listens on config.address and hands every request to `pipeline`, which must outlive the server. `clock` decides on
  // time-outs; null: the machine's. `more_metrics` makes Prometheus text of others for /metrics; it outlives the server. The error (kServer) names the address, the reason and the way out.
  static Result<std::unique_ptr<OtlpHttpServer>> Start(const HttpConfig& config, Pipeline* pipeline,
                                                       std::shared_ptr<Clock> clock = nullptr,
                                                       std::function<std::string()> more_metrics = {});

  // Shuts down at once if Shutdown() was not called.
  ~OtlpHttpServer();

  int port() const;
  // host:port, with the port that was taken where the configuration says 0.
  const std::string& address() const;

  // Stops listening and closes idle connections; requests that have begun are answered until `deadline` from now, then
  // cut off. Returns when nothing of the server is left. Later calls do nothing.
  void Shutdown(std::chrono::milliseconds deadline);

 private:
  class Impl;
  explicit OtlpHttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow
