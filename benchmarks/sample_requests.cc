#include "sample_requests.h"

#include <cstdio>
#include <random>

#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace otlp_arrow::bench {
namespace {

namespace common = opentelemetry::proto::common::v1;
namespace resource = opentelemetry::proto::resource::v1;
namespace trace = opentelemetry::proto::trace::v1;
namespace metrics = opentelemetry::proto::metrics::v1;
namespace logs = opentelemetry::proto::logs::v1;

constexpr int kResources = 2;
constexpr int kScopes = 2;
constexpr const char* kEntities[] = {"users", "orders", "carts", "payments", "products", "invoices", "sessions", "reviews"};
constexpr const char* kMethods[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};

class Sampler {
 public:
  explicit Sampler(uint64_t seed) : random_(seed) {}

  void Fill(opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest* request, int items) {
    for (int r = 0; r < kResources; ++r) {
      auto* rs = request->add_resource_spans();
      FillResource(rs->mutable_resource(), r);
      rs->set_schema_url("https://opentelemetry.io/schemas/1.37.0");
      for (int s = 0; s < kScopes; ++s) {
        auto* ss = rs->add_scope_spans();
        FillScope(ss->mutable_scope(), s);
        for (int i = r * kScopes + s; i < items; i += kResources * kScopes) FillSpan(ss->add_spans(), i);
      }
    }
  }

  void Fill(opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest* request, int items) {
    for (int r = 0; r < kResources; ++r) {
      auto* rl = request->add_resource_logs();
      FillResource(rl->mutable_resource(), r);
      for (int s = 0; s < kScopes; ++s) {
        auto* sl = rl->add_scope_logs();
        FillScope(sl->mutable_scope(), s);
        for (int i = r * kScopes + s; i < items; i += kResources * kScopes) FillLog(sl->add_log_records(), i);
      }
    }
  }

  void Fill(opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest* request, int items) {
    for (int r = 0; r < kResources; ++r) {
      auto* rm = request->add_resource_metrics();
      FillResource(rm->mutable_resource(), r);
      for (int s = 0; s < kScopes; ++s) {
        auto* sm = rm->add_scope_metrics();
        FillScope(sm->mutable_scope(), s);
        for (int kind = 0; kind < 5; ++kind) FillMetric(sm->add_metrics(), kind, items / (kResources * kScopes * 5));
      }
    }
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }
  std::string Id(size_t n) {
    std::string id(n, 0);
    for (char& c : id) c = static_cast<char>(random_());
    return id;
  }
  uint64_t Tick() { return now_ += Below(2'000'000); }
  static void Text(common::KeyValue* kv, const char* key, const std::string& value) {
    kv->set_key(key);
    kv->mutable_value()->set_string_value(value);
  }
  static void Int(common::KeyValue* kv, const char* key, int64_t value) {
    kv->set_key(key);
    kv->mutable_value()->set_int_value(value);
  }
  static void Double(common::KeyValue* kv, const char* key, double value) {
    kv->set_key(key);
    kv->mutable_value()->set_double_value(value);
  }
  static void Bool(common::KeyValue* kv, const char* key, bool value) {
    kv->set_key(key);
    kv->mutable_value()->set_bool_value(value);
  }
  double Unit() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::string Hex(int digits) {
    char text[32];
    std::snprintf(text, sizeof(text), "%0*llx", digits, static_cast<unsigned long long>(random_() >> (64 - 4 * digits)));
    return text;
  }

  static void FillResource(resource::Resource* r, int i) {
    Text(r->add_attributes(), "service.name", i ? "payment-backend" : "checkout-frontend");
    Text(r->add_attributes(), "service.version", "2.14.0");
    Text(r->add_attributes(), "service.instance.id", "6f1d2c3b-0a4e-4c6d-9b7a-00000000000" + std::to_string(i));
    Text(r->add_attributes(), "host.name", "node-0" + std::to_string(i) + ".cluster.local");
    Text(r->add_attributes(), "deployment.environment.name", "production");
    Int(r->add_attributes(), "process.pid", 4000 + i);
  }
  static void FillScope(common::InstrumentationScope* scope, int i) {
    scope->set_name(i ? "io.example.db.client" : "io.example.http.server");
    scope->set_version("1.9.2");
  }

  void FillSpan(trace::Span* span, int i) {
    const std::string entity = kEntities[Below(8)];
    const std::string method = kMethods[Below(6)];
    const uint64_t start = Tick();
    const bool fail = i % 20 == 7;
    span->set_trace_id(Id(16));
    span->set_span_id(Id(8));
    if (i % 5 != 0) span->set_parent_span_id(Id(8));
    span->set_flags(0x101);
    span->set_name(method + " /api/v1/" + entity + "/{id}");
    span->set_kind(static_cast<trace::Span_SpanKind>(1 + Below(3)));
    span->set_start_time_unix_nano(start);
    span->set_end_time_unix_nano(start + 50'000 + Below(80'000'000));
    Text(span->add_attributes(), "http.request.method", method);
    Text(span->add_attributes(), "http.route", "/api/v1/" + entity + "/{id}");
    Text(span->add_attributes(), "url.full",
         "https://shop.example.com/api/v1/" + entity + "/" + Hex(16) + "?page=" + std::to_string(10 + Below(90)));
    Int(span->add_attributes(), "http.response.status_code", fail ? 500 : 200);
    Text(span->add_attributes(), "server.address", "shop.example.com");
    Int(span->add_attributes(), "server.port", 443);
    Double(span->add_attributes(), "app.cache.hit_ratio", Unit());
    Bool(span->add_attributes(), "app.retried", Below(10) == 0);
    if (i % 5 == 2) {
      auto* event = span->add_events();
      event->set_time_unix_nano(start + 20'000);
      event->set_name("cache.lookup");
      Text(event->add_attributes(), "cache.key", "user:" + Hex(8));
      Int(event->add_attributes(), "cache.size", static_cast<int64_t>(Below(4096)));
    }
    if (i % 20 == 3) {
      auto* link = span->add_links();
      link->set_trace_id(Id(16));
      link->set_span_id(Id(8));
      Text(link->add_attributes(), "link.kind", "follows");
    }
    auto* status = span->mutable_status();
    if (fail) {
      status->set_code(trace::Status_StatusCode_STATUS_CODE_ERROR);
      status->set_message("upstream timed out");
    }
  }

  void FillLog(logs::LogRecord* record, int i) {
    constexpr const char* kLevels[] = {"DEBUG", "INFO", "INFO", "INFO", "WARN", "ERROR"};
    constexpr int kNumbers[] = {5, 9, 9, 9, 13, 17};
    const auto level = Below(6);
    const uint64_t time = Tick();
    record->set_time_unix_nano(time);
    record->set_observed_time_unix_nano(time + 1000);
    record->set_severity_number(static_cast<logs::SeverityNumber>(kNumbers[level]));
    record->set_severity_text(kLevels[level]);
    record->mutable_body()->set_string_value("handled request " + Hex(8) + " for user " + std::to_string(Below(1'000'000)) + " in " +
                                             std::to_string(Below(900)) + " ms, upstream answered after " + std::to_string(Below(4)) + " tries");
    Text(record->add_attributes(), "code.function.name", "com.example.shop.Handler.handle");
    Int(record->add_attributes(), "code.line.number", static_cast<int64_t>(Below(2000)));
    Text(record->add_attributes(), "thread.name", "worker-" + std::to_string(Below(16)));
    Bool(record->add_attributes(), "app.sampled", Below(2) == 0);
    Double(record->add_attributes(), "app.elapsed_ms", Unit() * 900);
    if (i % 3 != 0) {
      record->set_trace_id(Id(16));
      record->set_span_id(Id(8));
      record->set_flags(1);
    }
  }

  template <class Point>
  void FillPoint(Point* point) {
    Text(point->add_attributes(), "http.request.method", kMethods[Below(6)]);
    Text(point->add_attributes(), "http.route", std::string("/api/v1/") + kEntities[Below(8)] + "/{id}");
    Int(point->add_attributes(), "http.response.status_code", 200);
    point->set_time_unix_nano(now_);
    point->set_start_time_unix_nano(1'760'000'000'000'000'000);
  }
  void FillExemplar(metrics::Exemplar* exemplar) {
    exemplar->set_time_unix_nano(Tick());
    exemplar->set_as_double(Unit() * 1000);
    exemplar->set_trace_id(Id(16));
    exemplar->set_span_id(Id(8));
    Text(exemplar->add_filtered_attributes(), "user.tier", "gold");
  }

  void FillMetric(metrics::Metric* metric, int kind, int points) {
    constexpr auto kCumulative = metrics::AGGREGATION_TEMPORALITY_CUMULATIVE;
    constexpr const char* kNames[] = {"process.cpu.utilization", "http.server.request.count", "http.server.request.duration",
                                      "db.client.operation.duration", "rpc.server.duration"};
    Tick();
    metric->set_name(kNames[kind]);
    metric->set_description("What " + std::string(kNames[kind]) + " measures");
    metric->set_unit(kind < 2 ? "1" : "ms");
    for (int i = 0; i < points; ++i) {
      switch (kind) {
        case 0: {
          auto* p = metric->mutable_gauge()->add_data_points();
          FillPoint(p);
          p->set_as_double(Unit() * 100);
          break;
        }
        case 1: {
          metric->mutable_sum()->set_aggregation_temporality(kCumulative);
          metric->mutable_sum()->set_is_monotonic(true);
          auto* p = metric->mutable_sum()->add_data_points();
          FillPoint(p);
          p->set_as_int(static_cast<int64_t>(Below(1'000'000)));
          break;
        }
        case 2: {
          metric->mutable_histogram()->set_aggregation_temporality(kCumulative);
          auto* p = metric->mutable_histogram()->add_data_points();
          FillPoint(p);
          for (double bound : {5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500}) {
            p->add_explicit_bounds(bound);
            p->add_bucket_counts(Below(300));
          }
          p->add_bucket_counts(Below(300));
          p->set_count(1800);
          p->set_sum(Unit() * 1e5);
          p->set_min(1.25);
          p->set_max(3012.5);
          FillExemplar(p->add_exemplars());
          break;
        }
        case 3: {
          metric->mutable_exponential_histogram()->set_aggregation_temporality(metrics::AGGREGATION_TEMPORALITY_DELTA);
          auto* p = metric->mutable_exponential_histogram()->add_data_points();
          FillPoint(p);
          p->set_scale(3);
          p->set_zero_count(2);
          p->mutable_positive()->set_offset(-4);
          for (int b = 0; b < 16; ++b) p->mutable_positive()->add_bucket_counts(Below(40));
          p->set_count(320);
          p->set_sum(Unit() * 1e4);
          FillExemplar(p->add_exemplars());
          break;
        }
        default: {
          auto* p = metric->mutable_summary()->add_data_points();
          FillPoint(p);
          p->set_count(Below(10000));
          p->set_sum(Unit() * 1e4);
          for (double q : {0.5, 0.9, 0.99}) {
            auto* v = p->add_quantile_values();
            v->set_quantile(q);
            v->set_value(Unit() * 100);
          }
        }
      }
    }
  }

  std::mt19937_64 random_;
  uint64_t now_ = 1'760'000'000'000'000'000;
};

template <class Request>
std::vector<std::string> Serialize(int count, int items, uint64_t seed) {
  Sampler sampler(seed);
  std::vector<std::string> requests;
  for (int i = 0; i < count; ++i) {
    Request request;
    sampler.Fill(&request, items);
    requests.push_back(request.SerializeAsString());
  }
  return requests;
}

}  // namespace

std::vector<std::string> SampleRequests(Signal signal, int count, int items, uint64_t seed) {
  namespace collector = opentelemetry::proto::collector;
  switch (signal) {
    case Signal::kTraces: return Serialize<collector::trace::v1::ExportTraceServiceRequest>(count, items, seed);
    case Signal::kMetrics: return Serialize<collector::metrics::v1::ExportMetricsServiceRequest>(count, items, seed);
    case Signal::kLogs: return Serialize<collector::logs::v1::ExportLogsServiceRequest>(count, items, seed);
  }
  return {};
}

}  // namespace otlp_arrow::bench
