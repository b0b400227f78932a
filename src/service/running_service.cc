#include "service/running_service.h"

#include <algorithm>
#include <future>
#include <utility>

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kSelfTelemetryInterval(10);

}  // namespace

RunningService::RunningService(const Config& config) : file_counts_(config.output_dir, Clock::System()) {
  reloads_.last_good = std::chrono::system_clock::now();
}

RunningService::~RunningService() = default;

Result<std::unique_ptr<RunningService>> RunningService::Start(const Config& config) {
  std::unique_ptr<RunningService> service(new RunningService(config));
  OTLP_ASSIGN_OR_RETURN(service->pipeline_, Pipeline::Open(config));
  service->sink_ = std::make_unique<StoreSink>(service->pipeline_.get(), config.output_dir);
  service->adopter_ = std::make_unique<BackgroundAdopter>(config.output_dir, service->sink_.get());
  service->SetSelfTelemetry(config.self_telemetry);
  OTLP_RETURN_NOT_OK(service->StartServers(config));
  return service;
}

Status RunningService::StartServers(const Config& config) {
  // All before the first request for /metrics.
  MeasuredPipeline* const grpc = AddServer(config.grpc.enabled, "grpc");
  MeasuredPipeline* const flight = AddServer(config.flight.enabled, "flight");
  MeasuredPipeline* const http = AddServer(config.http.enabled, "http");
  if (grpc) {
    OTLP_ASSIGN_OR_RETURN(grpc_, OtlpGrpcServer::Start(config, grpc));
  }
  if (flight) {
    OTLP_ASSIGN_OR_RETURN(flight_, OtlpFlightServer::Start(config, flight));
  }
  if (http) {
    OTLP_ASSIGN_OR_RETURN(http_, OtlpHttpServer::Start(config, http, nullptr, [this] { return MetricsText(); }));
  }
  return Status::Ok();
}

MeasuredPipeline* RunningService::AddServer(bool enabled, const std::string& name) {
  if (!enabled) return nullptr;
  return measured_.emplace_back(std::make_unique<MeasuredPipeline>(name, pipeline_.get())).get();
}

void RunningService::SetSelfTelemetry(bool enabled) {
  if (enabled == (self_telemetry_ != nullptr)) return;
  self_telemetry_ = enabled ? std::make_unique<SelfTelemetry>(pipeline_.get(), kSelfTelemetryInterval) : nullptr;
}

std::string RunningService::MetricsText() {
  std::vector<const MeasuredPipeline*> servers;
  for (const auto& server : measured_) servers.push_back(server.get());
  ReloadCounts reloads;
  {
    std::lock_guard lock(reloads_mutex_);
    reloads = reloads_;
  }
  std::string text = ServiceMetricsText(servers, file_counts_.Get(), reloads);
  if (flight_) text += flight_->MetricsText();
  return text;
}

ListenAddresses RunningService::addresses() const {
  return {grpc_ ? grpc_->address() : "", http_ ? http_->address() : "", flight_ ? flight_->address() : ""};
}

std::vector<Status> RunningService::Reload(const Config& config) {
  std::vector<Status> failed;
  const auto check = [&failed](Status status) {
    if (!status.ok()) failed.push_back(std::move(status));
  };
  check(pipeline_->Reconfigure(config));
  if (grpc_) check(grpc_->Reload(config));
  if (http_) check(http_->Reload(config));
  if (flight_) check(flight_->Reload(config));
  SetSelfTelemetry(config.self_telemetry);
  std::lock_guard lock(reloads_mutex_);
  if (failed.empty()) reloads_.last_good = std::chrono::system_clock::now();
  ++(failed.empty() ? reloads_.good : reloads_.failed);
  return failed;
}

void RunningService::CountFailedReload() {
  std::lock_guard lock(reloads_mutex_);
  ++reloads_.failed;
}

Status RunningService::Stop(milliseconds timeout) {
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

}  // namespace otlp_arrow
