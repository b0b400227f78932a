// Providers of the opentelemetry-cpp API over the native SDK: instrumentation that was written for that API records into a
// ring. Component otlp_arrow::opentelemetry_sdk; docs/cpp/sdk.md is the guide. Of opentelemetry-cpp they link the API alone,
// which is headers.
//
// No exception leaves them, and nothing they do fails: what cannot be recorded is counted by the recorder. Spans, meters and
// loggers keep what they need; they record nothing once the provider is shut down.
#pragma once

#include <memory>

#include <opentelemetry/logs/logger_provider.h>
#include <opentelemetry/metrics/meter_provider.h>
#include <opentelemetry/nostd/shared_ptr.h>
#include <opentelemetry/trace/tracer_provider.h>
#include <opentelemetry/version.h>

#include "otlp_arrow/export.h"
#include "otlp_arrow/sdk/provider.h"

OPENTELEMETRY_BEGIN_NAMESPACE
namespace sdk {
namespace trace {
class Sampler;
}
}  // namespace sdk
OPENTELEMETRY_END_NAMESPACE

namespace otlp_arrow {

struct OpenTelemetryTracerOptions {
  // One of opentelemetry-cpp's SDK, instead of the provider's. What it would have recorded but not exported is not recorded.
  std::shared_ptr<opentelemetry::sdk::trace::Sampler> sampler{};
};

// For opentelemetry::trace::Provider::SetTracerProvider. Parents are taken from the API's context; where that has none, from
// the native SDK's own current span. A status follows the specification's rules (kOk is final, kUnset changes nothing). Times
// of the steady clock are honoured; a span whose start has one, and whose end has none, ends by the steady clock.
OTLP_ARROW_EXPORT opentelemetry::nostd::shared_ptr<opentelemetry::trace::TracerProvider> MakeTracerProvider(
    std::shared_ptr<sdk::Provider> provider, const OpenTelemetryTracerOptions& options = {});

// For opentelemetry::metrics::Provider::SetMeterProvider. The views, temporality and exemplar filter are the provider's.
OTLP_ARROW_EXPORT opentelemetry::nostd::shared_ptr<opentelemetry::metrics::MeterProvider> MakeMeterProvider(std::shared_ptr<sdk::Provider> provider);

// For opentelemetry::logs::Provider::SetLoggerProvider. The scope of a log record is its library, else its logger's name.
OTLP_ARROW_EXPORT opentelemetry::nostd::shared_ptr<opentelemetry::logs::LoggerProvider> MakeLoggerProvider(std::shared_ptr<sdk::Provider> provider);

}  // namespace otlp_arrow
