// A program instrumented with opentelemetry-cpp that sends one of everything to an OTLP endpoint, and prints the ids of
// its spans: `otel_cpp_client grpc|http ENDPOINT`. test_cpp_sdk.py knows the values.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

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
#include <opentelemetry/sdk/logs/exporter.h>
#include <opentelemetry/sdk/logs/logger_provider_factory.h>
#include <opentelemetry/sdk/logs/logger_provider.h>
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
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/processor.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/scope.h>

namespace {

namespace api = opentelemetry;
namespace otlp = opentelemetry::exporter::otlp;
namespace sdk = opentelemetry::sdk;
using api::common::AttributeValue;
using api::common::SystemTimestamp;
namespace nostd = opentelemetry::nostd;

constexpr int64_t kNow = 1'700'000'000'000'000'000;
SystemTimestamp At(int64_t nanoseconds) { return SystemTimestamp(std::chrono::nanoseconds(kNow + nanoseconds)); }

struct Target {
  bool grpc;
  std::string endpoint;

  std::string Url(const char* path) const { return endpoint + path; }

  std::unique_ptr<sdk::trace::SpanExporter> Spans() const {
    if (grpc) {
      otlp::OtlpGrpcExporterOptions options;
      options.endpoint = endpoint;
      return otlp::OtlpGrpcExporterFactory::Create(options);
    }
    otlp::OtlpHttpExporterOptions options;
    options.url = Url("/v1/traces");
    options.content_type = otlp::HttpRequestContentType::kBinary;
    return otlp::OtlpHttpExporterFactory::Create(options);
  }

  std::unique_ptr<sdk::metrics::PushMetricExporter> Metrics() const {
    if (grpc) {
      otlp::OtlpGrpcMetricExporterOptions options;
      options.endpoint = endpoint;
      return otlp::OtlpGrpcMetricExporterFactory::Create(options);
    }
    otlp::OtlpHttpMetricExporterOptions options;
    options.url = Url("/v1/metrics");
    options.content_type = otlp::HttpRequestContentType::kBinary;
    return otlp::OtlpHttpMetricExporterFactory::Create(options);
  }

  std::unique_ptr<sdk::logs::LogRecordExporter> Logs() const {
    if (grpc) {
      otlp::OtlpGrpcLogRecordExporterOptions options;
      options.endpoint = endpoint;
      return otlp::OtlpGrpcLogRecordExporterFactory::Create(options);
    }
    otlp::OtlpHttpLogRecordExporterOptions options;
    options.url = Url("/v1/logs");
    options.content_type = otlp::HttpRequestContentType::kBinary;
    return otlp::OtlpHttpLogRecordExporterFactory::Create(options);
  }
};

sdk::resource::Resource MakeResource() {
  return sdk::resource::Resource::Create({{"service.name", "cpp-shop"}, {"process.pid", int64_t{4711}}, {"host.load", 0.25}, {"cloud", true}},
                                         "https://opentelemetry.io/schemas/1.30.0");
}

void PrintIds(const std::string& name, const api::trace::SpanContext& context) {
  char trace_id[32], span_id[16];
  context.trace_id().ToLowerBase16(trace_id);
  context.span_id().ToLowerBase16(span_id);
  std::printf("%s %.32s %.16s\n", name.c_str(), trace_id, span_id);
}

nostd::shared_ptr<api::trace::Span> StartSpan(api::trace::Tracer& tracer, const std::string& name, api::trace::SpanKind kind, int64_t at) {
  api::trace::StartSpanOptions options;
  options.kind = kind;
  options.start_system_time = At(at);
  return tracer.StartSpan(name, {}, options);
}

// Every kind, status and type of attribute; an event, a link, a child, and `count` plain ones.
void SendSpans(const Target& target, int count) {
  sdk::trace::BatchSpanProcessorOptions batch;
  batch.max_queue_size = 100'000;
  auto provider = sdk::trace::TracerProviderFactory::Create(sdk::trace::BatchSpanProcessorFactory::Create(target.Spans(), batch), MakeResource());
  auto tracer = provider->GetTracer("cpp scope", "1.2.3", "https://example.com/scope");
  auto root = StartSpan(*tracer, "root", api::trace::SpanKind::kServer, 1);
  const std::vector<int64_t> integers = {1, -2, INT64_MAX};
  const std::vector<double> doubles = {0.5, -1e300};
  const nostd::string_view texts[] = {"a", "", "ü"};
  const bool flags[] = {true, false};
  root->SetAttribute("text", "päper \"quoted\"\n");
  root->SetAttribute("yes", true);
  root->SetAttribute("int", INT64_MIN);
  root->SetAttribute("double", 1.0 / 3);
  root->SetAttribute("integers", nostd::span<const int64_t>(integers));
  root->SetAttribute("doubles", nostd::span<const double>(doubles));
  root->SetAttribute("texts", nostd::span<const nostd::string_view>(texts));
  root->SetAttribute("flags", nostd::span<const bool>(flags));
  root->AddEvent("event", At(2), {{"n", int64_t{7}}, {"why", "because"}});
  PrintIds("root", root->GetContext());
  {
    api::trace::Scope scope(root);
    api::trace::StartSpanOptions options;
    options.kind = api::trace::SpanKind::kClient;
    auto child = tracer->StartSpan("child", {{"k", "v"}}, {{root->GetContext(), {{"link", int64_t{1}}}}}, options);
    child->SetStatus(api::trace::StatusCode::kError, "it fell over");
    PrintIds("child", child->GetContext());
    child->End();
  }
  root->SetStatus(api::trace::StatusCode::kOk);
  root->End();
  for (const auto& [name, kind] : {std::pair{"producer", api::trace::SpanKind::kProducer}, {"consumer", api::trace::SpanKind::kConsumer}}) {
    auto span = StartSpan(*tracer, name, kind, 3);
    PrintIds(name, span->GetContext());
    span->End();
  }
  for (int i = 0; i < count; ++i) {
    auto span = tracer->StartSpan("many", {{"i", int64_t{i}}});
    PrintIds("many", span->GetContext());
    span->End();
  }
  provider->ForceFlush();
  provider->Shutdown();
}

void Observe(api::metrics::ObserverResult result, void* value) {
  nostd::get<nostd::shared_ptr<api::metrics::ObserverResultT<int64_t>>>(result)->Observe(*static_cast<int64_t*>(value), {{"cpu", int64_t{0}}});
}

// Counters, a gauge, histograms with given bounds.
void SendMetrics(const Target& target) {
  sdk::metrics::PeriodicExportingMetricReaderOptions periodic;
  periodic.export_interval_millis = std::chrono::milliseconds(3'600'000);
  periodic.export_timeout_millis = std::chrono::milliseconds(10'000);
  auto provider = std::make_shared<sdk::metrics::MeterProvider>(std::make_unique<sdk::metrics::ViewRegistry>(), MakeResource());
  auto bounds = std::make_shared<sdk::metrics::HistogramAggregationConfig>();
  bounds->boundaries_ = {1, 5, 10.5};
  provider->AddView(sdk::metrics::InstrumentSelectorFactory::Create(sdk::metrics::InstrumentType::kHistogram, "latency", "ms"),
                    sdk::metrics::MeterSelectorFactory::Create("cpp meter", "0.1", ""),
                    sdk::metrics::ViewFactory::Create("latency", "how long", "ms", sdk::metrics::AggregationType::kHistogram, bounds));
  provider->AddMetricReader(sdk::metrics::PeriodicExportingMetricReaderFactory::Create(target.Metrics(), periodic));
  auto meter = provider->GetMeter("cpp meter", "0.1", "");
  auto requests = meter->CreateUInt64Counter("requests", "requests served", "{request}");
  auto bytes = meter->CreateDoubleCounter("bytes");
  auto queue = meter->CreateInt64UpDownCounter("queue");
  auto latency = meter->CreateDoubleHistogram("latency", "how long", "ms");
  auto temperature = meter->CreateInt64ObservableGauge("temperature", "how hot", "Cel");
  int64_t degrees = 21;
  temperature->AddCallback(Observe, &degrees);
  for (int i = 0; i < 100; ++i) {
    requests->Add(1, {{"http.route", i % 2 ? "/odd" : "/even"}});
    bytes->Add(0.5);
    queue->Add(i % 2 ? -3 : 1);
    latency->Record(i / 8.0, api::context::RuntimeContext::GetCurrent());
  }
  provider->ForceFlush();
  provider->Shutdown();
}

// Severities, a record within a span, bodies and attributes.
void SendLogs(const Target& target) {
  auto processor = sdk::logs::BatchLogRecordProcessorFactory::Create(target.Logs(), sdk::logs::BatchLogRecordProcessorOptions{});
  auto provider = sdk::logs::LoggerProviderFactory::Create(std::move(processor), MakeResource());
  auto logger = provider->GetLogger("cpp logger", "cpp logs", "2", "https://example.com/logs");
  const auto severities = {api::logs::Severity::kTrace, api::logs::Severity::kInfo, api::logs::Severity::kWarn, api::logs::Severity::kFatal4};
  int64_t i = 0;
  for (const auto severity : severities) {
    auto record = logger->CreateLogRecord();
    record->SetSeverity(severity);
    record->SetTimestamp(At(++i));
    record->SetObservedTimestamp(At(1000 + i));
    record->SetBody(i);
    record->SetAttribute("i", i);
    record->SetAttribute("text", "ä");
    const uint8_t trace_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, static_cast<uint8_t>(i)};
    const uint8_t span_id[8] = {1, 2, 3, 4, 5, 6, 7, static_cast<uint8_t>(i)};
    record->SetTraceId(api::trace::TraceId(trace_id));
    record->SetSpanId(api::trace::SpanId(span_id));
    record->SetTraceFlags(api::trace::TraceFlags(1));
    logger->EmitLogRecord(std::move(record));
  }
  auto text = logger->CreateLogRecord();
  text->SetSeverity(api::logs::Severity::kError);
  text->SetTimestamp(At(500));
  text->SetBody("a plain text, ü");
  logger->EmitLogRecord(std::move(text));
  provider->ForceFlush();
  provider->Shutdown();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Target target{std::string(argv[1]) == "grpc", argv[2]};
  SendSpans(target, 1000);
  SendMetrics(target);
  SendLogs(target);
}
