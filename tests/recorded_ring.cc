#include "recorded_ring.h"

#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "collector/ring_drain.h"

namespace otlp_arrow::testing {
namespace {

namespace pb = opentelemetry::proto;

class RecordedSink final : public CollectorSink {
 public:
  explicit RecordedSink(RecordedRing* recorded) : recorded_(*recorded) {}

  Status Take(Signal signal, const SharedBytes& request) override {
    switch (signal) {
      case Signal::kTraces: return TakeSpans(request);
      case Signal::kLogs: return TakeLogs(request);
      case Signal::kMetrics: return TakeMetrics(request);
    }
    return Status::Ok();
  }
  bool Holds(Signal, const SharedBytes&) override { return false; }

 private:
  template <class Request>
  static Request Parse(const SharedBytes& bytes) {
    Request request;
    EXPECT_TRUE(request.ParseFromString(std::string(bytes.data)));
    return request;
  }
  Status TakeSpans(const SharedBytes& bytes) {
    const auto request = Parse<pb::collector::trace::v1::ExportTraceServiceRequest>(bytes);
    for (const auto& resource : request.resource_spans()) {
      recorded_.resource_spans.push_back(resource);
      for (const auto& scope : resource.scope_spans()) recorded_.spans.insert(recorded_.spans.end(), scope.spans().begin(), scope.spans().end());
    }
    return Status::Ok();
  }
  Status TakeLogs(const SharedBytes& bytes) {
    const auto request = Parse<pb::collector::logs::v1::ExportLogsServiceRequest>(bytes);
    for (const auto& resource : request.resource_logs()) {
      for (const auto& scope : resource.scope_logs()) recorded_.logs.insert(recorded_.logs.end(), scope.log_records().begin(), scope.log_records().end());
    }
    return Status::Ok();
  }
  Status TakeMetrics(const SharedBytes& bytes) {
    const auto request = Parse<pb::collector::metrics::v1::ExportMetricsServiceRequest>(bytes);
    for (const auto& resource : request.resource_metrics()) {
      for (const auto& scope : resource.scope_metrics()) recorded_.metrics.insert(recorded_.metrics.end(), scope.metrics().begin(), scope.metrics().end());
    }
    return Status::Ok();
  }

  RecordedRing& recorded_;
};

template <class Item>
Item TheOne(const std::vector<Item>& items, const std::string& name) {
  std::vector<Item> found;
  for (const Item& item : items) {
    if (item.name() == name) found.push_back(item);
  }
  EXPECT_EQ(found.size(), 1u) << name;
  return found.empty() ? Item() : found[0];
}

}  // namespace

pb::trace::v1::Span RecordedRing::Span(const std::string& name) const { return TheOne(spans, name); }
pb::metrics::v1::Metric RecordedRing::Metric(const std::string& name) const { return TheOne(metrics, name); }

RecordedRing TakeRecorded(const std::string& path) {
  RecordedRing recorded;
  RecordedSink sink(&recorded);
  auto drain = RingDrain::Open(path, {}, &sink);
  if (!drain.ok()) {
    ADD_FAILURE() << drain.status().ToString();
    return recorded;
  }
  EXPECT_TRUE((*drain)->Finish().ok());
  EXPECT_TRUE((*drain)->EndOpenSpans().ok());
  EXPECT_EQ((*drain)->counters().broken, 0u);
  return recorded;
}

}  // namespace otlp_arrow::testing
