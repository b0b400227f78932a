// Random OTLP requests that use every field, for property tests and fuzzing corpora. The same seed gives the same
// requests.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "otlp_arrow/signal.h"

namespace otlp_arrow::testing {

using TraceRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using MetricsRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;
using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;

// Seeds that a property test runs over: [first, end). By default the same `cases` seeds on every run; the environment
// variables OTLP_ARROW_FIRST_SEED and OTLP_ARROW_CASES_FACTOR choose others, or many times more.
struct Seeds {
  uint64_t first = 1;
  uint64_t end = 1;
};
Seeds TestSeeds(uint64_t cases);

class RandomOtlp {
 public:
  explicit RandomOtlp(uint64_t seed) : random_(seed) {}

  TraceRequest Traces();
  MetricsRequest Metrics();
  LogsRequest Logs();
  // One of them, serialized.
  std::string Request(Signal signal);

 private:
  using AnyValue = opentelemetry::proto::common::v1::AnyValue;
  using KeyValue = opentelemetry::proto::common::v1::KeyValue;
  using Attributes = google::protobuf::RepeatedPtrField<KeyValue>;
  using Resource = opentelemetry::proto::resource::v1::Resource;
  using Scope = opentelemetry::proto::common::v1::InstrumentationScope;
  using Span = opentelemetry::proto::trace::v1::Span;
  using Metric = opentelemetry::proto::metrics::v1::Metric;
  using Exemplar = opentelemetry::proto::metrics::v1::Exemplar;
  using NumberDataPoint = opentelemetry::proto::metrics::v1::NumberDataPoint;
  using LogRecord = opentelemetry::proto::logs::v1::LogRecord;

  // Uniform in [0, n).
  uint64_t Below(uint64_t n) { return random_() % n; }
  // True in one of n cases.
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  // Mostly few, sometimes up to `most`.
  int Count(int most);

  std::string Text();
  std::string Key();
  std::string Bytes();
  std::string Id(size_t bytes);
  int64_t Int();
  uint64_t Unsigned();
  uint32_t Small();  // mostly zero
  double Double();
  int32_t Enum(int32_t known);  // also numbers that the enumeration lacks

  void FillScalar(AnyValue* value);
  void FillValue(int depth, AnyValue* value);
  void FillDeepValue(AnyValue* value);
  void FillAttribute(KeyValue* attribute);
  void FillAttributes(Attributes* attributes);
  void AddEntityRefs(Resource* resource);
  void FillResource(Resource* resource);
  void FillScope(Scope* scope);

  // Containers come again so that neighbours are often the same.
  template <class Container>
  void FillResourceOf(Container* container);
  template <class Container>
  void FillScopeOf(Container* container);

  void FillSpan(Span* span);
  void FillLogRecord(LogRecord* record);
  void FillMetric(Metric* metric);
  void FillNumberPoints(google::protobuf::RepeatedPtrField<NumberDataPoint>* points);
  void FillHistogram(Metric* metric);
  void FillExponentialHistogram(Metric* metric);
  void FillSummary(Metric* metric);
  template <class Point>
  void FillPoint(Point* point);
  template <class Value>
  void FillNumber(Value* value);
  template <class Point>
  void FillExemplars(Point* point);

  std::mt19937_64 random_;
  std::vector<Resource> resources_;  // made before, to come again
  std::vector<Scope> scopes_;
  std::vector<Metric> metrics_;
};

}  // namespace otlp_arrow::testing
