#include "otlp_arrow/mock_otlp_service.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "otlp/scan.h"
#include "otlp/telemetry/decode.h"
#include "otlp/telemetry/encode.h"

namespace otlp_arrow {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// A wait for the servers looks that often for what another thread gives directly.
constexpr milliseconds kLookEvery{20};
constexpr size_t kMostNames = 20;  // in a message

size_t PointsOf(const Metric& metric) {
  return std::visit(
      [](const auto& data) -> size_t {
        if constexpr (requires { data.data_points; }) return data.data_points.size();
        return 0;
      },
      metric.data);
}

// What has come, decoded.
struct Received {
  std::vector<ReceivedSpan> spans;
  std::vector<ReceivedMetric> metrics;
  std::vector<ReceivedLogRecord> logs;
  std::vector<ReceivedRequest> requests;
  ReceivedCounts counts;

  // Errors: kExport for bytes that are no request.
  Status Add(ReceivedRequest request) {
    switch (request.signal) {
      case Signal::kTraces: OTLP_RETURN_NOT_OK(AddTraces(request.bytes)); break;
      case Signal::kMetrics: OTLP_RETURN_NOT_OK(AddMetrics(request.bytes)); break;
      case Signal::kLogs: OTLP_RETURN_NOT_OK(AddLogs(request.bytes)); break;
    }
    requests.push_back(std::move(request));
    return Status::Ok();
  }

 private:
  Status AddTraces(std::string_view bytes) {
    OTLP_ASSIGN_OR_RETURN(auto all, DecodeTraces(bytes));
    for (ResourceSpans& from : all) {
      for (ScopeSpans& scope : from.scope_spans) {
        for (Span& span : scope.spans) spans.push_back({from.resource, scope.scope, std::move(span)});
      }
    }
    counts.spans = spans.size();
    return Status::Ok();
  }
  Status AddMetrics(std::string_view bytes) {
    OTLP_ASSIGN_OR_RETURN(auto all, DecodeMetrics(bytes));
    counts.resource_metrics += all.size();
    for (ResourceMetrics& from : all) {
      for (ScopeMetrics& scope : from.scope_metrics) {
        for (Metric& metric : scope.metrics) {
          counts.data_points += PointsOf(metric);
          metrics.push_back({from.resource, scope.scope, std::move(metric)});
        }
      }
    }
    counts.metrics = metrics.size();
    return Status::Ok();
  }
  Status AddLogs(std::string_view bytes) {
    OTLP_ASSIGN_OR_RETURN(auto all, DecodeLogs(bytes));
    for (ResourceLogs& from : all) {
      for (ScopeLogs& scope : from.scope_logs) {
        for (LogRecord& record : scope.log_records) logs.push_back({from.resource, scope.scope, std::move(record)});
      }
    }
    counts.log_records = logs.size();
    return Status::Ok();
  }
};

std::string NameOf(const ReceivedSpan& received) { return received.span.name; }
std::string NameOf(const ReceivedMetric& received) { return received.metric.name; }
std::string NameOf(const ReceivedLogRecord& received) {
  const std::string* text = received.record.body.As<std::string>();
  return text ? *text : "a record without text";
}

template <class Item>
std::string NamesOf(const std::vector<Item>& items) {
  std::string names;
  for (size_t i = 0; i < items.size() && i < kMostNames; ++i) names += (i ? ", '" : "'") + NameOf(items[i]) + "'";
  if (items.size() > kMostNames) names += ", ...";
  return names.empty() ? "none" : names;
}

std::string Describe(const Received& received) {
  return "spans: " + NamesOf(received.spans) + "; metrics: " + NamesOf(received.metrics) + "; log records: " + NamesOf(received.logs);
}

template <class Item>
Status CheckCount(std::string_view what, size_t wanted, size_t came, const std::vector<Item>& items) {
  if (wanted == came) return Status::Ok();
  return Status::Export("expected " + std::to_string(wanted) + " " + std::string(what) + ", received " + std::to_string(came) + ": " +
                        NamesOf(items));
}

std::string Endpoint(const std::string& address) { return address.empty() ? "" : "http://" + address; }

Status NotStarted() { return Status::Server("the service does not listen; call Start() first"); }

}  // namespace

class MockOtlpService::Impl {
 public:
  Status Start(const MockServerOptions& options) {
    std::lock_guard lock(mutex_);
    if (server_) return Status::Ok();
    OTLP_ASSIGN_OR_RETURN(server_, MockOtlpServer::Start(options));
    refused_before_ = 0;
    return Status::Ok();
  }

  void Stop() {
    const auto stopped = server();
    if (!stopped) return;
    stopped->Stop();
    Update();
    std::lock_guard lock(mutex_);
    if (server_ == stopped) server_ = nullptr;
  }

  std::shared_ptr<MockOtlpServer> server() const {
    std::lock_guard lock(mutex_);
    return server_;
  }

  // The request that `encode` writes, as if it had been sent.
  template <class Encode>
  Status Receive(Signal signal, Encode encode) {
    wire::Writer writer;
    encode(&writer);
    std::string bytes = writer.Take();
    const ScanResult scan = ScanOtlp(signal, bytes);
    if (!scan.ok) return Status::Export(scan.error);
    if (scan.rejected_items > 0) return Status::Export(std::string(ItemFaultMessage(scan.fault)));
    std::lock_guard lock(mutex_);
    OTLP_RETURN_NOT_OK(received_.Add({signal, "direct", std::move(bytes)}));
    changed_.notify_all();
    return Status::Ok();
  }

  // Calls `look` with all that has come.
  template <class Look>
  auto With(Look look) {
    Update();
    std::lock_guard lock(mutex_);
    return look(std::as_const(received_));
  }

  Status WaitFor(const std::string& wanted, const std::function<bool(const ReceivedCounts&)>& condition, milliseconds timeout) {
    const auto deadline = SteadyClock::now() + timeout;
    for (;;) {
      const ReceivedCounts counts = With([](const Received& received) { return received.counts; });
      if (condition(counts)) return Status::Ok();
      const auto left = std::chrono::ceil<milliseconds>(deadline - SteadyClock::now());
      if (left <= milliseconds(0)) break;
      WaitForChange(std::min(left, kLookEvery));
    }
    return With([&](const Received& received) {
      return Status::Export("waited " + std::to_string(timeout.count()) + " ms for " + wanted + " in vain; received " + Describe(received));
    });
  }

  Status AnswerNext(uint64_t count, MockAnswer answer, const std::string& message) {
    const auto at = server();
    if (!at) return NotStarted();
    at->AnswerNext(count, answer, message);
    return Status::Ok();
  }

  uint64_t refused_requests() const {
    std::lock_guard lock(mutex_);
    return server_ ? server_->refused_requests() - refused_before_ : 0;
  }

  void Reset() {
    Update();
    std::lock_guard lock(mutex_);
    received_ = {};
    if (!server_) return;
    server_->AnswerNext(0, MockAnswer::kUnavailable, "");
    refused_before_ = server_->refused_requests();
  }

 private:
  // Takes over what the servers have received. What they took, the scan has accepted.
  void Update() {
    std::lock_guard lock(mutex_);
    if (!server_) return;
    for (ReceivedRequest& request : server_->TakeRequests()) (void)received_.Add(std::move(request));
  }

  void WaitForChange(milliseconds timeout) {
    if (const auto at = server()) return at->WaitForRequests(timeout);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout);
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Received received_;
  std::shared_ptr<MockOtlpServer> server_;
  uint64_t refused_before_ = 0;  // the last Reset
};

MockOtlpService::MockOtlpService() : impl_(std::make_unique<Impl>()) {}
MockOtlpService::~MockOtlpService() { Stop(); }

Status MockOtlpService::Start(const MockServerOptions& options) { return impl_->Start(options); }
void MockOtlpService::Stop() { impl_->Stop(); }
bool MockOtlpService::is_started() const { return impl_->server() != nullptr; }

std::string MockOtlpService::grpc_endpoint() const {
  const auto server = impl_->server();
  return server ? Endpoint(server->grpc_address()) : "";
}
std::string MockOtlpService::http_endpoint() const {
  const auto server = impl_->server();
  return server ? Endpoint(server->http_address()) : "";
}

std::map<std::string, std::string> MockOtlpService::Environment(std::string_view protocol) const {
  const bool grpc = protocol == "grpc";
  const std::string endpoint = grpc ? grpc_endpoint() : http_endpoint();
  if (endpoint.empty()) return {};
  return {{"OTEL_EXPORTER_OTLP_PROTOCOL", grpc ? "grpc" : "http/protobuf"},
          {"OTEL_EXPORTER_OTLP_ENDPOINT", endpoint},
          {"OTEL_EXPORTER_OTLP_INSECURE", "true"}};
}

Status MockOtlpService::ReceiveTrace(const Span& span, const Resource& resource, const InstrumentationScope& scope) {
  return impl_->Receive(Signal::kTraces, [&](wire::Writer* out) { EncodeTraces({&span, 1}, resource, scope, out); });
}
Status MockOtlpService::ReceiveMetrics(const ResourceMetrics& metrics) {
  return impl_->Receive(Signal::kMetrics, [&](wire::Writer* out) { EncodeMetrics(metrics, out); });
}
Status MockOtlpService::ReceiveLog(const LogRecord& record, const Resource& resource, const InstrumentationScope& scope) {
  return impl_->Receive(Signal::kLogs, [&](wire::Writer* out) { EncodeLogs({&record, 1}, resource, scope, out); });
}

std::vector<ReceivedSpan> MockOtlpService::spans() const {
  return impl_->With([](const Received& received) { return received.spans; });
}
std::vector<ReceivedMetric> MockOtlpService::metrics() const {
  return impl_->With([](const Received& received) { return received.metrics; });
}
std::vector<ReceivedLogRecord> MockOtlpService::logs() const {
  return impl_->With([](const Received& received) { return received.logs; });
}
std::vector<ReceivedRequest> MockOtlpService::requests() const {
  return impl_->With([](const Received& received) { return received.requests; });
}
ReceivedCounts MockOtlpService::counts() const {
  return impl_->With([](const Received& received) { return received.counts; });
}

Status MockOtlpService::AssertTracesReceived(size_t spans) const {
  return impl_->With([&](const Received& received) { return CheckCount("spans", spans, received.counts.spans, received.spans); });
}
Status MockOtlpService::AssertMetricsReceived(size_t resource_metrics) const {
  return impl_->With([&](const Received& received) {
    return CheckCount("resource metrics", resource_metrics, received.counts.resource_metrics, received.metrics);
  });
}
Status MockOtlpService::AssertLogsReceived(size_t log_records) const {
  return impl_->With([&](const Received& received) { return CheckCount("log records", log_records, received.counts.log_records, received.logs); });
}

Status MockOtlpService::WaitForSpans(size_t count, Milliseconds timeout) const {
  return impl_->WaitFor(std::to_string(count) + " spans", [count](const ReceivedCounts& counts) { return counts.spans >= count; }, timeout);
}
Status MockOtlpService::WaitForMetrics(size_t count, Milliseconds timeout) const {
  return impl_->WaitFor(std::to_string(count) + " metrics", [count](const ReceivedCounts& counts) { return counts.metrics >= count; }, timeout);
}
Status MockOtlpService::WaitForLogs(size_t count, Milliseconds timeout) const {
  return impl_->WaitFor(std::to_string(count) + " log records", [count](const ReceivedCounts& counts) { return counts.log_records >= count; },
                        timeout);
}
Status MockOtlpService::WaitFor(const std::function<bool(const ReceivedCounts&)>& condition, Milliseconds timeout) const {
  return impl_->WaitFor("the condition", condition, timeout);
}

Status MockOtlpService::AnswerNext(uint64_t count, MockAnswer answer, const std::string& message) {
  return impl_->AnswerNext(count, answer, message);
}
uint64_t MockOtlpService::refused_requests() const { return impl_->refused_requests(); }
void MockOtlpService::Reset() { impl_->Reset(); }

}  // namespace otlp_arrow
