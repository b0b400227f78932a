// What does ExportMetricsRef save a caller who keeps his metrics, in heap allocations and CPU of his thread, against
// ExportMetrics with the copy that it needs? Aims: at most half the allocations, none for any data point.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "measure.h"
#include "otlp_arrow/library.h"
#include "temporary_directory.h"

namespace {
thread_local uint64_t allocations = 0;
}

// Not inlined: GCC would take new and free for a mismatch.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace otlp_arrow::bench {
namespace {

Attributes SeriesAttributes(int i) {
  return {{"http.request.method", i % 2 ? "GET" : "POST"}, {"http.route", "/orders/{id}/items/" + std::to_string(i)}, {"http.response.status_code", 200}};
}

template <class Point>
Point PointOf(int i) {
  Point point;
  point.attributes = SeriesAttributes(i);
  point.start_time_unix_nano = 1'700'000'000'000'000'000;
  point.time_unix_nano = 1'700'000'060'000'000'000;
  return point;
}

// A collection as SDKs make it: of each kind of instrument one, with `series` series.
ResourceMetrics Collection(int series) {
  Sum sum{.aggregation_temporality = AggregationTemporality::kCumulative, .is_monotonic = true};
  Gauge gauge;
  Histogram histogram{.aggregation_temporality = AggregationTemporality::kCumulative};
  ExponentialHistogram exponential{.aggregation_temporality = AggregationTemporality::kCumulative};
  for (int i = 0; i < series; ++i) {
    sum.data_points.push_back(PointOf<NumberDataPoint>(i));
    sum.data_points.back().value = i;
    gauge.data_points.push_back(PointOf<NumberDataPoint>(i));
    gauge.data_points.back().value = 0.5 * i;
    auto& h = histogram.data_points.emplace_back(PointOf<HistogramDataPoint>(i));
    h.count = 1000;
    h.sum = 12.5;
    h.bucket_counts.assign(16, 62);
    h.explicit_bounds = {0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000};
    auto& e = exponential.data_points.emplace_back(PointOf<ExponentialHistogramDataPoint>(i));
    e.count = 1000;
    e.sum = 12.5;
    e.scale = 6;
    e.positive = {{.offset = -12, .bucket_counts = std::vector<uint64_t>(40, 25)}};
  }
  ResourceMetrics metrics{.resource = {.attributes = {{"service.name", "shop"}, {"service.instance.id", "checkout-7f9c4d5b6-x2x9z"}}}};
  metrics.scope_metrics = {{.scope = {.name = "http.server", .version = "1.0"},
                            .metrics = {{.name = "http.server.requests", .unit = "{request}", .data = std::move(sum)},
                                        {.name = "http.server.active_requests", .unit = "{request}", .data = std::move(gauge)},
                                        {.name = "http.server.request.duration", .unit = "s", .data = std::move(histogram)},
                                        {.name = "http.server.request.body.size", .unit = "By", .data = std::move(exponential)}}}};
  return metrics;
}

void MustBeKept(const Result<ExportOutcome>& outcome) {
  if (outcome.ok() && outcome->rejected_items == 0) return;
  std::fprintf(stderr, "not kept: %s\n", outcome.ok() ? outcome->rejected_reason.c_str() : outcome.status().ToString().c_str());
  std::exit(1);
}

struct Way {
  const char* name;
  std::function<void()> run;       // one export
  std::function<void()> prepare;   // what another part of the program has done before, and is not its cost
};

struct Measured {
  double allocations = 0, cpu = 0;  // of one export, in the caller's thread; seconds
};

// In turn, so that a change of the machine's speed meets all ways.
std::vector<Measured> Measure(const std::vector<Way>& ways, int rounds) {
  std::vector<std::vector<double>> cpu(ways.size());
  std::vector<uint64_t> counts(ways.size());
  for (int r = -3; r < rounds; ++r) {  // the first ones let buffers grow
    for (size_t w = 0; w < ways.size(); ++w) {
      ways[w].prepare();
      const uint64_t count = allocations;
      const double begin = ThreadCpu();
      ways[w].run();
      const double used = ThreadCpu() - begin;
      if (r < 0) continue;
      cpu[w].push_back(used);
      counts[w] += allocations - count;
    }
  }
  std::vector<Measured> measured;
  for (size_t w = 0; w < ways.size(); ++w) measured.push_back({static_cast<double>(counts[w]) / rounds, Median(cpu[w])});
  return measured;
}

// The allocations of ExportMetricsRef for one collection.
double Compare(OtlpLibrary& library, int series, int rounds) {
  const ResourceMetrics metrics = Collection(series);
  ResourceMetrics ready;
  const auto nothing = [] {};
  const std::vector<Way> ways = {
      {"ExportMetrics of a copy", [&] { MustBeKept(library.ExportMetrics(ResourceMetrics(metrics))); }, nothing},
      {"ExportMetrics, given away", [&] { MustBeKept(library.ExportMetrics(std::move(ready))); }, [&] { ready = metrics; }},
      {"ExportMetricsRef", [&] { MustBeKept(library.ExportMetricsRef(metrics)); }, nothing},
  };
  const auto measured = Measure(ways, rounds);
  const int points = 4 * series;
  std::printf("%d data points of four kinds, three attributes each:\n", points);
  for (size_t w = 0; w < ways.size(); ++w) {
    const Measured& m = measured[w];
    std::printf("  %-28s %9.1f allocations (%6.3f a point)  %8.1f us CPU (%5.3f us a point)  %5.1f %% of the allocations, %5.1f %% of the CPU\n",
                ways[w].name, m.allocations, m.allocations / points, m.cpu * 1e6, m.cpu * 1e6 / points,
                100 * m.allocations / measured[0].allocations, 100 * m.cpu / measured[0].cpu);
  }
  return measured.back().allocations;
}

int Run(bool quick) {
  const TemporaryDirectory directory;
  Config config;
  config.output_dir = directory.path();
  config.workers = 1;
  config.write_interval_secs = 1;
  config.log_level = "error";
  const auto library = OtlpLibrary::Create(config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;
  const int rounds = quick ? 20 : 400;
  const double few = Compare(**library, 25, rounds);
  const double many = Compare(**library, 250, rounds);
  std::printf("ExportMetricsRef: %.4f allocations for each further data point (aim 0)\n", (many - few) / (4 * (250 - 25)));
  return 0;
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) { return otlp_arrow::bench::Run(otlp_arrow::bench::IsQuick(argc, argv)); }
