// A stand-in for an OTLP backend, for tests of programs that export telemetry.
//
//   MockOtlpService service;
//   ASSERT_TRUE(service.Start().ok());
//   ... a program that exports to service.grpc_endpoint() or service.http_endpoint() ...
//   ASSERT_TRUE(service.WaitForSpans(1).ok());
//   EXPECT_EQ(service.spans()[0].span.name, "POST /orders");
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/service.h"
#include "otlp_arrow/signal.h"
#include "otlp_arrow/status.h"
#include "otlp_arrow/telemetry.h"

namespace otlp_arrow {

struct ReceivedSpan {
  Resource resource;
  InstrumentationScope scope;
  Span span;
};
struct ReceivedMetric {
  Resource resource;
  InstrumentationScope scope;
  Metric metric;
};
struct ReceivedLogRecord {
  Resource resource;
  InstrumentationScope scope;
  LogRecord record;
};

// How much has come.
struct ReceivedCounts {
  size_t spans = 0;
  size_t resource_metrics = 0;  // one for each ReceiveMetrics with a metric in it, and for each collection that an exporter sends
  size_t metrics = 0;
  size_t data_points = 0;
  size_t log_records = 0;
};

// Telemetry is given to it directly, or sent to its endpoints over gRPC and HTTP. The endpoints are the service's own: they
// refuse what it refuses. Thread-safe; what came is kept until Reset, after Stop too.
class OTLP_ARROW_EXPORT MockOtlpService {
 public:
  MockOtlpService();
  ~MockOtlpService();  // stops
  MockOtlpService(const MockOtlpService&) = delete;
  MockOtlpService& operator=(const MockOtlpService&) = delete;

  // Listens, by default on free ports of this machine alone. Does nothing where it listens already. Errors: kServer.
  Status Start(const MockServerOptions& options = {});
  void Stop();
  bool is_started() const;

  // "http://host:port", for OTLP over gRPC, and over HTTP with /v1/traces and its sisters below; empty where it does not listen.
  std::string grpc_endpoint() const;
  std::string http_endpoint() const;
  // The variables that make an OpenTelemetry SDK export to it; none where it does not listen. `protocol`: "grpc" or "http".
  std::map<std::string, std::string> Environment(std::string_view protocol = "grpc") const;

  // Receives directly. Errors: kExport where the service would refuse or reject it.
  Status ReceiveTrace(const Span& span, const Resource& resource = {}, const InstrumentationScope& scope = {});
  Status ReceiveMetrics(const ResourceMetrics& metrics);
  Status ReceiveLog(const LogRecord& record, const Resource& resource = {}, const InstrumentationScope& scope = {});

  // What came, in the order of arrival. Spans, data points and log records that are invalid are left out.
  std::vector<ReceivedSpan> spans() const;
  std::vector<ReceivedMetric> metrics() const;
  std::vector<ReceivedLogRecord> logs() const;
  ReceivedCounts counts() const;
  // The requests as they came to the endpoints or, with the protocol "direct", were given.
  std::vector<ReceivedRequest> requests() const;

  // OK where exactly so many came; else kExport, with the names of those that came.
  Status AssertTracesReceived(size_t spans) const;
  Status AssertMetricsReceived(size_t resource_metrics) const;
  Status AssertLogsReceived(size_t log_records) const;

  // OK as soon as at least so many have come; else, after `timeout`, kExport with the names of those that came.
  using Milliseconds = std::chrono::milliseconds;
  Status WaitForSpans(size_t count, Milliseconds timeout = std::chrono::seconds(10)) const;
  Status WaitForMetrics(size_t count, Milliseconds timeout = std::chrono::seconds(10)) const;
  Status WaitForLogs(size_t count, Milliseconds timeout = std::chrono::seconds(10)) const;
  // OK as soon as `condition` holds; it is asked whenever something has come, on this thread.
  Status WaitFor(const std::function<bool(const ReceivedCounts&)>& condition, Milliseconds timeout = std::chrono::seconds(10)) const;

  // The next `count` requests to the endpoints get this answer and are not kept. Errors: kServer where it does not listen.
  Status AnswerNext(uint64_t count, MockAnswer answer, const std::string& message = "the test says so");
  // Requests to the endpoints that were not taken: as AnswerNext said, and malformed ones.
  uint64_t refused_requests() const;

  // Forgets all that came, and what AnswerNext said.
  void Reset();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace otlp_arrow
