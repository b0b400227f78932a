// Records a span, a metric and a log record without any SDK:
//
//   embedded [DIRECTORY]
#include <cstdio>
#include <random>

#include <otlp_arrow/otlp_arrow.h>

namespace {

using namespace otlp_arrow;  // NOLINT: an example

// Ids are random; W3C wants them other than zero.
template <class AnyId>
AnyId RandomId() {
  static std::mt19937_64 random(std::random_device{}());
  AnyId id;
  while (id.empty()) {
    for (auto& byte : id.bytes) byte = static_cast<uint8_t>(random());
  }
  return id;
}

// True where everything was kept; else it says why not.
bool IsKept(const char* what, const Result<ExportOutcome>& outcome) {
  if (!outcome.ok()) {
    std::fprintf(stderr, "%s: %s%s\n", what, outcome.status().ToString().c_str(), outcome.status().retryable() ? " (try again)" : "");
    return false;
  }
  if (outcome->rejected_items > 0) std::fprintf(stderr, "%s: left out: %s\n", what, outcome->rejected_reason.c_str());
  return outcome->rejected_items == 0;
}

bool Record(OtlpLibrary& library) {
  const Resource shop{.attributes = {{"service.name", "shop"}, {"service.version", "1.4.2"}}};
  const InstrumentationScope checkout{.name = "shop.checkout"};

  Span span{.trace_id = RandomId<TraceId>(), .span_id = RandomId<SpanId>(), .name = "POST /orders", .kind = SpanKind::kServer};
  span.start_time_unix_nano = UnixNanoNow();
  span.attributes = {{"http.request.method", "POST"}, {"http.route", "/orders"}, {"order.id", 4711}, {"order.items", Array{"apple", "pear"}}};
  span.events.push_back({.time_unix_nano = UnixNanoNow(), .name = "cart checked"});
  span.status_code = SpanStatusCode::kOk;
  span.end_time_unix_nano = UnixNanoNow();

  NumberDataPoint orders{.attributes = {{"payment", "card"}}, .start_time_unix_nano = span.start_time_unix_nano, .value = 1};
  orders.time_unix_nano = UnixNanoNow();
  Sum sum{.data_points = {orders}, .aggregation_temporality = AggregationTemporality::kCumulative, .is_monotonic = true};
  ResourceMetrics metrics{.resource = shop};
  metrics.scope_metrics.push_back({.scope = checkout, .metrics = {{.name = "shop.orders", .unit = "{order}", .data = sum}}});

  const LogRecord record{.time_unix_nano = UnixNanoNow(),
                         .severity_number = SeverityNumber::kInfo,
                         .severity_text = "INFO",
                         .body = "order 4711 is paid",
                         .trace_id = span.trace_id,
                         .span_id = span.span_id};

  const bool kept_span = IsKept("span", library.ExportTrace(span, shop, checkout));
  const bool kept_metrics = IsKept("metrics", library.ExportMetricsRef(metrics));
  return IsKept("log record", library.ExportLogs({&record, 1}, shop, checkout)) && kept_metrics && kept_span;
}

}  // namespace

int main(int argc, char** argv) {
  const auto config = ConfigBuilder().FromEnvironment().output_dir(argc > 1 ? argv[1] : "./telemetry").log_level("warn").Build();
  if (!config.ok()) return std::fprintf(stderr, "%s\n", config.status().ToString().c_str()), 2;
  const auto library = OtlpLibrary::Create(*config);
  if (!library.ok()) return std::fprintf(stderr, "%s\n", library.status().ToString().c_str()), 1;

  const bool recorded = Record(**library);
  const Status status = (*library)->Shutdown();  // writes what is under way
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return recorded && status.ok() ? 0 : 1;
}
