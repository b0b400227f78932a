// The SDK's providers, processors and readers with our exporters and a real library: what is recorded is stored.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/meter.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/metrics/sync_instruments.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor_factory.h>
#include <opentelemetry/sdk/logs/batch_log_record_processor_options.h>
#include <opentelemetry/sdk/logs/logger_provider.h>
#include <opentelemetry/sdk/logs/logger_provider_factory.h>
#include <opentelemetry/sdk/logs/simple_log_record_processor_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_factory.h>
#include <opentelemetry/sdk/metrics/export/periodic_exporting_metric_reader_options.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/trace/batch_span_processor_factory.h>
#include <opentelemetry/sdk/trace/batch_span_processor_options.h>
#include <opentelemetry/sdk/trace/simple_processor_factory.h>
#include <opentelemetry/sdk/trace/tracer_provider.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>

#include "fake_library_testing.h"
#include "otlp_arrow/opentelemetry_exporters.h"
#include "stored_rows.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using std::chrono::microseconds;
using std::chrono::seconds;
using testing::SdkLog;
using testing::StoredNames;
using testing::TempDir;
namespace api = opentelemetry;
namespace nostd = opentelemetry::nostd;
namespace sdk = opentelemetry::sdk;

constexpr int kThreads = 16;

class SdkTest : public ::testing::Test {
 protected:
  SdkTest() { Create(); }

  void Create() {
    config_.output_dir = dir_.path();
    config_.workers = 1;
    config_.write_interval_secs = 3600;
    config_.log_level = "error";
    auto library = OtlpLibrary::Create(config_);
    if (library.ok()) library_ = *std::move(library);
    ASSERT_TRUE(library_) << library.status().ToString();
  }
  std::unique_ptr<sdk::trace::TracerProvider> BatchTracing(size_t queue = 100'000) {
    sdk::trace::BatchSpanProcessorOptions options;
    options.max_queue_size = queue;
    return sdk::trace::TracerProviderFactory::Create(sdk::trace::BatchSpanProcessorFactory::Create(MakeSpanExporter(library_), options));
  }
  std::unique_ptr<sdk::logs::LoggerProvider> BatchLogging() {
    sdk::logs::BatchLogRecordProcessorOptions options;
    options.max_queue_size = 100'000;
    options.schedule_delay_millis = std::chrono::milliseconds(50);  // its ForceFlush may miss a wake-up
    return sdk::logs::LoggerProviderFactory::Create(
        sdk::logs::BatchLogRecordProcessorFactory::Create(MakeLogRecordExporter(library_), options));
  }
  std::vector<std::string> Stored(Signal signal) { return StoredNames(dir_.path(), signal); }
  SignalStats Stats(Signal signal) { return library_->Stats().signals[static_cast<size_t>(signal)]; }

  TempDir dir_;
  Config config_;
  std::shared_ptr<OtlpLibrary> library_;
};

void RunThreads(int count, const std::function<void(int)>& run) {
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t) threads.emplace_back(run, t);
  for (auto& thread : threads) thread.join();
}

std::vector<std::string> Names(int threads, int each) {
  std::vector<std::string> names;
  for (int t = 0; t < threads; ++t) {
    for (int i = 0; i < each; ++i) names.push_back(std::to_string(t) + "-" + std::to_string(i));
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(SdkTest, SpansOfManyThreadsThroughABatchProcessor) {
  const auto provider = BatchTracing();
  RunThreads(kThreads, [&](int t) {
    const auto tracer = provider->GetTracer("scope " + std::to_string(t % 3));
    for (int i = 0; i < 500; ++i) {
      auto span = tracer->StartSpan(std::to_string(t) + "-" + std::to_string(i));
      span->SetAttribute("i", i);
      span->AddEvent("event", {{"text", "value"}});
      if (i % 50 == 0) span->SetAttribute("large", std::string(5000, 'x'));
      span->End();
    }
  });
  EXPECT_TRUE(provider->ForceFlush());
  EXPECT_EQ(Stored(Signal::kTraces), Names(kThreads, 500));
  EXPECT_TRUE(provider->Shutdown());
  EXPECT_FALSE(library_->is_shut_down());
}

TEST_F(SdkTest, OneExporterOfASimpleProcessorForManyThreads) {
  const auto provider = sdk::trace::TracerProviderFactory::Create(sdk::trace::SimpleSpanProcessorFactory::Create(MakeSpanExporter(library_)));
  RunThreads(kThreads, [&](int t) {
    for (int i = 0; i < 50; ++i) provider->GetTracer("simple")->StartSpan(std::to_string(t) + "-" + std::to_string(i))->End();
  });
  EXPECT_TRUE(provider->Shutdown());
  EXPECT_TRUE(library_->Flush().ok());
  EXPECT_EQ(Stored(Signal::kTraces), Names(kThreads, 50));
}

// Not what the SDK's processors do, which export one batch at a time.
TEST_F(SdkTest, OneExporterIsCalledByManyThreadsAtOnce) {
  const auto exporter = MakeSpanExporter(library_);
  std::atomic<int> failures = 0;
  RunThreads(kThreads, [&](int t) {
    for (int i = 0; i < 50; ++i) {
      std::vector<std::unique_ptr<sdk::trace::Recordable>> spans;
      spans.push_back(exporter->MakeRecordable());
      spans[0]->SetName(std::to_string(t) + "-" + std::to_string(i));
      spans[0]->SetIdentity({api::trace::TraceId(), api::trace::SpanId(), {}, false}, {});
      failures += exporter->Export({spans.data(), spans.size()}) != sdk::common::ExportResult::kSuccess;
      if (i % 10 == 0) failures += !exporter->ForceFlush(seconds(30));
    }
  });
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(exporter->Shutdown());
  EXPECT_TRUE(library_->Flush().ok());
  EXPECT_EQ(Stored(Signal::kTraces), Names(kThreads, 50));
}

TEST_F(SdkTest, LogRecordsOfManyThreads) {
  const auto provider = BatchLogging();
  RunThreads(kThreads, [&](int t) {
    const auto logger = provider->GetLogger("logger", "library " + std::to_string(t % 3));
    for (int i = 0; i < 500; ++i) {
      logger->EmitLogRecord(api::logs::Severity::kInfo, std::to_string(t) + "-" + std::to_string(i),
                            api::common::MakeAttributes({{"thread", t}}));
    }
  });
  EXPECT_TRUE(provider->ForceFlush());
  EXPECT_EQ(Stored(Signal::kLogs), Names(kThreads, 500));
  EXPECT_TRUE(provider->Shutdown());
}

TEST_F(SdkTest, ProvidersOfAllSignalsShareALibrary) {
  const auto traces = BatchTracing(), more_traces = BatchTracing();
  const auto logs = BatchLogging();
  sdk::metrics::MeterProvider metrics;
  const auto reader = MakeMetricReader(library_);
  metrics.AddMetricReader(reader);
  traces->GetTracer("t")->StartSpan("first")->End();
  more_traces->GetTracer("t")->StartSpan("second")->End();
  logs->GetLogger("l", "library")->EmitLogRecord("a log record");
  const auto counter = metrics.GetMeter("m")->CreateUInt64Counter("counter");
  counter->Add(1);
  EXPECT_TRUE(traces->Shutdown());
  EXPECT_TRUE(more_traces->Shutdown());
  EXPECT_TRUE(logs->Shutdown());
  EXPECT_TRUE(metrics.Shutdown());
  EXPECT_TRUE(library_->Shutdown().ok());
  EXPECT_THAT(Stored(Signal::kTraces), ElementsAre("first", "second"));
  EXPECT_THAT(Stored(Signal::kLogs), ElementsAre("a log record"));
  EXPECT_THAT(Stored(Signal::kMetrics), ElementsAre("counter"));
}

TEST_F(SdkTest, APeriodicReaderExportsByItself) {
  sdk::metrics::PeriodicExportingMetricReaderOptions options;
  options.export_interval_millis = std::chrono::milliseconds(20);
  options.export_timeout_millis = std::chrono::milliseconds(10);
  sdk::metrics::MeterProvider provider;
  provider.AddMetricReader(sdk::metrics::PeriodicExportingMetricReaderFactory::Create(MakeMetricExporter(library_), options));
  const auto counter = provider.GetMeter("m")->CreateUInt64Counter("counter");
  counter->Add(1);
  const auto end = std::chrono::steady_clock::now() + seconds(30);
  while (Stats(Signal::kMetrics).received < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_GE(Stats(Signal::kMetrics).received, 3);
  EXPECT_TRUE(provider.Shutdown());
  EXPECT_TRUE(library_->Flush().ok());
  EXPECT_GE(Stored(Signal::kMetrics).size(), 3u);
}

TEST_F(SdkTest, ThePullReaderCollectsWhenToldAndAtTheEnd) {
  sdk::metrics::MeterProvider provider;
  const auto reader = MakeMetricReader(library_, {TemporalityPreference::kDelta});
  provider.AddMetricReader(reader);
  const auto counter = provider.GetMeter("m")->CreateUInt64Counter("counter");
  EXPECT_TRUE(reader->CollectAndExport());  // there is nothing yet
  counter->Add(1);
  EXPECT_TRUE(reader->CollectAndExport());
  EXPECT_EQ(Stats(Signal::kMetrics).received, 1);
  counter->Add(2);
  EXPECT_TRUE(provider.ForceFlush());
  EXPECT_EQ(Stored(Signal::kMetrics).size(), 2u);
  counter->Add(3);
  EXPECT_TRUE(provider.Shutdown());
  EXPECT_EQ(Stats(Signal::kMetrics).received, 3);
  EXPECT_TRUE(reader->last_error().ok());
}

TEST_F(SdkTest, ThreadsCollectWhileOthersCount) {
  sdk::metrics::MeterProvider provider;
  const auto reader = MakeMetricReader(library_, {TemporalityPreference::kDelta});
  provider.AddMetricReader(reader);
  const auto counter = provider.GetMeter("m")->CreateUInt64Counter("counter");
  std::atomic<int> failures = 0;
  RunThreads(kThreads, [&](int t) {
    for (int i = 0; i < 20; ++i) {
      counter->Add(1, {{"thread", t}});
      if (t % 4 == 0) failures += !reader->CollectAndExport();
    }
  });
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(provider.Shutdown());
}

TEST_F(SdkTest, AfterTheLibrarysShutdownExportsFailAndSaySoOnce) {
  SdkLog log;
  const auto provider = BatchTracing();
  const auto tracer = provider->GetTracer("t");
  tracer->StartSpan("before")->End();
  EXPECT_TRUE(provider->ForceFlush());
  EXPECT_TRUE(library_->Shutdown().ok());
  for (int i = 0; i < 3; ++i) {
    tracer->StartSpan("after")->End();
    provider->ForceFlush(seconds(10));
  }
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("1 spans were not recorded: the library is shut down")));
  EXPECT_TRUE(provider->Shutdown());
  EXPECT_THAT(Stored(Signal::kTraces), ElementsAre("before"));
}

TEST_F(SdkTest, AFullBufferIsAFailureThatMayPass) {
  SdkLog log;
  library_ = nullptr;
  config_.memory_budget = 1 << 20;
  config_.acknowledge = Acknowledge::kMemory;
  config_.admission_timeout_ms = 0;
  Create();
  const auto exporter = MakeSpanExporter(library_);
  const std::string text(900 << 10, 'x');
  const auto export_one = [&] {
    std::vector<std::unique_ptr<sdk::trace::Recordable>> spans;
    spans.push_back(exporter->MakeRecordable());
    spans[0]->SetAttribute("large", nostd::string_view(text));
    return exporter->Export({spans.data(), spans.size()});
  };
  auto result = sdk::common::ExportResult::kSuccess;
  for (int i = 0; i < 100 && result == sdk::common::ExportResult::kSuccess; ++i) result = export_one();
  EXPECT_EQ(result, sdk::common::ExportResult::kFailureFull);
  EXPECT_TRUE(exporter->last_error().retryable());
  EXPECT_THAT(log.lines(), ElementsAre(HasSubstr("1 spans were not recorded")));
  EXPECT_TRUE(exporter->ForceFlush(seconds(30)));
  EXPECT_EQ(export_one(), sdk::common::ExportResult::kSuccess);
}

TEST_F(SdkTest, TheExporterKeepsItsLibrary) {
  const auto provider = BatchTracing();
  library_ = nullptr;
  provider->GetTracer("t")->StartSpan("kept")->End();
  EXPECT_TRUE(provider->ForceFlush());
  EXPECT_THAT(Stored(Signal::kTraces), ElementsAre("kept"));
}

TEST_F(SdkTest, ThreadsRecordWhileTheLibraryIsShutDown) {
  SdkLog log;
  const auto provider = BatchTracing();
  std::atomic<int> started = 0;
  RunThreads(kThreads, [&](int t) {
    if (t == 0) {
      while (started < kThreads - 1) std::this_thread::yield();
      EXPECT_TRUE(library_->Shutdown().ok());
      return;
    }
    ++started;
    for (int i = 0; i < 200; ++i) provider->GetTracer("t")->StartSpan(std::to_string(t))->End();
  });
  EXPECT_TRUE(provider->Shutdown());
  EXPECT_LE(log.lines().size(), 1u);
  const auto stats = Stats(Signal::kTraces);
  EXPECT_EQ(static_cast<size_t>(stats.stored), Stored(Signal::kTraces).size());
}

}  // namespace
}  // namespace otlp_arrow
