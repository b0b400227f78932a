// OTLP/HTTP: POST /v1/traces, /v1/metrics and /v1/logs with protobuf or JSON, and pages for people and monitors.
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
  // Listens on config.http.address and hands every request to `pipeline`, which must outlive the server. `clock` decides on
  // time-outs; null: the machine's. `more_metrics` makes Prometheus text of others for /metrics; it outlives the server.
  // Errors: kServer naming the address, the reason and the way out; kConfig for certificates and secrets that cannot be had.
  static Result<std::unique_ptr<OtlpHttpServer>> Start(const Config& config, Pipeline* pipeline, std::shared_ptr<Clock> clock = nullptr,
                                                       std::function<std::string()> more_metrics = {});

  // From now on goes by config.http, .tls and .auth, but for the address: certificates for new connections, all else for new
  // requests. Certificates are also read again on their own when their files change. With an error all stays as it was.
  Status Reload(const Config& config);

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
