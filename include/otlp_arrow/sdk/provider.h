// The native SDK: where an instrumented program begins. docs/cpp/sdk.md is the guide.
//
//   auto recorder = otlp_arrow::sdk::OpenFileRecorder({.path = "/dev/shm/shop.{pid}.mmap"});
//   auto provider = otlp_arrow::sdk::Provider::Create(*recorder, {.resource = {.attributes = {{"service.name", "shop"}}}});
//   auto tracer = (*provider)->GetTracer({.name = "shop.checkout"});
//   auto span = tracer.Start("POST /orders");
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/sdk/context.h"
#include "otlp_arrow/sdk/logger.h"
#include "otlp_arrow/sdk/meter.h"
#include "otlp_arrow/sdk/recorder.h"
#include "otlp_arrow/sdk/sampler.h"
#include "otlp_arrow/sdk/tracer.h"
#include "otlp_arrow/sdk/view.h"
#include "otlp_arrow/status.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow::sdk {

// What is not given here is what the environment says, else the specification's default.
struct ProviderOptions {
  // Added to it, where it does not have them: OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, telemetry.sdk.*, service.name.
  Resource resource{};
  bool resource_is_complete = false;            // nothing is added
  std::shared_ptr<const Sampler> sampler{};     // OTEL_TRACES_SAMPLER
  std::optional<SpanLimits> span_limits{};      // OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT and its sisters
  std::optional<LogLimits> log_limits{};        // OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT and its sister
  std::vector<View> views{};
  std::optional<MetricTemporality> temporality{};
  std::optional<ExemplarFilter> exemplar_filter{};
  // Between two rounds of callbacks; the recorder's own, else OTEL_METRIC_EXPORT_INTERVAL, else a minute.
  std::optional<std::chrono::milliseconds> metric_interval{};
  bool shut_down_recorder = true;               // with the provider
};

// Thread-safe; no call throws. A forked child goes on with it: callbacks of observables then run at its flushes and shutdown,
// and by themselves once the child has added one.
class OTLP_ARROW_EXPORT Provider {
 public:
  // Errors: kConfig: names the option or variable, its value and what is allowed.
  static Result<std::shared_ptr<Provider>> Create(std::shared_ptr<Recorder> recorder, ProviderOptions options = {});
  // Shuts down, with five seconds' time.
  ~Provider();
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  // They keep what they need, but nothing is recorded once the provider is shut down.
  Tracer GetTracer(InstrumentationScope scope) noexcept;
  Meter GetMeter(InstrumentationScope scope) noexcept;
  Logger GetLogger(InstrumentationScope scope) noexcept;

  // Calls back all observables, then as Recorder::ForceFlush.
  Status ForceFlush(std::chrono::milliseconds timeout = std::chrono::seconds(30)) noexcept;
  Status Shutdown(std::chrono::milliseconds timeout = std::chrono::seconds(30)) noexcept;

  const std::shared_ptr<Recorder>& recorder() const;
  const Resource& resource() const;

 private:
  class Impl;
  explicit Provider(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// `resource` and what OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME and the specification's defaults add to it. Malformed parts
// of the variable are left out, told on the log.
OTLP_ARROW_EXPORT Resource CompleteResource(Resource resource);

}  // namespace otlp_arrow::sdk
