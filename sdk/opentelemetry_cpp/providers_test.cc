// Instrumentation written for the opentelemetry-cpp API, over the native SDK; the SDK of opentelemetry-cpp is the reference.
#include "otlp_arrow/opentelemetry_sdk.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/context/propagation/text_map_propagator.h>
#include <opentelemetry/exporters/otlp/otlp_recordable.h>
#include <opentelemetry/logs/logger.h>
#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/samplers/always_off.h>
#include <opentelemetry/sdk/trace/samplers/trace_id_ratio.h>
#include <opentelemetry/sdk/trace/simple_processor.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/trace/propagation/http_trace_context.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/tracer.h>

#include "recorded_ring.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

namespace otel = opentelemetry;
namespace nostd = opentelemetry::nostd;
namespace pb = opentelemetry::proto;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using otel::common::SystemTimestamp;
using testing::Texts;

class OpenTelemetrySdkTest : public ::testing::Test {
 protected:
  void Open(sdk::ProviderOptions options = {}) {
    sdk::FileRecorderOptions file;
    file.path = path_;
    auto recorder = sdk::OpenFileRecorder(file);
    ASSERT_TRUE(recorder.ok()) << recorder.status().ToString();
    provider_ = *sdk::Provider::Create(*recorder, std::move(options));
  }
  nostd::shared_ptr<otel::trace::Tracer> MakeTracer(OpenTelemetryTracerOptions options = {}) {
    if (!provider_) Open();
    return MakeTracerProvider(provider_, options)->GetTracer("tests", "1.2", "https://example.com");
  }
  testing::RecordedRing Recorded() const { return testing::TakeRecorded(path_); }

  testing::TempDir dir_;
  const std::string path_ = dir_ / "telemetry.mmap";
  std::shared_ptr<sdk::Provider> provider_;
};

TEST_F(OpenTelemetrySdkTest, SpansNestThroughTheRuntimeContext) {
  const auto tracer = MakeTracer();
  {
    auto root = tracer->StartSpan("root", {{"a", 1}}, {{otel::trace::SpanContext(true, false), {{"linked", true}}}});
    const otel::trace::Scope scope(root);
    auto child = tracer->StartSpan("child");
    EXPECT_TRUE(child->IsRecording());
    EXPECT_EQ(child->GetContext().trace_id(), root->GetContext().trace_id());
    otel::trace::StartSpanOptions options;
    options.parent = otel::context::Context().SetValue(otel::trace::kIsRootSpanKey, true);
    tracer->StartSpan("apart", options)->End();
    options.parent = root->GetContext();
    child->End();
    child->End();
    tracer->StartSpan("of root", options)->End();
  }
  const auto recorded = Recorded();
  const auto root = recorded.Span("root");
  EXPECT_EQ(recorded.spans.size(), 4u);
  EXPECT_EQ(recorded.Span("child").parent_span_id(), root.span_id());
  EXPECT_EQ(recorded.Span("of root").parent_span_id(), root.span_id());
  EXPECT_EQ(recorded.Span("apart").parent_span_id(), "");
  EXPECT_EQ(root.links_size(), 1);
  EXPECT_EQ(recorded.resource_spans[0].scope_spans(0).scope().version(), "1.2");
}

TEST_F(OpenTelemetrySdkTest, SpansOfBothApisNest) {
  const auto tracer = MakeTracer();
  {
    sdk::Span native = provider_->GetTracer({.name = "native"}).Start("native");
    const sdk::Scope scope(native);
    tracer->StartSpan("of the API")->End();
  }
  const auto recorded = Recorded();
  EXPECT_EQ(recorded.Span("of the API").parent_span_id(), recorded.Span("native").span_id());
}

class Headers final : public otel::context::propagation::TextMapCarrier {
 public:
  nostd::string_view Get(nostd::string_view key) const noexcept override {
    const auto found = headers.find(std::string(key));
    return found == headers.end() ? nostd::string_view() : nostd::string_view(found->second);
  }
  void Set(nostd::string_view key, nostd::string_view value) noexcept override { headers[std::string(key)] = std::string(value); }
  std::map<std::string, std::string> headers;
};

TEST_F(OpenTelemetrySdkTest, ContextTravelsWithTheApisPropagator) {
  const auto tracer = MakeTracer();
  otel::trace::propagation::HttpTraceContext propagator;
  Headers in, out;
  in.headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"tracestate", "vendor=a"}};
  otel::context::Context empty;
  otel::trace::StartSpanOptions options;
  options.parent = propagator.Extract(in, empty);
  {
    auto span = tracer->StartSpan("served", options);
    const otel::trace::Scope scope(span);
    propagator.Inject(out, otel::context::RuntimeContext::GetCurrent());
  }
  const auto span = Recorded().Span("served");
  EXPECT_EQ(span.trace_state(), "vendor=a");
  EXPECT_EQ(out.headers["tracestate"], "vendor=a");
  EXPECT_EQ(out.headers["traceparent"].substr(0, 36), "00-0af7651916cd43dd8448eb211c80319c-");
  EXPECT_EQ(span.parent_span_id(), "\xb7\xad\x6b\x71\x69\x20\x33\x31");
}

TEST_F(OpenTelemetrySdkTest, SteadyTimesAreHonoured) {
  const auto tracer = MakeTracer();
  otel::trace::StartSpanOptions start;
  start.start_system_time = SystemTimestamp(std::chrono::seconds(1000));
  start.start_steady_time = otel::common::SteadyTimestamp(std::chrono::seconds(5));
  otel::trace::EndSpanOptions end;
  end.end_steady_time = otel::common::SteadyTimestamp(std::chrono::seconds(7));
  tracer->StartSpan("steady", start)->End(end);
  const auto span = Recorded().Span("steady");
  EXPECT_EQ(span.start_time_unix_nano(), 1'000'000'000'000u);
  EXPECT_EQ(span.end_time_unix_nano(), 1'002'000'000'000u);
}

TEST_F(OpenTelemetrySdkTest, SamplersOfTheSdk) {
  auto off = MakeTracer({std::make_shared<otel::sdk::trace::AlwaysOffSampler>()});
  auto span = off->StartSpan("not sampled");
  EXPECT_FALSE(span->IsRecording());
  EXPECT_TRUE(span->GetContext().IsValid());
  EXPECT_FALSE(span->GetContext().IsSampled());
  const auto all = MakeTracer({std::make_shared<otel::sdk::trace::TraceIdRatioBasedSampler>(1)});
  all->StartSpan("sampled")->End();
  EXPECT_EQ(Recorded().spans.size(), 1u);
}

TEST_F(OpenTelemetrySdkTest, MetricsOfAllKinds) {
  Open({.views = {{.name = "sizes", .aggregation = sdk::ViewAggregation::kExponentialHistogram}}});
  const auto meter = MakeMeterProvider(provider_)->GetMeter("tests", "0.1");
  const auto context = otel::context::RuntimeContext::GetCurrent();
  const auto requests = meter->CreateUInt64Counter("requests", "served", "{request}");
  requests->Add(2, {{"method", "GET"}});
  requests->Add(3, {{"method", "GET"}}, context);
  requests->Add(UINT64_MAX);
  meter->CreateDoubleCounter("bytes")->Add(1.5);
  meter->CreateInt64UpDownCounter("queue")->Add(-4, context);
  meter->CreateDoubleUpDownCounter("level")->Add(-0.5);
  meter->CreateDoubleHistogram("latency", "", "ms")->Record(7, {{"route", "/"}}, context);
  meter->CreateUInt64Histogram("sizes")->Record(7, context);
  meter->CreateUInt64Counter("not a name")->Add(1);
  int64_t observed = 7;
  const auto counter = meter->CreateInt64ObservableCounter("observed");
  const auto gauge = meter->CreateDoubleObservableGauge("ratio");
  const auto observe = [](otel::metrics::ObserverResult result, void* state) {
    nostd::get<nostd::shared_ptr<otel::metrics::ObserverResultT<int64_t>>>(result)->Observe(*static_cast<int64_t*>(state), {{"cpu", 0}});
  };
  counter->AddCallback(observe, &observed);
  gauge->AddCallback([](otel::metrics::ObserverResult result, void*) { nostd::get<nostd::shared_ptr<otel::metrics::ObserverResultT<double>>>(result)->Observe(0.25); }, nullptr);
  EXPECT_TRUE(provider_->ForceFlush().ok());
  observed = 10;
  EXPECT_TRUE(provider_->ForceFlush().ok());
  counter->RemoveCallback(observe, &observed);
  observed = 20;
  EXPECT_TRUE(provider_->ForceFlush().ok());
  const auto recorded = Recorded();
  const auto metric = recorded.Metric("requests");
  EXPECT_EQ(metric.unit(), "{request}");
  ASSERT_EQ(metric.sum().data_points_size(), 2);
  for (const auto& point : metric.sum().data_points()) {
    EXPECT_EQ(point.attributes_size() > 0 ? static_cast<double>(point.as_int()) : point.as_double(), point.attributes_size() > 0 ? 5 : static_cast<double>(UINT64_MAX));
  }
  EXPECT_EQ(recorded.Metric("bytes").sum().data_points(0).as_double(), 1.5);
  EXPECT_EQ(recorded.Metric("queue").sum().data_points(0).as_int(), -4);
  EXPECT_EQ(recorded.Metric("level").sum().data_points(0).as_double(), -0.5);
  EXPECT_EQ(recorded.Metric("latency").histogram().data_points(0).count(), 1u);
  EXPECT_EQ(recorded.Metric("sizes").exponential_histogram().data_points(0).count(), 1u);
  EXPECT_EQ(recorded.Metric("observed").sum().data_points(0).as_int(), 10);
  EXPECT_EQ(recorded.Metric("ratio").gauge().data_points(0).as_double(), 0.25);
  EXPECT_EQ(recorded.metrics.size(), 8u);
}

TEST_F(OpenTelemetrySdkTest, ExemplarsNameTheCurrentSpan) {
  const auto tracer = MakeTracer();
  const auto counter = MakeMeterProvider(provider_)->GetMeter("tests")->CreateUInt64Counter("counter");
  auto span = tracer->StartSpan("span");
  {
    const otel::trace::Scope scope(span);
    counter->Add(1);
  }
  span->End();
  const auto recorded = Recorded();
  const auto point = recorded.Metric("counter").sum().data_points(0);
  ASSERT_EQ(point.exemplars_size(), 1);
  EXPECT_EQ(point.exemplars(0).span_id(), recorded.Span("span").span_id());
}

TEST_F(OpenTelemetrySdkTest, LogRecords) {
  const auto tracer = MakeTracer();
  const auto logger = MakeLoggerProvider(provider_)->GetLogger("logger", "library", "2", "https://example.com/logs");
  EXPECT_EQ(logger->GetName(), "logger");
  auto span = tracer->StartSpan("span");
  {
    const otel::trace::Scope scope(span);
    logger->Info("in a span", otel::common::MakeAttributes({{"order.id", 4711}}));
  }
  logger->EmitLogRecord(otel::logs::Severity::kWarn2, otel::logs::EventId(1, "order.late"), "late", SystemTimestamp(std::chrono::nanoseconds(100)));
  auto record = logger->CreateLogRecord();
  record->SetBody(nostd::string_view(std::string("gone when it is emitted, and longer than a short string")));
  logger->EmitLogRecord(std::move(record));
  logger->EmitLogRecord(nostd::unique_ptr<otel::logs::LogRecord>());
  span->End();
  const auto logs = Recorded().logs;
  ASSERT_EQ(logs.size(), 3u);
  EXPECT_EQ(logs[0].body().string_value(), "in a span");
  EXPECT_EQ(logs[0].severity_text(), "INFO");
  EXPECT_THAT(Texts(logs[0].attributes()), ElementsAre(Pair("order.id", "int_value: 4711")));
  EXPECT_EQ(logs[0].span_id(), std::string(reinterpret_cast<const char*>(span->GetContext().span_id().Id().data()), 8));
  EXPECT_GT(logs[0].observed_time_unix_nano(), 0u);
  EXPECT_EQ(logs[1].event_name(), "order.late");
  EXPECT_EQ(logs[1].time_unix_nano(), 100u);
  EXPECT_EQ(logs[1].severity_number(), 14);
  EXPECT_EQ(logs[1].span_id(), "");
  EXPECT_EQ(logs[2].body().string_value(), "gone when it is emitted, and longer than a short string");
}

TEST_F(OpenTelemetrySdkTest, OneSpanForManyThreads) {
  const auto tracer = MakeTracer();
  auto span = tracer->StartSpan("shared");
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        span->SetAttribute("k" + std::to_string(t * 10 + i), i);
        span->AddEvent("event", {{"thread", t}});
        tracer->StartSpan("other")->End();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  span->End();
  const auto recorded = Recorded();
  EXPECT_EQ(recorded.Span("shared").attributes_size(), 80);
  EXPECT_EQ(recorded.Span("shared").events_size(), 80);
  EXPECT_EQ(recorded.spans.size(), 81u);
}

TEST_F(OpenTelemetrySdkTest, AfterTheShutdownNothingIsRecordedAndNothingFails) {
  const auto tracer = MakeTracer();
  const auto meter = MakeMeterProvider(provider_)->GetMeter("tests");
  const auto counter = meter->CreateUInt64Counter("counter");
  const auto logger = MakeLoggerProvider(provider_)->GetLogger("logger");
  EXPECT_TRUE(provider_->Shutdown().ok());
  EXPECT_FALSE(tracer->StartSpan("late")->IsRecording());
  counter->Add(1);
  logger->Info("late");
  meter->CreateInt64ObservableGauge("late")->AddCallback([](otel::metrics::ObserverResult, void*) {}, nullptr);
  const auto recorded = Recorded();
  EXPECT_TRUE(recorded.spans.empty() && recorded.logs.empty() && recorded.metrics.empty());
}

// --- the same program over opentelemetry-cpp's SDK ---

class ReferenceExporter final : public otel::sdk::trace::SpanExporter {
 public:
  explicit ReferenceExporter(std::vector<pb::trace::v1::Span>* spans) : spans_(*spans) {}
  std::unique_ptr<otel::sdk::trace::Recordable> MakeRecordable() noexcept override { return std::make_unique<otel::exporter::otlp::OtlpRecordable>(); }
  otel::sdk::common::ExportResult Export(const nostd::span<std::unique_ptr<otel::sdk::trace::Recordable>>& spans) noexcept override {
    for (const auto& span : spans) spans_.push_back(static_cast<otel::exporter::otlp::OtlpRecordable*>(span.get())->span());
    return otel::sdk::common::ExportResult::kSuccess;
  }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }

 private:
  std::vector<pb::trace::v1::Span>& spans_;
};

// Random spans, the same for the same seed; each has a name of its own.
class RandomProgram {
 public:
  explicit RandomProgram(uint32_t seed) : random_(seed) {}

  void Run(otel::trace::Tracer& tracer) {
    for (int i = 0; i < 60; ++i) {
      otel::trace::StartSpanOptions options;
      options.kind = static_cast<otel::trace::SpanKind>(Below(5));
      options.start_system_time = SystemTimestamp(std::chrono::nanoseconds(1'700'000'000'000'000'000 + Below(1000)));
      options.start_steady_time = otel::common::SteadyTimestamp(std::chrono::nanoseconds(5));
      if (Below(2)) options.parent = Elsewhere();
      auto span = tracer.StartSpan("span " + std::to_string(i), {{"i", i}}, {{Elsewhere(), {{"n", Below(9)}}}}, options);
      for (int calls = Below(6); calls > 0; --calls) Call(*span);
      otel::trace::EndSpanOptions end;
      end.end_steady_time = otel::common::SteadyTimestamp(std::chrono::nanoseconds(5 + Below(1000)));
      span->End(end);
    }
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % static_cast<uint32_t>(limit)); }
  otel::trace::SpanContext Elsewhere() {
    uint8_t trace_id[16], span_id[8];
    for (auto& byte : trace_id) byte = static_cast<uint8_t>(random_() | 1);
    for (auto& byte : span_id) byte = static_cast<uint8_t>(random_() | 1);
    return {otel::trace::TraceId(trace_id), otel::trace::SpanId(span_id), otel::trace::TraceFlags(1), true,
            Below(2) ? otel::trace::TraceState::FromHeader("vendor=a,other=b") : otel::trace::TraceState::GetDefault()};
  }
  void Call(otel::trace::Span& span) {
    static const bool bools[] = {true, false};
    static const int32_t numbers[] = {1, -2, 3};
    static const double doubles[] = {0.5, -1e300};
    static const nostd::string_view texts[] = {"a", "", "ü"};
    static const uint8_t bytes[] = {0, 255};
    static const std::string long_text(3000, 'x');
    const std::string key = "key" + std::to_string(Below(5));
    const SystemTimestamp time(std::chrono::nanoseconds(1'700'000'000'000'000'000 + Below(1000)));
    switch (Below(12)) {
      case 0: return span.SetAttribute(key, Below(2) == 1);
      case 1: return span.SetAttribute(key, static_cast<int64_t>(random_()) - (int64_t{1} << 31));
      case 2: return span.SetAttribute(key, 0.125 * Below(1000));
      case 3: return span.SetAttribute(key, "text");
      case 4: return span.SetAttribute(key, nostd::string_view(long_text).substr(0, static_cast<size_t>(Below(300))));
      case 5: return span.SetAttribute(key, nostd::span<const bool>(bools));
      case 6: return span.SetAttribute(key, nostd::span<const int32_t>(numbers));
      case 7: return span.SetAttribute(key, nostd::span<const double>(doubles));
      case 8: return span.SetAttribute(key, nostd::span<const nostd::string_view>(texts));
      case 9: return span.SetAttribute(key, nostd::span<const uint8_t>(bytes));
      case 10: return span.AddEvent("event", time, {{"n", Below(9)}, {"text", "value"}});
      default: return span.SetStatus(otel::trace::StatusCode::kError, "why");
    }
  }

  std::mt19937 random_;
};

// What is the same in both: all but ids of the spans themselves, and the order of attributes, of which the last value counts.
std::string Comparable(pb::trace::v1::Span span) {
  span.clear_span_id();
  if (span.parent_span_id().empty()) span.clear_trace_id();
  span.set_flags(span.flags() & 1);
  std::map<std::string, pb::common::v1::AnyValue> last;
  for (const auto& attribute : span.attributes()) last[attribute.key()] = attribute.value();
  span.clear_attributes();
  for (const auto& [key, value] : last) {
    auto* attribute = span.add_attributes();
    attribute->set_key(key);
    *attribute->mutable_value() = value;
  }
  for (auto& link : *span.mutable_links()) link.clear_flags();
  if (span.status().code() == 0) span.clear_status();
  return span.DebugString();
}

TEST_F(OpenTelemetrySdkTest, SpansAreThoseOfOpenTelemetryCpp) {
  const auto tracer = MakeTracer();
  std::vector<pb::trace::v1::Span> expected;
  otel::sdk::trace::TracerProvider reference(std::make_unique<otel::sdk::trace::SimpleSpanProcessor>(std::make_unique<ReferenceExporter>(&expected)));
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    expected.clear();
    RandomProgram(seed).Run(*tracer);
    RandomProgram(seed).Run(*reference.GetTracer("tests"));
    auto spans = Recorded().spans;
    std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) { return std::stoi(a.name().substr(5)) < std::stoi(b.name().substr(5)); });
    ASSERT_EQ(spans.size(), expected.size());
    for (size_t i = 0; i < spans.size(); ++i) EXPECT_EQ(Comparable(spans[i]), Comparable(expected[i])) << "seed " << seed;
  }
}

}  // namespace
}  // namespace otlp_arrow
