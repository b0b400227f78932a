// Exporters for the opentelemetry-cpp SDK: what its providers record goes to an OtlpLibrary. Component
// otlp_arrow::opentelemetry_exporters; docs/cpp/exporters.md is the guide.
//
// All of them share their library and may be used from any number of threads and processors. They never shut the library
// down and may outlive its shutdown: exports fail from then on. No exception leaves them. What goes wrong becomes an
// ExportResult, one line in the SDK's internal log (a kind of failure at most once a minute, the library's shutdown
// once), and last_error().
#pragma once

#include <chrono>
#include <memory>

#include <opentelemetry/sdk/logs/exporter.h>
#include <opentelemetry/sdk/metrics/export/metric_producer.h>
#include <opentelemetry/sdk/metrics/metric_reader.h>
#include <opentelemetry/sdk/metrics/push_metric_exporter.h>
#include <opentelemetry/sdk/trace/exporter.h>

#include "otlp_arrow/export.h"
#include "otlp_arrow/library.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// Common to the exporters below:
//
// Export returns when the library has what it was given, as safe as Config::acknowledge says: kSuccess, also where single
// invalid items were left out (then logged); kFailureFull where there was no room (the same export may succeed later);
// kFailureInvalidArgument where nothing of it was valid; kFailure where disk or shutdown are in the way. An empty batch
// succeeds.
//
// ForceFlush is true when everything exported before it is in readable files, and false where that took longer than
// `timeout`. No limit, which the SDK says as the greatest duration and as zero, is 30 s.
//
// Shutdown ends the exporter: later exports fail. It begins to write what was exported to files and waits for that as
// long as `timeout` allows; what is not written then the library writes afterwards. False where the disk refuses.
class OTLP_ARROW_EXPORT OtlpSpanExporter : public opentelemetry::sdk::trace::SpanExporter {
 public:
  // Why the last export, flush or shutdown failed; OK where it did not.
  virtual Status last_error() const = 0;
};

class OTLP_ARROW_EXPORT OtlpLogRecordExporter : public opentelemetry::sdk::logs::LogRecordExporter {
 public:
  virtual Status last_error() const = 0;
};

class OTLP_ARROW_EXPORT OtlpMetricExporter : public opentelemetry::sdk::metrics::PushMetricExporter {
 public:
  virtual Status last_error() const = 0;
};

// Collects when it is told to, at ForceFlush, and for the last time at Shutdown.
class OTLP_ARROW_EXPORT OtlpMetricReader : public opentelemetry::sdk::metrics::MetricReader {
 public:
  // Exports the metrics as they are now. False where that failed, or the reader belongs to no MeterProvider yet.
  virtual bool CollectAndExport() noexcept = 0;
  virtual Status last_error() const = 0;
};

// What a data point counts from, by kind of instrument, as in
// https://opentelemetry.io/docs/specs/otel/metrics/sdk_exporters/otlp
enum class TemporalityPreference {
  kCumulative,  // from the start, for all
  kDelta,       // from the last export, but for up-down counters
  kLowMemory,   // from the last export for synchronous counters and histograms, which so keep no state; else from the start
};

struct MetricExportOptions {
  TemporalityPreference temporality = TemporalityPreference::kCumulative;
};

// For the SDK's batch and simple span processors. The spans that it makes hold their data as OTLP already.
OTLP_ARROW_EXPORT std::unique_ptr<OtlpSpanExporter> MakeSpanExporter(std::shared_ptr<OtlpLibrary> library);

// For the SDK's batch and simple log record processors; the same of log records.
OTLP_ARROW_EXPORT std::unique_ptr<OtlpLogRecordExporter> MakeLogRecordExporter(std::shared_ptr<OtlpLibrary> library);

// For PeriodicExportingMetricReader. Exports through ExportMetricsRef.
OTLP_ARROW_EXPORT std::unique_ptr<OtlpMetricExporter> MakeMetricExporter(std::shared_ptr<OtlpLibrary> library,
                                                                         MetricExportOptions options = {});

// For MeterProvider::AddMetricReader, in place of a periodic reader.
OTLP_ARROW_EXPORT std::shared_ptr<OtlpMetricReader> MakeMetricReader(std::shared_ptr<OtlpLibrary> library,
                                                                     MetricExportOptions options = {});

// Records what a MetricReader collected, without copying it or taking it over; nothing refers to it afterwards. No heap
// allocation for any data point. No metrics at all are OK. Errors: as OtlpLibrary::ExportOtlp.
OTLP_ARROW_EXPORT Result<ExportOutcome> ExportMetricsRef(OtlpLibrary& library,
                                                         const opentelemetry::sdk::metrics::ResourceMetrics& metrics);

}  // namespace otlp_arrow
