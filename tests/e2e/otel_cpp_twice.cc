// A program instrumented with opentelemetry-cpp whose telemetry goes two ways at once: through our exporters into a
// directory, and through the SDK's own OTLP exporters to a service.
//
//   otel_cpp_twice grpc|http ENDPOINT DIRECTORY SEED
//
// test_cpp_exporters.py compares what both have stored. What is recorded is random, and stays within what the SDK's
// exporters can send (docs/cpp/exporters.md says where ours do more).
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <opentelemetry/common/key_value_iterable_view.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/exporters/otlp/otlp_grpc_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_grpc_log_record_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_grpc_metric_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_exporter_options.h>
#include <opentelemetry/exporters/otlp/otlp_http_log_record_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_log_record_exporter_options.h>
#include <opentelemetry/exporters/otlp/otlp_http_metric_exporter_factory.h>
#include <opentelemetry/exporters/otlp/otlp_http_metric_exporter_options.h>
#include <opentelemetry/logs/logger.h>
#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor_factory.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor_options.h>
#include <opentelemetry/sdk/logs/logger_provider.h>
#include <opentelemetry/sdk/logs/logger_provider_factory.h>
#include <opentelemetry/sdk/logs/processor.h>
#include <opentelemetry/sdk/metrics/aggregation/aggregation_config.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_options.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/metrics/view/instrument_selector_factory.h>
#include <opentelemetry/sdk/metrics/view/meter_selector_factory.h>
#include <opentelemetry/sdk/metrics/view/view_factory.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/processor.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/trace_state.h>

#include "otlp_arrow/opentelemetry_exporters.h"

namespace {

namespace api = opentelemetry;
namespace nostd = opentelemetry::nostd;
namespace otlp = opentelemetry::exporter::otlp;
namespace sdk = opentelemetry::sdk;
using api::common::AttributeValue;
using api::common::SystemTimestamp;
using otlp_arrow::OtlpLibrary;
using otlp_arrow::TemporalityPreference;
using std::chrono::milliseconds;

void Check(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "failed: %s\n", what);
  std::exit(1);
}

// The SDK's own exporters.
struct Service {
  bool grpc;
  std::string endpoint;

  template <class Options>
  Options Grpc() const {
    Options options;
    options.endpoint = endpoint;
    return options;
  }
  template <class Options>
  Options Http(const char* path) const {
    Options options;
    options.url = endpoint + path;
    options.content_type = otlp::HttpRequestContentType::kBinary;
    return options;
  }

  std::unique_ptr<sdk::trace::SpanExporter> Spans() const {
    if (grpc) return otlp::OtlpGrpcExporterFactory::Create(Grpc<otlp::OtlpGrpcExporterOptions>());
    return otlp::OtlpHttpExporterFactory::Create(Http<otlp::OtlpHttpExporterOptions>("/v1/traces"));
  }
  std::unique_ptr<sdk::logs::LogRecordExporter> Logs() const {
    if (grpc) return otlp::OtlpGrpcLogRecordExporterFactory::Create(Grpc<otlp::OtlpGrpcLogRecordExporterOptions>());
    return otlp::OtlpHttpLogRecordExporterFactory::Create(Http<otlp::OtlpHttpLogRecordExporterOptions>("/v1/logs"));
  }
  std::unique_ptr<sdk::metrics::PushMetricExporter> Metrics(TemporalityPreference temporality) const {
    const auto preferred = temporality == TemporalityPreference::kDelta        ? otlp::PreferredAggregationTemporality::kDelta
                           : temporality == TemporalityPreference::kCumulative ? otlp::PreferredAggregationTemporality::kCumulative
                                                                               : otlp::PreferredAggregationTemporality::kLowMemory;
    if (grpc) {
      auto options = Grpc<otlp::OtlpGrpcMetricExporterOptions>();
      options.aggregation_temporality = preferred;
      return otlp::OtlpGrpcMetricExporterFactory::Create(options);
    }
    auto options = Http<otlp::OtlpHttpMetricExporterOptions>("/v1/metrics");
    options.aggregation_temporality = preferred;
    return otlp::OtlpHttpMetricExporterFactory::Create(options);
  }
};

// Gives one collection to both, so that its times are the same.
class BothMetricExporters final : public sdk::metrics::PushMetricExporter {
 public:
  BothMetricExporters(std::unique_ptr<PushMetricExporter> ours, std::unique_ptr<PushMetricExporter> theirs)
      : ours_(std::move(ours)), theirs_(std::move(theirs)) {}

  sdk::common::ExportResult Export(const sdk::metrics::ResourceMetrics& data) noexcept override {
    Check(ours_->Export(data) == sdk::common::ExportResult::kSuccess, "our metric exporter");
    Check(theirs_->Export(data) == sdk::common::ExportResult::kSuccess, "the SDK's metric exporter");
    return sdk::common::ExportResult::kSuccess;
  }
  sdk::metrics::AggregationTemporality GetAggregationTemporality(sdk::metrics::InstrumentType type) const noexcept override {
    const auto temporality = ours_->GetAggregationTemporality(type);
    Check(temporality == theirs_->GetAggregationTemporality(type), "the same temporality");
    return temporality;
  }
  bool ForceFlush(std::chrono::microseconds timeout) noexcept override { return ours_->ForceFlush(timeout) && theirs_->ForceFlush(timeout); }
  bool Shutdown(std::chrono::microseconds timeout) noexcept override { return ours_->Shutdown(timeout) && theirs_->Shutdown(timeout); }

 private:
  const std::unique_ptr<PushMetricExporter> ours_, theirs_;
};

// Random attributes; values live as long as this.
class RandomAttributes : public api::common::KeyValueIterable {
 public:
  // `kinds`: how many of the kinds of values, kAllKinds or all but bytes.
  static constexpr int kAllKinds = 15, kNoBytes = 14;
  explicit RandomAttributes(std::mt19937_64* random, int most = 6, int kinds = kAllKinds) : random_(*random), kinds_(kinds) {
    const int count = Below(most + 1);
    pairs_.reserve(static_cast<size_t>(count));
    for (int i = 0; i < count; ++i) pairs_.emplace_back("key." + std::to_string(Below(10)) + (Below(4) ? "" : "ü"), Value());
  }
  bool ForEachKeyValue(nostd::function_ref<bool(nostd::string_view, AttributeValue)> callback) const noexcept override {
    for (const auto& [key, value] : pairs_) {
      if (!callback(key, value)) return false;
    }
    return true;
  }
  size_t size() const noexcept override { return pairs_.size(); }
  const std::vector<std::pair<std::string, AttributeValue>>& pairs() const { return pairs_; }

  AttributeValue Value() {
    switch (Below(kinds_)) {
      case 0: return Below(2) == 1;
      case 1: return static_cast<int32_t>(random_());
      case 2: return static_cast<int64_t>(random_());
      case 3: return static_cast<uint32_t>(random_());
      case 4: return static_cast<double>(static_cast<int64_t>(random_())) / 1024;
      case 5: return "c string";
      case 6: return nostd::string_view(texts_[Below(4)]);
      case 7: return nostd::span<const bool>(bools_, Length());
      case 8: return nostd::span<const int32_t>(int32s_, Length());
      case 9: return nostd::span<const int64_t>(int64s_, Length());
      case 10: return nostd::span<const uint32_t>(uint32s_, Length());
      case 11: return nostd::span<const double>(doubles_, Length());
      case 12: return nostd::span<const nostd::string_view>(views_, Length());
      case 13: return uint64_t{random_() >> 1};
      default: return nostd::span<const uint8_t>(bytes_, Length());
    }
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }
  size_t Length() { return static_cast<size_t>(Below(4)); }

  static inline const std::string texts_[] = {"", "text", "päper \"quoted\"\n", std::string(300, 'x')};
  static inline const bool bools_[] = {true, false, true};
  static inline const int32_t int32s_[] = {INT32_MIN, 0, INT32_MAX};
  static inline const int64_t int64s_[] = {INT64_MIN, -1, INT64_MAX};
  static inline const uint32_t uint32s_[] = {0, 1, UINT32_MAX};
  static inline const double doubles_[] = {0.5, -1e300, 0};
  static inline const nostd::string_view views_[] = {"a", "", "ü"};
  static inline const uint8_t bytes_[] = {0, 127, 255};

  std::mt19937_64& random_;
  const int kinds_;
  std::vector<std::pair<std::string, AttributeValue>> pairs_;
};

sdk::resource::Resource MakeResource() {
  return sdk::resource::Resource::Create({{"service.name", "cpp-shop"}, {"process.pid", int64_t{4711}}, {"host.load", 0.25}, {"cloud", true}},
                                         "https://opentelemetry.io/schemas/1.30.0");
}

class Program {
 public:
  Program(const Service& service, std::shared_ptr<OtlpLibrary> library, uint64_t seed)
      : service_(service), library_(std::move(library)), random_(seed) {}

  void RecordSpans() {
    sdk::trace::BatchSpanProcessorOptions batch;
    batch.max_queue_size = 100'000;
    std::vector<std::unique_ptr<sdk::trace::SpanProcessor>> processors;
    processors.push_back(sdk::trace::BatchSpanProcessorFactory::Create(otlp_arrow::MakeSpanExporter(library_), batch));
    processors.push_back(sdk::trace::BatchSpanProcessorFactory::Create(service_.Spans(), batch));
    auto provider = sdk::trace::TracerProviderFactory::Create(std::move(processors), MakeResource());
    const nostd::shared_ptr<api::trace::Tracer> tracers[] = {provider->GetTracer("cpp scope", "1.2.3", "https://example.com/scope"),
                                                             provider->GetTracer("plain scope")};
    for (int i = 0; i < 300; ++i) RecordTrace(*tracers[i % 2]);
    Check(provider->ForceFlush(), "flush of spans");
    Check(provider->Shutdown(), "shutdown of spans");
  }

  void RecordLogs() {
    sdk::logs::BatchLogRecordProcessorOptions batch;
    batch.max_queue_size = 100'000;
    batch.schedule_delay_millis = milliseconds(100);
    std::vector<std::unique_ptr<sdk::logs::LogRecordProcessor>> processors;
    processors.push_back(sdk::logs::BatchLogRecordProcessorFactory::Create(otlp_arrow::MakeLogRecordExporter(library_), batch));
    processors.push_back(sdk::logs::BatchLogRecordProcessorFactory::Create(service_.Logs(), batch));
    auto provider = sdk::logs::LoggerProviderFactory::Create(std::move(processors), MakeResource());
    const nostd::shared_ptr<api::logs::Logger> loggers[] = {provider->GetLogger("logger", "cpp logs", "2", "https://example.com/logs"),
                                                            provider->GetLogger("other logger", "other logs")};
    for (int i = 0; i < 400; ++i) RecordLog(*loggers[i % 2]);
    provider->ForceFlush();
    Check(provider->Shutdown(), "shutdown of log records");
  }

  void RecordMetrics(TemporalityPreference temporality) {
    sdk::metrics::PeriodicExportingMetricReaderOptions periodic;
    periodic.export_interval_millis = std::chrono::hours(1);
    periodic.export_timeout_millis = std::chrono::seconds(10);
    auto exporter = std::make_unique<BothMetricExporters>(otlp_arrow::MakeMetricExporter(library_, {temporality}), service_.Metrics(temporality));
    sdk::metrics::MeterProvider provider(std::make_unique<sdk::metrics::ViewRegistry>(), MakeResource());
    AddBoundsView(&provider);
    provider.AddMetricReader(sdk::metrics::PeriodicExportingMetricReaderFactory::Create(std::move(exporter), periodic));
    const auto meter = provider.GetMeter("cpp meter", "0.1", "https://example.com/meter");
    const auto requests = meter->CreateUInt64Counter("requests", "requests served", "{request}");
    const auto bytes = meter->CreateDoubleCounter("bytes");
    const auto queue = meter->CreateInt64UpDownCounter("queue");
    const auto level = meter->CreateDoubleUpDownCounter("level");
    const auto latency = meter->CreateDoubleHistogram("latency", "how long", "ms");
    const auto sizes = provider.GetMeter("plain meter")->CreateUInt64Histogram("sizes");
    const auto observed = meter->CreateInt64ObservableCounter("observed", "", "1");
    const auto observed_level = meter->CreateDoubleObservableUpDownCounter("observed_level");
    const auto temperature = meter->CreateInt64ObservableGauge("temperature", "how hot", "Cel");
    const auto ratio = meter->CreateDoubleObservableGauge("ratio");
    observed->AddCallback(ObserveInteger, this);
    temperature->AddCallback(ObserveInteger, this);
    observed_level->AddCallback(ObserveDouble, this);
    ratio->AddCallback(ObserveDouble, this);
    for (int collection = 0; collection < 3; ++collection) {
      for (int i = 0; i < 50; ++i) {
        const RandomAttributes attributes(&random_, 2, RandomAttributes::kNoBytes);
        const auto context = api::context::RuntimeContext::GetCurrent();
        requests->Add(random_() % 100, attributes);
        bytes->Add(static_cast<double>(random_() % 1000) / 8, attributes);
        queue->Add(static_cast<int64_t>(random_() % 100) - 50, attributes);
        level->Add(static_cast<double>(random_() % 100) / 4 - 10, attributes);
        latency->Record(static_cast<double>(random_() % 200) / 10, attributes, context);
        sizes->Record(random_() % 20'000, attributes, context);
      }
      observed_ += 7;
      Check(provider.ForceFlush(), "flush of metrics");
    }
    Check(provider.Shutdown(), "shutdown of metrics");
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint64_t>(limit)); }

  api::trace::SpanContext RandomContext() {
    uint8_t trace_id[16], span_id[8];
    for (auto& byte : trace_id) byte = static_cast<uint8_t>(random_() | 1);
    for (auto& byte : span_id) byte = static_cast<uint8_t>(random_() | 1);
    return {api::trace::TraceId(trace_id), api::trace::SpanId(span_id), api::trace::TraceFlags(static_cast<uint8_t>(Below(2))), Below(2) == 1,
            Below(2) ? api::trace::TraceState::FromHeader("vendor=a,other=b") : api::trace::TraceState::GetDefault()};
  }

  // A root of ours or of someone else's trace, and children.
  void RecordTrace(api::trace::Tracer& tracer) {
    api::trace::StartSpanOptions options;
    options.kind = static_cast<api::trace::SpanKind>(Below(5));
    if (Below(2)) options.parent = RandomContext();
    if (Below(2)) options.start_system_time = SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'000 + Below(1000)));
    const RandomAttributes attributes(&random_);
    std::vector<std::pair<api::trace::SpanContext, std::vector<std::pair<std::string, AttributeValue>>>> links;
    for (int i = Below(3); i > 0; --i) links.emplace_back(RandomContext(), RandomAttributes(&random_).pairs());
    auto span = tracer.StartSpan("span " + std::to_string(Below(100)), attributes.pairs(), links, options);
    const api::trace::Scope scope(span);
    RecordInSpan(*span);
    for (int i = Below(3); i > 0; --i) RecordInSpan(*tracer.StartSpan("child"));
    span->End();
  }

  void RecordInSpan(api::trace::Span& span) {
    for (int i = Below(5); i > 0; --i) {
      const RandomAttributes attributes(&random_);
      switch (Below(6)) {
        case 0: span.UpdateName("another name " + std::string(static_cast<size_t>(Below(20)), 'n')); break;
        case 1: span.SetStatus(static_cast<api::trace::StatusCode>(Below(3)), Below(2) ? "a description" : ""); break;
        case 2: span.AddEvent("event"); break;
        case 3: span.AddEvent("event with attributes", attributes); break;
        case 4: span.AddEvent("", SystemTimestamp(std::chrono::nanoseconds(Below(1000))), attributes); break;
        default:
          for (const auto& [key, value] : attributes.pairs()) span.SetAttribute(key, value);
      }
    }
  }

  void RecordLog(api::logs::Logger& logger) {
    auto record = logger.CreateLogRecord();
    RandomAttributes attributes(&random_);
    if (Below(4)) record->SetSeverity(static_cast<api::logs::Severity>(Below(25)));
    if (Below(4)) record->SetTimestamp(SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'000 + Below(1000))));
    if (Below(4)) record->SetBody(attributes.Value());
    for (const auto& [key, value] : attributes.pairs()) record->SetAttribute(key, value);
    if (Below(2)) {
      const auto context = RandomContext();
      record->SetTraceId(context.trace_id());
      record->SetSpanId(context.span_id());
      record->SetTraceFlags(context.trace_flags());
    }
    logger.EmitLogRecord(std::move(record));
  }

  static void AddBoundsView(sdk::metrics::MeterProvider* provider) {
    auto bounds = std::make_shared<sdk::metrics::HistogramAggregationConfig>();
    bounds->boundaries_ = {1, 5, 10.5};
    bounds->record_min_max_ = false;
    provider->AddView(sdk::metrics::InstrumentSelectorFactory::Create(sdk::metrics::InstrumentType::kHistogram, "latency", "ms"),
                      sdk::metrics::MeterSelectorFactory::Create("cpp meter", "0.1", "https://example.com/meter"),
                      sdk::metrics::ViewFactory::Create("latency", "how long", "ms", sdk::metrics::AggregationType::kHistogram, bounds));
  }

  static void ObserveInteger(api::metrics::ObserverResult result, void* program) {
    nostd::get<nostd::shared_ptr<api::metrics::ObserverResultT<int64_t>>>(result)->Observe(static_cast<Program*>(program)->observed_, {{"cpu", 0}});
  }
  static void ObserveDouble(api::metrics::ObserverResult result, void* program) {
    nostd::get<nostd::shared_ptr<api::metrics::ObserverResultT<double>>>(result)->Observe(0.5 * static_cast<double>(static_cast<Program*>(program)->observed_));
  }

  const Service& service_;
  const std::shared_ptr<OtlpLibrary> library_;
  std::mt19937_64 random_;
  int64_t observed_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const Service service{std::string(argv[1]) == "grpc", argv[2]};
  otlp_arrow::Config config;
  config.output_dir = argv[3];
  const auto library = OtlpLibrary::Create(config);
  Check(library.ok(), library.status().message().c_str());
  Program program(service, *library, std::strtoull(argv[4], nullptr, 10));
  program.RecordSpans();
  program.RecordLogs();
  for (const auto temporality : {TemporalityPreference::kCumulative, TemporalityPreference::kDelta, TemporalityPreference::kLowMemory}) {
    program.RecordMetrics(temporality);
  }
  Check((*library)->Shutdown().ok(), "shutdown of the library");
}
