// Arrow Flight: record batches in (DoPut) and out (DoGet). docs/flight.md
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "otlp_arrow/config.h"
#include "otlp_arrow/status.h"
#include "pipeline/pipeline.h"

namespace otlp_arrow {

class OtlpFlightServer {
 public:
  // Listens on config.flight.address, hands what is put to `pipeline`, which must outlive the server, and reads config.output_dir.
  // Errors: kServer naming the address, the reason and the way out; kConfig for a certificate or token that cannot be had.
  static Result<std::unique_ptr<OtlpFlightServer>> Start(const Config& config, Pipeline* pipeline);

  // Shuts down at once if Shutdown() was not called.
  ~OtlpFlightServer();

  int port() const;
  // host:port, with the port that was taken where the configuration says 0.
  const std::string& address() const;
  // Its counters as Prometheus text: otlp_arrow_flight_{gets,puts,refused_streams,sent_bytes}_total, otlp_arrow_flight_open_streams.
  std::string MetricsText() const;

  // Takes certificates and credentials of another configuration; what else differs needs another server. For other certificates the port
  // is opened anew: streams may go on for FlightPort::kTimeToEnd. Errors: kConfig, and then nothing changes; kServer where the port could
  // not be opened again, which is tried on.
  Status Reload(const Config& config);

  // New calls and batches are refused as UNAVAILABLE; rows are read on until `deadline` from now, then all calls are cut off.
  // Returns when nothing of the server is left. Later calls do nothing.
  void Shutdown(std::chrono::milliseconds deadline);

 private:
  class Impl;
  explicit OtlpFlightServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow
