// How many spans and measurements a second does one core turn into OTLP requests, without a store behind it? Compared with
// what a producer takes to record them. A span is a start with three attributes, a fourth one later, and an end; a
// measurement has three attributes, one of a hundred sets of them.
//
//   drain_benchmark [--quick]
//
// Wanted: 2,000,000 measurements a second.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "collector/ring_drain.h"
#include "measure.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "temporary_directory.h"

namespace otlp_arrow::bench {
namespace {

template <class T>
T Must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

class NoSink final : public CollectorSink {
 public:
  Status Take(Signal, const SharedBytes& request) override {
    bytes += request.data.size();
    return Status::Ok();
  }
  bool Holds(Signal, const SharedBytes&) override { return false; }
  uint64_t bytes = 0;
};

// Numbers of one kind of records: CPU seconds of the producer and of the drain.
struct Cost {
  uint64_t records = 0;
  double producer = 0, drain = 0;
  uint64_t bytes = 0;
};

class Bench {
 public:
  Bench() {
    ring::WriterOptions options;
    options.spans = {1 << 14, 512};
    options.measurements = {1 << 16, 256};
    const std::string path = directory_.path() + "/ring";
    writer_ = Must(ring::RingWriter::Open(path, options));
    const ring::Attribute service[] = {{Must(writer_->InternString("service.name")), "shop"}};
    scope_ = Must(writer_->CreateScope({.resource = Must(writer_->CreateResource({.attributes = service})), .name = "benchmark"}));
    counter_ = Must(writer_->CreateMetric({.scope = scope_, .name = "requests", .aggregation = ring::SumAggregation{}}));
    histogram_ = Must(writer_->CreateMetric({.scope = scope_, .name = "seconds", .aggregation = ring::HistogramAggregation{ring::Temporality::kCumulative, kBounds}}));
    for (size_t i = 0; i < keys_.size(); ++i) keys_[i] = Must(writer_->InternString("attribute.key." + std::to_string(i)));
    drain_ = Must(RingDrain::Open(path, {}, &sink_));
  }

  Cost Spans(int rounds) {
    return Measure(rounds * 10, 1400, [&](uint64_t n) {  // a quarter of the ring, when a drain looks at it
      std::array<uint8_t, 16> trace{1};
      std::array<uint8_t, 8> span{1};
      std::memcpy(trace.data() + 8, &n, 8);
      std::memcpy(span.data(), &n, 8);
      span[7] = 1;
      const ring::Attribute attributes[] = {{keys_[0], "GET"}, {keys_[1], "/cart/{item}"}, {keys_[2], int64_t{200}}};
      const ring::Attribute late[] = {{keys_[3], true}};
      (void)writer_->RecordSpanStart({.scope = scope_, .trace_id = trace, .span_id = span, .flags = 1, .name = "GET /cart/{item}",
                                      .start_time_unix_nano = n, .attributes = attributes});
      (void)writer_->RecordSpanAttributes({scope_, trace, span}, late);
      (void)writer_->RecordSpanEnd({scope_, trace, span}, n + 1);
    });
  }
  Cost Measurements(int rounds, bool of_histogram) {
    return Measure(rounds, 1 << 15, [&](uint64_t n) {
      const ring::Attribute attributes[] = {{keys_[0], "GET"}, {keys_[1], "/cart/{item}"}, {keys_[2], static_cast<int64_t>(n % 100)}};
      ring::Measurement measurement = {.metric = of_histogram ? histogram_ : counter_, .attributes = attributes, .time_unix_nano = n, .value = int64_t{1}};
      if (of_histogram) measurement.value = static_cast<double>(n % 1000) / 100;
      (void)writer_->RecordMeasurement(measurement);
    });
  }

 private:
  template <class Record>
  Cost Measure(int rounds, uint64_t count, Record record) {
    Cost cost;
    for (int round = 0; round <= rounds; ++round) {
      const uint64_t bytes = sink_.bytes;
      const double begin = ThreadCpu();
      for (uint64_t n = 0; n < count; ++n) record(next_++);
      const double recorded = ThreadCpu();
      if (!Must(drain_->Flush(drain_->Written()))) std::exit(1);
      if (round == 0) continue;  // warms up
      cost.records += count;
      cost.producer += recorded - begin;
      cost.drain += ThreadCpu() - recorded;
      cost.bytes += sink_.bytes - bytes;
    }
    return cost;
  }

  static constexpr double kBounds[] = {0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
  TemporaryDirectory directory_;
  NoSink sink_;
  std::unique_ptr<ring::RingWriter> writer_;
  std::unique_ptr<RingDrain> drain_;
  ring::Ref scope_ = 0, counter_ = 0, histogram_ = 0;
  std::array<ring::Ref, 4> keys_{};
  uint64_t next_ = 1;
};

void Tell(const char* what, const Cost& cost) {
  const auto n = static_cast<double>(cost.records);
  std::printf("%-28s %9.0f a second of one core, %4.0f ns each, %.2f times what recording takes (%3.0f ns)\n", what, n / cost.drain, cost.drain / n * 1e9,
              cost.drain / cost.producer, cost.producer / n * 1e9);
}

}  // namespace
}  // namespace otlp_arrow::bench

int main(int argc, char** argv) {
  using namespace otlp_arrow::bench;  // NOLINT
  const int rounds = argc > 1 && std::string(argv[1]) == "--quick" ? 3 : 40;
  Bench bench;
  Tell("spans", bench.Spans(rounds));
  Tell("counts", bench.Measurements(rounds, false));
  Tell("measurements of histograms", bench.Measurements(rounds, true));
}
