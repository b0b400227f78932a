// What does a span and a counter of the native C++ SDK cost the program, through its own API and through opentelemetry-cpp's,
// compared with opentelemetry-cpp's SDK?
//
// Wanted: a span (two attributes at its start, one later) under 150 ns of CPU beyond the clock reads and the three records in
// the ring, without a heap allocation. opentelemetry-cpp has a batch processor whose exporter does nothing. Nobody drains the
// ring while it is timed.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#ifdef WITH_OPENTELEMETRY
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/metrics/metric_reader.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/exporter.h>
#include <opentelemetry/sdk/trace/span_data.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/trace/scope.h>
#include <opentelemetry/trace/tracer.h>

#include "otlp_arrow/opentelemetry_sdk.h"
#endif

#include "allocation_count.h"
#include "measure.h"
#include "otlp_arrow/sdk/ids.h"
#include "otlp_arrow/sdk/provider.h"
#include "ring/ring_reader.h"
#include "temporary_directory.h"

namespace otlp_arrow::bench {
namespace {

constexpr uint64_t kSpans = 4000;  // as fit in the ring at once

template <class T>
T Must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

class Native {
 public:
  explicit Native(const std::string& path) {
    sdk::FileRecorderOptions file;
    file.path = path;
    provider = Must(sdk::Provider::Create(Must(sdk::OpenFileRecorder(file))));
    tracer_ = provider->GetTracer({.name = "bench"});
    counter_ = provider->GetMeter({.name = "bench"}).CreateCounter<int64_t>("requests");
    reader_ = Must(ring::RingReader::Open(path));
  }
  void Span() const {
    sdk::Span span = tracer_.Start("GET /api/v1/users/{id}", {.kind = SpanKind::kServer, .attributes = {{"http.request.method", "GET"}, {"http.response.status_code", 200}}});
    const sdk::Scope scope(span);
    span.SetAttribute("http.route", "/api/v1/users/{id}");
  }
  void Count() const { counter_.Add(1, {{"http.request.method", "GET"}, {"http.route", "/api/v1/users/{id}"}, {"http.response.status_code", 200}}); }
  void Drain() {
    for (const ring::RingKind kind : {ring::RingKind::kSpans, ring::RingKind::kMeasurements, ring::RingKind::kEvents}) {
      while (!Must(reader_->Poll(kind, 4096)).empty()) reader_->Advance(kind, reader_->last_read(kind));
    }
  }
  uint64_t dropped() const { return Must(provider->recorder()->Writer())->counters().dropped; }

  std::shared_ptr<sdk::Provider> provider;

 private:
  sdk::Tracer tracer_;
  sdk::Counter<int64_t> counter_;
  std::unique_ptr<ring::RingReader> reader_;
};

// The three records of such a span alone, with ids made and clock read.
class RecordsAlone {
 public:
  explicit RecordsAlone(ring::RingWriter* writer) : writer_(*writer) {
    scope_ = Must(writer->CreateScope({.resource = 0, .name = "records"}));
    method_ = Must(writer->InternString("http.request.method"));
    status_ = Must(writer->InternString("http.response.status_code"));
    route_ = Must(writer->InternString("http.route"));
  }
  void Span() {
    const TraceId trace = sdk::RandomTraceId();
    const SpanId id = sdk::RandomSpanId();
    const ring::Attribute attributes[] = {{method_, "GET"}, {status_, 200}};
    const ring::Attribute route[] = {{route_, "/api/v1/users/{id}"}};
    ring::SpanStart start{.scope = scope_, .trace_id = trace.bytes, .span_id = id.bytes, .name = "GET /api/v1/users/{id}"};
    start.attributes = attributes;
    start.start_time_unix_nano = UnixNanoNow();
    (void)writer_.RecordSpanStart(start);
    (void)writer_.RecordSpanAttributes({scope_, trace.bytes, id.bytes}, route);
    (void)writer_.RecordSpanEnd({scope_, trace.bytes, id.bytes}, UnixNanoNow());
  }

 private:
  ring::RingWriter& writer_;
  ring::Ref scope_, method_, status_, route_;
};

#ifdef WITH_OPENTELEMETRY
namespace otel = opentelemetry;

class NoExporter final : public otel::sdk::trace::SpanExporter {
 public:
  std::unique_ptr<otel::sdk::trace::Recordable> MakeRecordable() noexcept override { return std::make_unique<otel::sdk::trace::SpanData>(); }
  otel::sdk::common::ExportResult Export(const otel::nostd::span<std::unique_ptr<otel::sdk::trace::Recordable>>&) noexcept override {
    return otel::sdk::common::ExportResult::kSuccess;
  }
  bool ForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool Shutdown(std::chrono::microseconds) noexcept override { return true; }
};

class NoReader final : public otel::sdk::metrics::MetricReader {
 public:
  otel::sdk::metrics::AggregationTemporality GetAggregationTemporality(otel::sdk::metrics::InstrumentType) const noexcept override {
    return otel::sdk::metrics::AggregationTemporality::kCumulative;
  }
  bool OnForceFlush(std::chrono::microseconds) noexcept override { return true; }
  bool OnShutDown(std::chrono::microseconds) noexcept override { return true; }
};

// The same program for every implementation of the API.
class ApiProgram {
 public:
  ApiProgram(otel::trace::TracerProvider& tracers, otel::metrics::MeterProvider& meters)
      : tracer_(tracers.GetTracer("bench")), counter_(meters.GetMeter("bench")->CreateUInt64Counter("requests")) {}
  void Span() const {
    otel::trace::StartSpanOptions options;
    options.kind = otel::trace::SpanKind::kServer;
    auto span = tracer_->StartSpan("GET /api/v1/users/{id}", {{"http.request.method", "GET"}, {"http.response.status_code", int64_t{200}}}, options);
    const otel::trace::Scope scope(span);
    span->SetAttribute("http.route", "/api/v1/users/{id}");
    span->End();
  }
  void Count() const { counter_->Add(1, {{"http.request.method", "GET"}, {"http.route", "/api/v1/users/{id}"}, {"http.response.status_code", int64_t{200}}}); }

 private:
  otel::nostd::shared_ptr<otel::trace::Tracer> tracer_;
  otel::nostd::unique_ptr<otel::metrics::Counter<uint64_t>> counter_;
};

std::unique_ptr<otel::sdk::trace::SpanProcessor> BatchProcessor() {
  otel::sdk::trace::BatchSpanProcessorOptions options;
  options.max_queue_size = 1 << 17;  // nothing is dropped
  options.schedule_delay_millis = std::chrono::milliseconds(100);
  return otel::sdk::trace::BatchSpanProcessorFactory::Create(std::make_unique<NoExporter>(), options);
}
#endif

struct Call {
  const char* name;
  std::function<void()> call;
};

double AllocationsOf(const std::function<void()>& call) {
  for (int i = 0; i < 100; ++i) call();
  allocations = 0;
  counting_allocations = true;
  for (int i = 0; i < 1000; ++i) call();
  counting_allocations = false;
  return static_cast<double>(allocations.load()) / 1000;
}

void Compare(const std::string& path, bool quick) {
  Native native(path);
  RecordsAlone records(Must(native.provider->recorder()->Writer()));
  static std::atomic<uint64_t> seen{0};
  std::vector<Call> calls = {
      {"span, own API", [&] { native.Span(); }},
      {"its three records, ids and clock reads alone", [&] { records.Span(); }},
      {"two clock reads", [] { for (int i = 0; i < 2; ++i) seen.store(UnixNanoNow(), std::memory_order_relaxed); }},
      {"counter, 3 attributes, own API", [&] { native.Count(); }},
  };
#ifdef WITH_OPENTELEMETRY
  const auto tracers = MakeTracerProvider(native.provider);
  const auto meters = MakeMeterProvider(native.provider);
  const ApiProgram ours(*tracers, *meters);
  otel::sdk::trace::TracerProvider sdk_tracers(BatchProcessor());
  otel::sdk::metrics::MeterProvider sdk_meters;
  sdk_meters.AddMetricReader(std::make_shared<NoReader>());
  const ApiProgram theirs(sdk_tracers, sdk_meters);
  calls.push_back({"span, opentelemetry-cpp's API over ours", [&] { ours.Span(); }});
  calls.push_back({"counter, opentelemetry-cpp's API over ours", [&] { ours.Count(); }});
  calls.push_back({"span, opentelemetry-cpp's SDK with a batch processor", [&] { theirs.Span(); }});
  calls.push_back({"counter, opentelemetry-cpp's SDK", [&] { theirs.Count(); }});
#endif
  std::vector<std::vector<double>> times(calls.size());
  for (int round = 0; round <= (quick ? 2 : 60); ++round) {
    for (size_t i = 0; i < calls.size(); ++i) {
      const double begin = ThreadCpu();
      for (uint64_t n = 0; n < kSpans; ++n) calls[i].call();
      if (round > 0) times[i].push_back((ThreadCpu() - begin) / static_cast<double>(kSpans) * 1e9);
      native.Drain();
    }
  }
  std::vector<double> ns;
  for (size_t i = 0; i < calls.size(); ++i) {
    ns.push_back(Median(times[i]));
    const double allocated = AllocationsOf(calls[i].call);
    native.Drain();
    std::printf("%-55s %6.0f ns of CPU, %.1f allocations\n", calls[i].name, ns[i], allocated);
  }
  std::printf("a span beyond its records, ids and clock reads: %.0f ns; beyond the clock reads alone: %.0f ns; dropped: %llu\n", ns[0] - ns[1], ns[0] - ns[2],
              static_cast<unsigned long long>(native.dropped()));
#ifdef WITH_OPENTELEMETRY
  std::printf("opentelemetry-cpp's SDK against ours: span %.1f times the own API, %.1f times the same API; counter %.1f and %.1f times (it aggregates; ours leaves that to the collector)\n",
              ns[6] / ns[0], ns[6] / ns[4], ns[7] / ns[3], ns[7] / ns[5]);
#endif
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  using namespace otlp_arrow::bench;  // NOLINT
  TemporaryDirectory dir;
  Compare(dir.path() + "/ring.mmap", IsQuick(argc, argv));
}
