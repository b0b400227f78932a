#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "base/platform/platform.h"
#include "pipeline/pipeline.h"
#include "recorder/background_adopter.h"
#include "recorder/store_sinks.h"
#include "server/flight/otlp_flight_server.h"
#include "server/grpc/otlp_grpc_server.h"
#include "server/http/otlp_http_server.h"
#include "service/commands.h"
#include "service/logging.h"
#include "service/self_telemetry.h"
#include "service/serve_messages.h"
#include "service/signal_watch.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSelfTelemetryInterval(10);

// Everything that runs between start and end.
class Service {
 public:
  static Result<std::unique_ptr<Service>> Start(const Config& config) {
    auto service = std::make_unique<Service>();
    OTLP_ASSIGN_OR_RETURN(service->pipeline_, Pipeline::Open(config));
    service->sink_ = std::make_unique<StoreSink>(service->pipeline_.get(), config.output_dir);
    service->adopter_ = std::make_unique<BackgroundAdopter>(config.output_dir, service->sink_.get());
    if (config.grpc.enabled) {
      OTLP_ASSIGN_OR_RETURN(service->grpc_, OtlpGrpcServer::Start(config.grpc, service->pipeline_.get()));
    }
    if (config.flight.enabled) {
      OTLP_ASSIGN_OR_RETURN(service->flight_, OtlpFlightServer::Start(config, service->pipeline_.get()));
    }
    if (config.self_telemetry) service->self_telemetry_ = std::make_unique<SelfTelemetry>(service->pipeline_.get(), kSelfTelemetryInterval);
    std::function<std::string()> flight_metrics;
    if (service->flight_) flight_metrics = [flight = service->flight_.get()] { return flight->MetricsText(); };
    if (config.http.enabled) {
      OTLP_ASSIGN_OR_RETURN(service->http_, OtlpHttpServer::Start(config.http, service->pipeline_.get(), nullptr, std::move(flight_metrics)));
    }
    return service;
  }

  ListenAddresses addresses() const { return {grpc_ ? grpc_->address() : "", http_ ? http_->address() : "", flight_ ? flight_->address() : ""}; }
  Ledger GetLedger() const { return pipeline_->GetLedger(); }
  std::vector<DestinationStats> ForwardingStats() const { return pipeline_->ForwardingStats(); }

  // Stops accepting, finishes what is under way, writes everything.
  Status Stop(milliseconds timeout) {
    const auto deadline = SteadyClock::now() + timeout;
    // The larger part of the time is for writing files.
    const milliseconds for_requests = std::min(milliseconds(5000), timeout / 2);
    auto http_stopped = std::async(std::launch::async, [&] {
      if (http_) http_->Shutdown(for_requests);
    });
    auto flight_stopped = std::async(std::launch::async, [&] {
      if (flight_) flight_->Shutdown(for_requests);
    });
    if (grpc_) grpc_->Shutdown(for_requests);
    http_stopped.wait();
    flight_stopped.wait();
    adopter_.reset();
    self_telemetry_.reset();
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - SteadyClock::now());
    return pipeline_->Shutdown(std::max(left, milliseconds(0)));
  }

 private:
  // The others hold a pointer to the pipeline and go first.
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<StoreSink> sink_;
  std::unique_ptr<BackgroundAdopter> adopter_;
  std::unique_ptr<SelfTelemetry> self_telemetry_;
  std::unique_ptr<OtlpGrpcServer> grpc_;
  std::unique_ptr<OtlpFlightServer> flight_;
  std::unique_ptr<OtlpHttpServer> http_;  // asks the one before for its metrics
};

Status CheckServesSomething(const Config& config) {
  if (config.grpc.enabled || config.http.enabled || config.flight.enabled) return Status::Ok();
  return Status::Config("grpc.enabled, http.enabled and flight.enabled are all false, so nothing could arrive; enable one of them");
}

int StopService(Service* service, const Config& config, int signal) {
  spdlog::info("got {}: writing what is under way, for at most {} s; again to end at once",
               signal == SIGINT    ? "SIGINT"
               : signal == SIGTERM ? "SIGTERM"
                                   : "SIGHUP",
               config.shutdown_timeout_secs);
  const Status status = service->Stop(std::chrono::seconds(config.shutdown_timeout_secs));
  for (const auto& line : LedgerLines(service->GetLedger())) spdlog::info("{}", line);
  for (const auto& line : ForwardingLines(service->ForwardingStats())) spdlog::info("{}", line);
  if (!status.ok()) {
    spdlog::error("{}", status.message());
    return kExitFailure;
  }
  spdlog::info("ended");
  return kExitOk;
}

}  // namespace

int RunServe(const ServeOptions& options, const Console& console) {
  SignalWatch watch;
  ConfigSources sources{
      .yaml_name = {}, .yaml_text = {}, .environment = console.environment, .flags = options.settings, .forward = options.forward};
  auto loaded = LoadConfigFile(options.config_file, std::move(sources));
  if (!loaded.ok()) return Report(loaded.status(), console);
  const Config& config = loaded->config;
  ConfigureLogging(config.log_level);
  for (const auto& w : loaded->warnings) spdlog::warn("{}", w);
  const Status serves = CheckServesSomething(config);
  if (!serves.ok()) return Report(serves, console);
  if (options.check_config) {
    console.out << ConfigToYaml(config, loaded->origins) << std::flush;
    return kExitOk;
  }

  platform::GiveMemoryBack();
  spdlog::debug("open files: up to {}", platform::RaiseOpenFileLimit());
  auto service = Service::Start(config);
  if (!service.ok()) return Report(service.status(), console);
  console.err << StartMessage(config, (*service)->addresses()) << std::flush;
  spdlog::info("{}", RetentionLine(config));
  return StopService(service->get(), config, watch.Wait());
}

}  // namespace otlp_arrow
