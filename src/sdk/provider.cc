#include "otlp_arrow/sdk/provider.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "sdk/environment.h"
#include "sdk/logger_core.h"
#include "sdk/meter_core.h"
#include "sdk/text.h"
#include "sdk/tracer_core.h"

namespace otlp_arrow::sdk {
namespace {

using std::chrono::milliseconds;

Result<MetricTemporality> TemporalityFromEnvironment() {
  const std::string name = LowerCase(Environment("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"));
  if (name.empty() || name == "cumulative") return MetricTemporality::kCumulative;
  if (name == "delta") return MetricTemporality::kDelta;
  if (name == "lowmemory") return MetricTemporality::kLowMemory;
  return Status::Config("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: '" + name + "' is not known; use cumulative, delta or lowmemory");
}

Result<ExemplarFilter> ExemplarFilterFromEnvironment() {
  const std::string name = LowerCase(Environment("OTEL_METRICS_EXEMPLAR_FILTER"));
  if (name.empty() || name == "trace_based") return ExemplarFilter::kTraceBased;
  if (name == "always_on") return ExemplarFilter::kAlwaysOn;
  if (name == "always_off") return ExemplarFilter::kAlwaysOff;
  return Status::Config("OTEL_METRICS_EXEMPLAR_FILTER: '" + name + "' is not known; use trace_based, always_on or always_off");
}

Result<milliseconds> IntervalOf(const Recorder& recorder, const ProviderOptions& options) {
  int64_t interval = 60'000;
  OTLP_RETURN_NOT_OK(ReadMilliseconds("OTEL_METRIC_EXPORT_INTERVAL", &interval));
  if (recorder.metric_interval().count() > 0) interval = recorder.metric_interval().count();
  if (options.metric_interval) interval = options.metric_interval->count();
  if (interval < 1) return Status::Config("metric_interval: " + std::to_string(interval) + " ms is not allowed; use at least 1");
  return milliseconds(interval);
}

Result<std::shared_ptr<ProviderCore>> MakeCore(std::shared_ptr<Recorder> recorder, ProviderOptions options) {
  OTLP_ASSIGN_OR_RETURN(const milliseconds interval, IntervalOf(*recorder, options));
  Resource resource = options.resource_is_complete ? std::move(options.resource) : CompleteResource(std::move(options.resource));
  auto core = std::make_shared<ProviderCore>(std::move(recorder), std::make_shared<const Resource>(std::move(resource)));
  core->sampler = std::move(options.sampler);
  if (!core->sampler) {
    OTLP_ASSIGN_OR_RETURN(core->sampler, SamplerFromEnvironment());
  }
  OTLP_ASSIGN_OR_RETURN(core->span_limits, options.span_limits ? Result<SpanLimits>(*options.span_limits) : SpanLimitsFromEnvironment());
  OTLP_ASSIGN_OR_RETURN(core->log_limits, options.log_limits ? Result<LogLimits>(*options.log_limits) : LogLimitsFromEnvironment());
  OTLP_ASSIGN_OR_RETURN(core->temporality, options.temporality ? Result<MetricTemporality>(*options.temporality) : TemporalityFromEnvironment());
  OTLP_ASSIGN_OR_RETURN(core->exemplar_filter, options.exemplar_filter ? Result<ExemplarFilter>(*options.exemplar_filter) : ExemplarFilterFromEnvironment());
  core->views = std::move(options.views);
  core->shut_down_recorder = options.shut_down_recorder;
  core->observers = std::make_shared<Observers>(interval);
  return core;
}

std::string KeyOf(const InstrumentationScope& scope) {
  std::string key;
  for (const std::string* part : {&scope.name, &scope.version, &scope.schema_url}) key.append(std::to_string(part->size())).append(":").append(*part);
  return key;
}

void MakeValid(InstrumentationScope* scope) {
  for (std::string* text : {&scope->name, &scope->version, &scope->schema_url}) {
    if (!IsUtf8(*text)) *text = ReplaceInvalidUtf8(*text);
  }
}

// "No limit" is said in many ways.
Observers::Clock::time_point DeadlineOf(milliseconds timeout) {
  return Observers::Clock::now() + std::clamp<milliseconds>(timeout, milliseconds(0), std::chrono::hours(24));
}
milliseconds LeftUntil(Observers::Clock::time_point deadline) {
  return std::max(std::chrono::duration_cast<milliseconds>(deadline - Observers::Clock::now()), milliseconds(0));
}

}  // namespace

class Provider::Impl {
 public:
  explicit Impl(std::shared_ptr<ProviderCore> shared) : core(std::move(shared)) {}

  // The one of this scope. Those with attributes are made anew each time.
  template <class Core>
  std::shared_ptr<Core> Get(std::map<std::string, std::shared_ptr<Core>>* known, InstrumentationScope scope) {
    MakeValid(&scope);
    if (!scope.attributes.empty()) return std::make_shared<Core>(core, std::move(scope));
    const std::string key = KeyOf(scope);
    {
      std::lock_guard lock(core->mutex);
      if (const auto found = known->find(key); found != known->end()) return found->second;
    }
    auto made = std::make_shared<Core>(core, std::move(scope));
    std::lock_guard lock(core->mutex);
    return known->try_emplace(key, std::move(made)).first->second;
  }

  const std::shared_ptr<ProviderCore> core;
  std::map<std::string, std::shared_ptr<TracerCore>> tracers;
  std::map<std::string, std::shared_ptr<MeterCore>> meters;
  std::map<std::string, std::shared_ptr<LoggerCore>> loggers;
};

Result<std::shared_ptr<Provider>> Provider::Create(std::shared_ptr<Recorder> recorder, ProviderOptions options) {
  if (!recorder) return Status::Config("recorder: there is none");
  OTLP_ASSIGN_OR_RETURN(auto core, MakeCore(std::move(recorder), std::move(options)));
  return std::shared_ptr<Provider>(new Provider(std::make_unique<Impl>(std::move(core))));
}

Provider::Provider(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Provider::~Provider() { (void)Shutdown(std::chrono::seconds(5)); }

Tracer Provider::GetTracer(InstrumentationScope scope) noexcept {
  Tracer tracer;
  Guarded([&] { tracer = Tracer(impl_->Get(&impl_->tracers, std::move(scope))); });
  return tracer;
}

Meter Provider::GetMeter(InstrumentationScope scope) noexcept {
  Meter meter;
  Guarded([&] { meter = Meter(impl_->Get(&impl_->meters, std::move(scope))); });
  return meter;
}

Logger Provider::GetLogger(InstrumentationScope scope) noexcept {
  Logger logger;
  Guarded([&] { logger = Logger(impl_->Get(&impl_->loggers, std::move(scope))); });
  return logger;
}

Status Provider::ForceFlush(milliseconds timeout) noexcept {
  const auto deadline = DeadlineOf(timeout);
  const bool observed = impl_->core->observers->ObserveAll(deadline);
  Status status = impl_->core->recorder->ForceFlush(LeftUntil(deadline));
  if (status.ok() && !observed) return Status(StatusCode::kExport, "callbacks of observable instruments took longer than " + std::to_string(timeout.count()) + " ms", true);
  return status;
}

Status Provider::Shutdown(milliseconds timeout) noexcept {
  const auto deadline = DeadlineOf(timeout);
  ProviderCore& core = *impl_->core;
  if (!core.is_shut_down.load() && !core.recorder->is_shut_down()) core.observers->ObserveAll(deadline);
  core.is_shut_down.store(true);
  core.observers->Stop(deadline);
  if (core.shut_down_recorder) return core.recorder->Shutdown(LeftUntil(deadline));
  return core.recorder->is_shut_down() ? Status::Ok() : core.recorder->ForceFlush(LeftUntil(deadline));
}

const std::shared_ptr<Recorder>& Provider::recorder() const { return impl_->core->recorder; }
const Resource& Provider::resource() const { return *impl_->core->resource; }

}  // namespace otlp_arrow::sdk
