// Plain data given to OtlpLibrary: what is stored of it, and what becomes of it where it cannot be stored.
#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "library/allocations_testing.h"
#include "otlp/telemetry/decode.h"
#include "otlp_arrow/library.h"
#include "plain_batch.h"
#include "reference_otlp.h"
#include "schema/encode.h"
#include "stored_rows.h"
#include "telemetry_as_protobuf.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::DataFiles;
using testing::ItemNames;
using testing::LittleMemory;
using testing::PlainBatch;
using testing::RandomOtlp;
using testing::ReadBatches;
using testing::StoredNames;
using testing::TempDir;
using testing::ThreadAllocations;

constexpr auto kLong = seconds(60);  // no test that passes waits for it

// A library on a directory of its own.
struct Store {
  explicit Store(const std::function<void(Config*)>& configure = [](Config*) {}) {
    Config config;
    config.output_dir = dir.path();
    config.workers = 1;
    config.write_interval_secs = 3600;
    config.log_level = "off";
    configure(&config);
    auto created = OtlpLibrary::Create(config);
    EXPECT_TRUE(created.ok()) << created.status().ToString();
    library = *std::move(created);
  }
  OtlpLibrary* operator->() const { return library.get(); }
  SignalStats stats(Signal signal) const { return library->Stats().signals[static_cast<size_t>(signal)]; }

  // All rows in files.
  std::vector<std::shared_ptr<arrow::RecordBatch>> Rows(Signal signal) const {
    EXPECT_TRUE(library->Flush(kLong).ok());
    std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
    for (const std::string& path : DataFiles(dir.path(), signal)) {
      for (auto& batch : ReadBatches(path)) rows.push_back(PlainBatch(*batch));
    }
    return rows;
  }
  // The same as one OTLP request.
  std::string RowsAsOtlp(Signal signal) const {
    std::string request;
    for (const auto& batch : Rows(signal)) {
      auto encoded = EncodeOtlp(signal, *batch);
      EXPECT_TRUE(encoded.ok()) << encoded.status().ToString();
      for (const EncodedRequest& part : *encoded) request += part.bytes;
    }
    return request;
  }

  TempDir dir;
  std::shared_ptr<OtlpLibrary> library;
};

void ExpectKept(const Result<ExportOutcome>& outcome, int64_t items) {
  ASSERT_TRUE(outcome.ok()) << outcome.status().ToString();
  EXPECT_EQ(outcome->accepted_items, items);
  EXPECT_EQ(outcome->rejected_items, 0) << outcome->rejected_reason;
}

std::vector<Span> NamedSpans(const std::string& prefix, int count) {
  std::vector<Span> spans;
  for (const std::string& name : ItemNames(prefix, count)) spans.push_back({.name = name});
  return spans;
}
std::vector<LogRecord> NamedRecords(const std::string& prefix, int count) {
  std::vector<LogRecord> records;
  for (const std::string& name : ItemNames(prefix, count)) records.push_back({.body = name});
  return records;
}
ResourceMetrics NamedMetrics(const std::string& prefix, int count) {
  ScopeMetrics scope;
  for (const std::string& name : ItemNames(prefix, count)) scope.metrics.push_back({.name = name, .data = Gauge{{{.value = 1}}}});
  return {.resource = {.attributes = {{"service.name", "shop"}}}, .scope_metrics = {scope}};
}

// A counter of many series.
ResourceMetrics CounterOf(int points) {
  Sum sum{.aggregation_temporality = AggregationTemporality::kCumulative, .is_monotonic = true};
  for (int i = 0; i < points; ++i) {
    sum.data_points.push_back({.attributes = {{"http.route", "/orders/{id}/items"}, {"http.response.status_code", 200 + i}, {"cached", i % 2 == 0}},
                               .start_time_unix_nano = 1'700'000'000'000'000'000,
                               .time_unix_nano = 1'700'000'060'000'000'000,
                               .value = i});
  }
  return {.scope_metrics = {{.scope = {.name = "http"}, .metrics = {{.name = "http.server.requests", .data = std::move(sum)}}}}};
}

// --- what is stored --------------------------------------------------------------------------------------------------

template <class Request, class T>
void ExpectStored(const Store& store, Signal signal, const std::vector<T>& given) {
  Request stored, wanted = testing::AsProtobuf(given);
  ASSERT_TRUE(testing::ParseDeep(store.RowsAsOtlp(signal), &stored));
  testing::AsPlainTelemetryHasIt(&stored);
  testing::AsPlainTelemetryHasIt(&wanted);
  testing::Canonicalize(&stored);
  testing::Canonicalize(&wanted);
  EXPECT_EQ(testing::Difference(wanted, stored), "");
}

TEST(ExportTelemetryTest, EveryFieldIsStored) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOtlp random(seed);
    const auto traces = *DecodeTraces(random.Request(Signal::kTraces));
    const auto metrics = *DecodeMetrics(random.Request(Signal::kMetrics));
    const auto logs = *DecodeLogs(random.Request(Signal::kLogs));
    const Store store;
    for (const auto& spans : traces) EXPECT_TRUE(store->ExportTraces(spans).ok());
    for (const auto& of_resource : metrics) EXPECT_TRUE(store->ExportMetricsRef(of_resource).ok());
    for (const auto& records : logs) EXPECT_TRUE(store->ExportLogs(records).ok());
    ExpectStored<testing::TraceRequest>(store, Signal::kTraces, traces);
    ExpectStored<testing::MetricsRequest>(store, Signal::kMetrics, metrics);
    ExpectStored<testing::LogsRequest>(store, Signal::kLogs, logs);
  }
}

TEST(ExportTelemetryTest, ItemsWithTheirResourceAndScopeBeside) {
  const Store store;
  const Resource resource{.attributes = {{"service.name", "shop"}}, .schema_url = "https://example.org/resource"};
  const InstrumentationScope scope{.name = "checkout", .version = "2", .schema_url = "https://example.org/scope"};
  const auto spans = NamedSpans("span", 3);
  const auto records = NamedRecords("record", 2);
  ExpectKept(store->ExportTrace(spans[0], resource, scope), 1);
  ExpectKept(store->ExportTraces({spans.data() + 1, 2}, resource, scope), 2);
  ExpectKept(store->ExportLogs(records, resource, scope), 2);
  ExpectStored<testing::TraceRequest>(store, Signal::kTraces, std::vector<ResourceSpans>{{resource, {{scope, spans}}}});
  ExpectStored<testing::LogsRequest>(store, Signal::kLogs, std::vector<ResourceLogs>{{resource, {{scope, records}}}});
}

TEST(ExportTelemetryTest, ASpanAloneIsEnough) {
  const Store store;
  ExpectKept(store->ExportTrace({.name = "alone"}), 1);
  ExpectStored<testing::TraceRequest>(store, Signal::kTraces, std::vector<ResourceSpans>{{.scope_spans = {{.spans = {{.name = "alone"}}}}}});
}

// SC-003.
TEST(ExportTelemetryTest, OwnedAndByReferenceStoreTheSameRows) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOtlp random(seed);
    const auto metrics = *DecodeMetrics(random.Request(Signal::kMetrics));
    const Store owned, by_reference;
    for (const ResourceMetrics& one : metrics) {
      const auto before = testing::AsProtobuf({one}).SerializeAsString();
      const auto first = by_reference->ExportMetricsRef(one);
      EXPECT_EQ(testing::AsProtobuf({one}).SerializeAsString(), before);  // untouched
      const auto second = owned->ExportMetrics(ResourceMetrics(one));
      ASSERT_TRUE(first.ok() && second.ok());
      EXPECT_EQ(first->accepted_items, second->accepted_items);
      EXPECT_EQ(first->rejected_items, second->rejected_items);
    }
    EXPECT_EQ(owned.RowsAsOtlp(Signal::kMetrics), by_reference.RowsAsOtlp(Signal::kMetrics));
    const auto left = owned.Rows(Signal::kMetrics), right = by_reference.Rows(Signal::kMetrics);
    ASSERT_EQ(left.size(), right.size());
    for (size_t i = 0; i < left.size(); ++i) {
      EXPECT_TRUE(left[i]->Equals(*right[i], true, arrow::EqualOptions().nans_equal(true).signed_zeros_equal(false)));
    }
  }
}

TEST(ExportTelemetryTest, RequestsFromABufferThatTheCallerKeeps) {
  const Store store;
  std::string buffer = testing::NamedRequest(Signal::kLogs, "a", 2);
  ExpectKept(store->ExportOtlpRef(Signal::kLogs, buffer), 2);
  std::fill(buffer.begin(), buffer.end(), '\xff');
  buffer = testing::NamedRequest(Signal::kLogs, "b", 1);
  ExpectKept(store->ExportOtlpRef(Signal::kLogs, buffer), 1);
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kLogs), (std::vector<std::string>{"a-0", "a-1", "b-0"}));
}

// --- allocations -----------------------------------------------------------------------------------------------------

uint64_t AllocationsOf(int rounds, const std::function<void()>& call) {
  for (int i = 0; i < 3; ++i) call();  // buffers grow
  const uint64_t before = ThreadAllocations();
  for (int i = 0; i < rounds; ++i) call();
  return ThreadAllocations() - before;
}

// SC-009.
TEST(ExportTelemetryTest, ByReferenceADataPointCostsNoAllocation) {
  constexpr int kRounds = 20, kPoints = 2000;
  const Store store([](Config* config) { config->write_interval_secs = 1; });
  const ResourceMetrics few = CounterOf(2), many = CounterOf(kPoints);
  const uint64_t for_few = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportMetricsRef(few), 2); });
  const uint64_t for_many = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportMetricsRef(many), kPoints); });
  const uint64_t for_clones = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportMetrics(ResourceMetrics(many)), kPoints); });
  // Blocks of the library's memory, each for many requests, come on top of what each request costs.
  EXPECT_LE(for_many, for_few + kRounds) << "in " << kRounds << " requests";
  EXPECT_LE(2 * for_many, for_clones);
  EXPECT_GT(for_clones, uint64_t{kRounds} * kPoints);
}

TEST(ExportTelemetryTest, SpansAndLogRecordsCostNoneEither) {
  constexpr int kRounds = 20, kItems = 500;
  const Store store([](Config* config) { config->write_interval_secs = 1; });
  Span span{.name = "GET /", .attributes = {{"http.route", "/orders/{id}/items"}, {"http.response.status_code", 200}}};
  LogRecord record{.body = "a message that is longer than a small string", .attributes = span.attributes};
  const std::vector<Span> spans(kItems, span);
  const std::vector<LogRecord> records(kItems, record);
  const uint64_t one_span = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportTrace(span), 1); });
  const uint64_t many_spans = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportTraces(spans), kItems); });
  EXPECT_LE(many_spans, one_span + kRounds);
  const uint64_t one_record = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportLogs({&record, 1}), 1); });
  const uint64_t many_records = AllocationsOf(kRounds, [&] { ExpectKept(store->ExportLogs(records), kItems); });
  EXPECT_LE(many_records, one_record + kRounds);
}

// --- where it cannot be stored ---------------------------------------------------------------------------------------

TEST(ExportTelemetryTest, NothingIsFine) {
  const Store store;
  ExpectKept(store->ExportTraces(std::span<const Span>()), 0);
  ExpectKept(store->ExportTraces(ResourceSpans{}), 0);
  ExpectKept(store->ExportMetrics({}), 0);
  ExpectKept(store->ExportMetricsRef({.resource = {.attributes = {{"k", "v"}}}, .scope_metrics = {{}, {}}}), 0);
  ExpectKept(store->ExportMetricsRef({.scope_metrics = {{.metrics = {{.name = "no data"}, {.name = "no points", .data = Gauge{}}}}}}), 0);
  ExpectKept(store->ExportLogs(ResourceLogs{}), 0);
  for (Signal signal : kAllSignals) {
    EXPECT_TRUE(store.Rows(signal).empty());
    EXPECT_EQ(store.stats(signal).received, 0);
  }
}

TEST(ExportTelemetryTest, InvalidItemsAreLeftOutAndTheOthersKept) {
  const Store store;
  std::vector<Span> spans = NamedSpans("span", 3);
  spans[1].attributes = {{"broken", "\xc3\x28"}};
  const auto traces = store->ExportTraces(spans);
  ASSERT_TRUE(traces.ok()) << traces.status().ToString();
  EXPECT_EQ(traces->accepted_items, 2);
  EXPECT_EQ(traces->rejected_items, 1);
  EXPECT_THAT(traces->rejected_reason, HasSubstr("UTF-8"));

  ResourceMetrics metrics = NamedMetrics("metric", 3);
  metrics.scope_metrics[0].metrics[2].unit = "\xff";
  EXPECT_EQ(store->ExportMetricsRef(metrics)->rejected_items, 1);
  EXPECT_EQ(store->ExportMetrics(metrics)->rejected_items, 1);
  // A resource is that of all items.
  EXPECT_EQ(store->ExportLogs(NamedRecords("record", 4), {.attributes = {{"\xff", 1}}})->rejected_items, 4);

  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kTraces), (std::vector<std::string>{"span-0", "span-2"}));
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kMetrics), (std::vector<std::string>{"metric-0", "metric-0", "metric-1", "metric-1"}));
  EXPECT_TRUE(StoredNames(store.dir.path(), Signal::kLogs).empty());
  EXPECT_EQ(store.stats(Signal::kLogs).invalid.at(0).items, 4);
}

TEST(ExportTelemetryTest, OddNumbersAndNamesAreKeptAsTheyAre) {
  using Limits = std::numeric_limits<double>;
  const Store store;
  ResourceMetrics odd;
  odd.scope_metrics = {{.metrics = {
                            {.name = "", .data = Gauge{{{.value = Limits::quiet_NaN()}, {.value = -0.0}, {.value = Limits::infinity()}, {}}}},
                            {.name = std::string("nul\0", 4), .data = Sum{{{.value = INT64_MIN}}, static_cast<AggregationTemporality>(77)}},
                            {.data = Histogram{{{.count = UINT64_MAX, .bucket_counts = {1, 2}, .explicit_bounds = {3, 2, 1}}}}},
                            {.data = ExponentialHistogram{{{.scale = INT32_MIN, .positive = {{INT32_MAX, {UINT64_MAX}}}}}}},
                            {.data = Summary{{{.quantile_values = {{2, Limits::infinity()}}, .flags = UINT32_MAX}}}},
                        }}};
  ExpectKept(store->ExportMetricsRef(odd), 8);
  ExpectStored<testing::MetricsRequest>(store, Signal::kMetrics, std::vector<ResourceMetrics>{odd});
}

TEST(ExportTelemetryTest, AfterShutdownEachCallSaysSo) {
  const Store store;
  ExpectKept(store->ExportTrace({.name = "kept"}), 1);
  ASSERT_TRUE(store->Shutdown().ok());
  const std::vector<Result<ExportOutcome>> outcomes = {store->ExportTrace({.name = "late"}),
                                                       store->ExportTraces(ResourceSpans{}),
                                                       store->ExportMetrics(NamedMetrics("late", 1)),
                                                       store->ExportMetricsRef(NamedMetrics("late", 1)),
                                                       store->ExportLogs(NamedRecords("late", 1)),
                                                       store->ExportLogs(ResourceLogs{}),
                                                       store->ExportOtlpRef(Signal::kLogs, "")};
  for (const auto& outcome : outcomes) {
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.status().code(), StatusCode::kShutdown);
    EXPECT_THAT(outcome.status().message(), HasSubstr("create another OtlpLibrary"));
  }
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kTraces), std::vector<std::string>{"kept"});
}

// The worker is busy with much data: there is no room for more at this moment.
TEST(ExportTelemetryTest, AFullBufferRefusesForNowAndLosesNothing) {
  const Store store([](Config* config) {
    config->memory_budget = 64 << 10;
    config->admission_timeout_ms = 0;
  });
  constexpr int kPoints = 5000;
  const ResourceMetrics large = CounterOf(kPoints);
  int64_t kept = 0;
  Status refusal;
  for (int tries = 0; tries < 1000 && refusal.ok(); ++tries) {
    const auto outcome = store->ExportMetricsRef(large);
    refusal = outcome.status();
    if (outcome.ok()) kept += outcome->accepted_items;
  }
  EXPECT_EQ(refusal.code(), StatusCode::kExport);
  EXPECT_TRUE(refusal.retryable());
  EXPECT_THAT(refusal.message(), HasSubstr("memory_budget"));

  ASSERT_TRUE(store->Flush(kLong).ok());
  ExpectKept(store->ExportMetricsRef(large), kPoints);  // the same call again
  ASSERT_TRUE(store->Flush(kLong).ok());
  const SignalStats stats = store.stats(Signal::kMetrics);
  EXPECT_EQ(stats.stored, kept + kPoints);
  ASSERT_EQ(stats.refused.size(), 1u);
  EXPECT_EQ(stats.refused[0].items, kPoints);
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kMetrics).size(), static_cast<size_t>(stats.stored));
}

TEST(ExportTelemetryTest, ABatchLargerThanAllRoomIsTakenAlone) {
  const Store store([](Config* config) { config->memory_budget = 64 << 10; });
  ExpectKept(store->ExportMetricsRef(CounterOf(5000)), 5000);
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(store.stats(Signal::kMetrics).stored, 5000);
}

TEST(ExportTelemetryTest, WithoutMemoryItSaysSoAndGoesOn) {
  const Store store;
  const ResourceMetrics large = CounterOf(20'000);
  {
    const LittleMemory little(1 << 20);
    const auto outcome = store->ExportMetricsRef(large);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.status().code(), StatusCode::kExport);
    EXPECT_TRUE(outcome.status().retryable());
    EXPECT_THAT(outcome.status().message(), HasSubstr("memory"));
    ExpectKept(store->ExportMetricsRef(CounterOf(10)), 10);
  }
  ExpectKept(store->ExportMetricsRef(large), 20'000);
  ASSERT_TRUE(store->Flush(kLong).ok());
  EXPECT_EQ(store.stats(Signal::kMetrics).stored, 20'010);
}

// --- threads ---------------------------------------------------------------------------------------------------------

constexpr int kThreads = 16;

TEST(ExportTelemetryTest, SixteenThreadsExportAtOnce) {
  const Store store([](Config* config) { config->workers = 2; });
  constexpr int kRounds = 30;
  const ResourceMetrics shared = NamedMetrics("shared", 2);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        const std::string prefix = "t" + std::to_string(t) + "r" + std::to_string(i);
        ExpectKept(store->ExportTraces(NamedSpans(prefix, 3)), 3);
        ExpectKept(store->ExportMetricsRef(shared), 2);
        ExpectKept(store->ExportMetrics(NamedMetrics(prefix, 1)), 1);
        ExpectKept(store->ExportLogs(NamedRecords(prefix, 2)), 2);
        if (i % 10 != t % 10) continue;
        EXPECT_TRUE(store->Flush(kLong).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(store->Flush(kLong).ok());

  const auto wanted = [](int per_round) {
    std::vector<std::string> names;
    for (int t = 0; t < kThreads; ++t) {
      for (int i = 0; i < kRounds; ++i) {
        for (std::string& name : ItemNames("t" + std::to_string(t) + "r" + std::to_string(i), per_round)) names.push_back(std::move(name));
      }
    }
    return names;
  };
  const auto sorted = [](std::vector<std::string> names) {
    std::sort(names.begin(), names.end());
    return names;
  };
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kTraces), sorted(wanted(3)));
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kLogs), sorted(wanted(2)));
  auto metrics = wanted(1);
  for (int i = 0; i < kThreads * kRounds; ++i) metrics.insert(metrics.end(), {"shared-0", "shared-1"});
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kMetrics), sorted(metrics));
}

TEST(ExportTelemetryTest, AShutdownAmidSixteenThreadsKeepsWhatWasAccepted) {
  const Store store;
  std::atomic<int64_t> kept{0};
  std::atomic<int> started{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      ++started;
      for (;;) {
        const auto outcome = store->ExportTraces(NamedSpans("span", 5));
        if (!outcome.ok()) {
          EXPECT_EQ(outcome.status().code(), StatusCode::kShutdown) << outcome.status().ToString();
          return;
        }
        kept += outcome->accepted_items;
      }
    });
  }
  while (started < kThreads || kept < 1000) std::this_thread::yield();
  EXPECT_TRUE(store->Shutdown().ok());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(StoredNames(store.dir.path(), Signal::kTraces).size(), static_cast<size_t>(kept.load()));
}

}  // namespace
}  // namespace otlp_arrow
