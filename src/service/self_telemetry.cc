#include "service/self_telemetry.h"

#include <utility>

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "otlp/telemetry/encode.h"

namespace otlp_arrow {
namespace {

// The data points of one collection.
class Collection {
 public:
  Collection(uint64_t start, uint64_t now) : start_(start), now_(now) {}

  NumberDataPoint Point(Number value, Attributes attributes) const {
    NumberDataPoint point;
    point.attributes = std::move(attributes);
    point.start_time_unix_nano = start_;
    point.time_unix_nano = now_;
    point.value = value;
    return point;
  }
  void AddCounter(std::string name, std::string unit, std::string description, std::vector<NumberDataPoint> points) {
    Add(std::move(name), std::move(unit), std::move(description), Sum{std::move(points), AggregationTemporality::kCumulative, true});
  }
  void AddGauge(std::string name, std::string unit, std::string description, std::vector<NumberDataPoint> points) {
    for (auto& point : points) point.start_time_unix_nano = 0;
    Add(std::move(name), std::move(unit), std::move(description), Gauge{std::move(points)});
  }
  void AddHistogram(std::string name, std::string unit, std::string description, std::vector<HistogramDataPoint> points) {
    for (auto& point : points) point.start_time_unix_nano = start_, point.time_unix_nano = now_;
    Add(std::move(name), std::move(unit), std::move(description), Histogram{std::move(points), AggregationTemporality::kCumulative});
  }
  std::vector<Metric> Take() { return std::move(metrics_); }

 private:
  template <class Data>
  void Add(std::string name, std::string unit, std::string description, Data data) {
    Metric& metric = metrics_.emplace_back();
    metric.name = std::move(name);
    metric.unit = std::move(unit);
    metric.description = std::move(description);
    metric.data = std::move(data);
  }

  const uint64_t start_, now_;
  std::vector<Metric> metrics_;
};

void AddLedger(const Ledger& ledger, Collection* to) {
  std::vector<NumberDataPoint> items, held;
  for (const Signal signal : kAllSignals) {
    const SignalLedger& counts = ledger[signal];
    const auto add = [&](std::vector<NumberDataPoint>* points, std::string_view state, std::string_view reason, int64_t value) {
      Attributes attributes = {{"signal", SignalName(signal)}, {"state", state}};
      if (!reason.empty()) attributes.push_back({"reason", reason});
      points->push_back(to->Point(value, std::move(attributes)));
    };
    add(&items, "received", "", counts.received);
    add(&items, "relayed", "", counts.relayed);
    add(&items, "expired", "", counts.expired);
    for (const auto& [reason, count] : counts.refused) add(&items, "refused", reason, count);
    for (const auto& [reason, count] : counts.invalid) add(&items, "invalid", reason, count);
    add(&held, "stored", "", counts.stored);
    add(&held, "in_flight", "", counts.in_flight);
  }
  to->AddCounter("otlp_arrow.items", "{item}", "Spans, data points and log records: all that came, and those that are not kept", std::move(items));
  to->AddGauge("otlp_arrow.items.held", "{item}", "Items in files now, and on their way there", std::move(held));
}

void AddDestinationItems(const std::vector<DestinationStats>& all, Collection* to) {
  std::vector<NumberDataPoint> items, backlog;
  for (const DestinationStats& d : all) {
    for (const Signal signal : kAllSignals) {
      const DestinationSignalStats& counts = d.signals[static_cast<size_t>(signal)];
      const auto add = [&](std::string_view state, std::string_view reason, int64_t value) {
        Attributes attributes = {{"destination", d.name}, {"signal", SignalName(signal)}, {"state", state}};
        if (!reason.empty()) attributes.push_back({"reason", reason});
        items.push_back(to->Point(value, std::move(attributes)));
      };
      add("accepted", "", counts.accepted);
      add("sent", "", counts.sent);
      add("rejected", "", counts.rejected);
      for (size_t i = 0; i < kGiveUpReasonCount; ++i) add("given_up", GiveUpReasonName(static_cast<GiveUpReason>(i)), counts.given_up[i]);
      backlog.push_back(to->Point(counts.backlog, {{"destination", d.name}, {"signal", SignalName(signal)}}));
    }
  }
  to->AddCounter("otlp_arrow.forward.items", "{item}", "Items for a destination, and what became of them", std::move(items));
  to->AddGauge("otlp_arrow.forward.backlog", "{item}", "Items not yet sent", std::move(backlog));
}

void AddDestinations(const std::vector<DestinationStats>& all, Collection* to) {
  if (all.empty()) return;
  AddDestinationItems(all, to);
  std::vector<NumberDataPoint> requests, retries, failures, bytes, waiting, age;
  std::vector<HistogramDataPoint> latency;
  for (const DestinationStats& d : all) {
    const Attributes attributes = {{"destination", d.name}};
    requests.push_back(to->Point(d.requests, attributes));
    retries.push_back(to->Point(d.retries, attributes));
    failures.push_back(to->Point(d.failures, attributes));
    bytes.push_back(to->Point(d.bytes_sent, attributes));
    waiting.push_back(to->Point(static_cast<int64_t>(d.backlog_bytes), attributes));
    age.push_back(to->Point(d.oldest_unsent_age_secs, attributes));
    HistogramDataPoint& point = latency.emplace_back();
    point.attributes = attributes;
    point.sum = d.send_latency_sum_secs;
    point.explicit_bounds.assign(DestinationStats::kLatencyBounds.begin(), DestinationStats::kLatencyBounds.end());
    point.bucket_counts.assign(d.send_latency.begin(), d.send_latency.end());
    for (const uint64_t count : point.bucket_counts) point.count += count;
  }
  to->AddCounter("otlp_arrow.forward.requests", "{request}", "Requests that got an answer of whatever kind", std::move(requests));
  to->AddCounter("otlp_arrow.forward.retries", "{request}", "Attempts after the first", std::move(retries));
  to->AddCounter("otlp_arrow.forward.failures", "{request}", "Attempts that were not taken", std::move(failures));
  to->AddCounter("otlp_arrow.forward.sent", "By", "OTLP bytes of requests that were taken", std::move(bytes));
  to->AddGauge("otlp_arrow.forward.backlog.size", "By", "Bytes of requests not yet sent", std::move(waiting));
  to->AddGauge("otlp_arrow.forward.oldest_unsent_age", "s", "For how long the oldest unsent request has waited", std::move(age));
  to->AddHistogram("otlp_arrow.forward.send_latency", "s", "Durations of attempts to send", std::move(latency));
}

std::string InstanceName() {
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  return std::string(host) + ":" + std::to_string(getpid());
}

}  // namespace

ResourceMetrics CollectSelfTelemetry(const Pipeline& pipeline, const std::string& instance, uint64_t start_unix_nano, uint64_t now_unix_nano) {
  Collection collection(start_unix_nano, now_unix_nano);
  AddLedger(pipeline.GetLedger(), &collection);
  collection.AddGauge("otlp_arrow.queued", "By", "Bytes of requests accepted and not yet turned into Arrow",
                      {collection.Point(static_cast<int64_t>(pipeline.QueuedBytes()), {})});
  AddDestinations(pipeline.ForwardingStats(), &collection);
  ResourceMetrics metrics;
  metrics.resource.attributes = {{"service.name", "otlp-arrow"}, {"service.version", OTLP_ARROW_VERSION}, {"service.instance.id", instance}};
  metrics.scope_metrics.emplace_back();
  metrics.scope_metrics[0].scope.name = "otlp_arrow";
  metrics.scope_metrics[0].metrics = collection.Take();
  return metrics;
}

SelfTelemetry::SelfTelemetry(Pipeline* pipeline, std::chrono::milliseconds interval)
    : pipeline_(pipeline), start_(UnixNanoNow()), instance_(InstanceName()), thread_([this, interval] { Run(interval); }) {}

SelfTelemetry::~SelfTelemetry() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void SelfTelemetry::Run(std::chrono::milliseconds interval) {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool is_last = stopping_;
    lock.unlock();
    Record();
    lock.lock();
    if (is_last) return;
    wake_.wait_for(lock, interval, [this] { return stopping_; });
  }
}

void SelfTelemetry::Record() {
  wire::Writer writer;
  EncodeMetrics(CollectSelfTelemetry(*pipeline_, instance_, start_, UnixNanoNow()), &writer);
  const AcceptResult result = pipeline_->AcceptAndWait(Signal::kMetrics, SharedBytes::Take(writer.Take()));
  if (!result.status.ok()) spdlog::debug("the service's own metrics are not recorded: {}", result.status.message());
}

}  // namespace otlp_arrow
