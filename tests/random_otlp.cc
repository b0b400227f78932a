#include "random_otlp.h"

#include <bit>
#include <cstdlib>
#include <limits>

namespace otlp_arrow::testing {
namespace {

constexpr const char* kWords[] = {
    "checkout", "GET /cart/{id}", "http", "grün", "価格", "🚀 launch", "a\"quoted\\text\"", "line\nbreak\ttab\r", "\x01\x1f\x7f", "null",
    "true", "0", "1.0", "=", "=AAAA", "[1,2", "{\"a\":1}", "\u2028", "\xEF\xBF\xBD", "x",
};
// Some are promoted by default, some look like other columns' contents.
constexpr const char* kKeys[] = {"service.name", "http.route",        "http.response.status_code", "db.system", "error.type", "k", "",
                                 "ключ",         "with \"quotes\"\n", "hits",                      "ratio",     "flag",       "a.b"};
constexpr int kDeepest = 64;

template <class T, size_t N>
T Pick(const T (&values)[N], uint64_t random) {
  return values[random % N];
}

uint64_t EnvironmentOr(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

Seeds TestSeeds(uint64_t cases) {
  const uint64_t first = EnvironmentOr("OTLP_ARROW_FIRST_SEED", 1);
  return {first, first + cases * EnvironmentOr("OTLP_ARROW_CASES_FACTOR", 1)};
}

int RandomOtlp::Count(int most) { return static_cast<int>(OneIn(8) ? Below(static_cast<uint64_t>(most) + 1) : Below(4)); }

std::string RandomOtlp::Text() {
  if (OneIn(8)) return "";
  if (OneIn(40)) return std::string(100 + Below(300), 'y') + Pick(kWords, random_());
  if (OneIn(20)) return std::string("nul\0within", 10);
  if (OneIn(4)) return "w" + std::to_string(Below(1000));
  return Pick(kWords, random_());
}

std::string RandomOtlp::Key() { return OneIn(30) ? Text() : Pick(kKeys, random_()); }

std::string RandomOtlp::Bytes() {
  std::string bytes(Below(OneIn(20) ? 200 : 6), '\0');
  for (char& b : bytes) b = static_cast<char>(random_());
  return bytes;
}

std::string RandomOtlp::Id(size_t bytes) {
  if (OneIn(6)) return "";
  if (OneIn(20)) return std::string(bytes, '\0');
  std::string id(bytes, '\0');
  for (char& b : id) b = static_cast<char>(random_());
  return id;
}

int64_t RandomOtlp::Int() {
  constexpr int64_t kEdges[] = {0, 1, -1, 127, 128, 200, 404, -128, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, 1ll << 53, (1ll << 53) + 1};
  return OneIn(4) ? static_cast<int64_t>(random_()) >> Below(64) : Pick(kEdges, random_());
}

uint64_t RandomOtlp::Unsigned() {
  constexpr uint64_t kEdges[] = {0, 1, 127, 128, 1700000000000000000ull, INT64_MAX, 1ull << 63, UINT64_MAX};
  return OneIn(3) ? random_() >> Below(64) : Pick(kEdges, random_());
}

uint32_t RandomOtlp::Small() {
  if (!OneIn(4)) return 0;
  constexpr uint32_t kEdges[] = {1, 127, 128, 257, 1u << 31, UINT32_MAX};
  return Pick(kEdges, random_());
}

double RandomOtlp::Double() {
  using Limits = std::numeric_limits<double>;
  const double edges[] = {0.0, -0.0, 1.0, -1.0, 0.1, 1e15, 1e16, 1e17, 123456789012345678.0, 1e22, 1e23, 1e300, 5e-324, 2.5e-7, Limits::max(),
                          Limits::lowest(), Limits::min(), Limits::denorm_min(), Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()};
  if (OneIn(30)) return std::bit_cast<double>(random_());  // NaNs with a payload too
  if (OneIn(3)) return static_cast<double>(Int()) / static_cast<double>(1 + Below(1000));
  return Pick(edges, random_());
}

int32_t RandomOtlp::Enum(int32_t known) {
  constexpr int32_t kUnknown[] = {77, -1, INT32_MIN, INT32_MAX, 128};
  return OneIn(12) ? Pick(kUnknown, random_()) : static_cast<int32_t>(Below(static_cast<uint64_t>(known)));
}

void RandomOtlp::FillScalar(AnyValue* value) {
  switch (Below(10)) {
    case 0: value->set_bool_value(OneIn(2)); break;
    case 1:
    case 2: value->set_int_value(Int()); break;
    case 3:
    case 4: value->set_double_value(Double()); break;
    case 5: value->set_bytes_value(Bytes()); break;
    case 6: break;  // an AnyValue in which nothing is set
    default: value->set_string_value(Text());
  }
}

void RandomOtlp::FillValue(int depth, AnyValue* value) {
  if (depth > 3 || !OneIn(3)) return FillScalar(value);
  if (OneIn(2)) {
    auto* array = value->mutable_array_value();
    for (int i = Count(6); i > 0; --i) FillValue(depth + 1, array->add_values());
    return;
  }
  auto* map = value->mutable_kvlist_value();
  for (int i = Count(30); i > 0; --i) {
    KeyValue* entry = map->add_values();
    // Mostly distinct keys: a key twice needs the exact form of the whole list.
    entry->set_key(OneIn(15) ? Key() : "m" + std::to_string(i));
    if (!OneIn(30)) FillValue(depth + 1, entry->mutable_value());
  }
}

void RandomOtlp::FillDeepValue(AnyValue* value) {
  const bool as_map = OneIn(2);
  for (uint64_t left = 1 + Below(kDeepest); left > 0; --left) {
    if (as_map) {
      KeyValue* entry = value->mutable_kvlist_value()->add_values();
      entry->set_key("d");
      value = entry->mutable_value();
    } else {
      value = value->mutable_array_value()->add_values();
    }
  }
  FillScalar(value);
}

void RandomOtlp::FillAttribute(KeyValue* attribute) {
  attribute->set_key(Key());
  if (OneIn(25)) return;  // a KeyValue without value
  if (OneIn(100)) return FillDeepValue(attribute->mutable_value());
  if (OneIn(2)) return attribute->mutable_value()->set_string_value(Text());
  FillValue(0, attribute->mutable_value());
}

void RandomOtlp::FillAttributes(Attributes* attributes) {
  const int n = Count(40);
  const bool all_text = OneIn(3);
  for (int i = 0; i < n; ++i) {
    KeyValue* attribute = attributes->Add();
    if (all_text) {
      attribute->set_key("t" + std::to_string(i));
      attribute->mutable_value()->set_string_value(Text());
    } else {
      FillAttribute(attribute);
    }
    if (OneIn(60) && i > 0) *attribute = attributes->Get(0);
  }
}

// The reference messages are older than entity_refs, so they carry it as an unknown field.
void RandomOtlp::AddEntityRefs(Resource* resource) {
  constexpr int kEntityRefs = 3;
  auto* unknown = resource->GetReflection()->MutableUnknownFields(resource);
  for (int i = Count(3); i > 0; --i) {
    google::protobuf::UnknownFieldSet ref;
    if (OneIn(2)) ref.AddLengthDelimited(1, "https://opentelemetry.io/schemas/1.30.0");
    if (!OneIn(5)) ref.AddLengthDelimited(2, OneIn(2) ? "service" : "höst");
    for (int k = Count(3); k > 0; --k) ref.AddLengthDelimited(3, Key());
    for (int k = Count(3); k > 0; --k) ref.AddLengthDelimited(4, Key());
    std::string bytes;
    ref.SerializeToString(&bytes);
    unknown->AddLengthDelimited(kEntityRefs, bytes);
  }
}

void RandomOtlp::FillResource(Resource* resource) {
  FillAttributes(resource->mutable_attributes());
  resource->set_dropped_attributes_count(Small());
  if (OneIn(3)) AddEntityRefs(resource);
}

void RandomOtlp::FillScope(Scope* scope) {
  scope->set_name(Text());
  scope->set_version(Text());
  if (OneIn(3)) FillAttributes(scope->mutable_attributes());
  scope->set_dropped_attributes_count(Small());
}

template <class Container>
void RandomOtlp::FillResourceOf(Container* container) {
  if (OneIn(3)) container->set_schema_url(Text());
  if (OneIn(6)) return;
  if (OneIn(6)) {
    container->mutable_resource();
  } else if (!resources_.empty() && OneIn(2)) {
    *container->mutable_resource() = resources_.back();
  } else {
    FillResource(container->mutable_resource());
    resources_.push_back(container->resource());
  }
}

template <class Container>
void RandomOtlp::FillScopeOf(Container* container) {
  if (OneIn(3)) container->set_schema_url(Text());
  if (OneIn(6)) return;
  if (OneIn(6)) {
    container->mutable_scope();
  } else if (!scopes_.empty() && OneIn(2)) {
    *container->mutable_scope() = scopes_.back();
  } else {
    FillScope(container->mutable_scope());
    scopes_.push_back(container->scope());
  }
}

TraceRequest RandomOtlp::Traces() {
  TraceRequest request;
  for (int r = Count(4); r > 0; --r) {
    auto* resource = request.add_resource_spans();
    FillResourceOf(resource);
    for (int s = Count(4); s > 0; --s) {
      auto* scope = resource->add_scope_spans();
      FillScopeOf(scope);
      for (int i = Count(12); i > 0; --i) FillSpan(scope->add_spans());
    }
  }
  return request;
}

LogsRequest RandomOtlp::Logs() {
  LogsRequest request;
  for (int r = Count(4); r > 0; --r) {
    auto* resource = request.add_resource_logs();
    FillResourceOf(resource);
    for (int s = Count(4); s > 0; --s) {
      auto* scope = resource->add_scope_logs();
      FillScopeOf(scope);
      for (int i = Count(12); i > 0; --i) FillLogRecord(scope->add_log_records());
    }
  }
  return request;
}

MetricsRequest RandomOtlp::Metrics() {
  MetricsRequest request;
  for (int r = Count(4); r > 0; --r) {
    auto* resource = request.add_resource_metrics();
    FillResourceOf(resource);
    for (int s = Count(4); s > 0; --s) {
      auto* scope = resource->add_scope_metrics();
      FillScopeOf(scope);
      for (int i = Count(6); i > 0; --i) FillMetric(scope->add_metrics());
    }
  }
  return request;
}

std::string RandomOtlp::Request(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return Traces().SerializeAsString();
    case Signal::kMetrics: return Metrics().SerializeAsString();
    case Signal::kLogs: return Logs().SerializeAsString();
  }
  return "";
}

void RandomOtlp::FillSpan(Span* span) {
  span->set_trace_id(Id(16));
  span->set_span_id(Id(8));
  span->set_parent_span_id(Id(8));
  span->set_trace_state(Text());
  span->set_flags(Small());
  span->set_name(Text());
  span->set_kind(static_cast<Span::SpanKind>(Enum(6)));
  span->set_start_time_unix_nano(Unsigned());
  span->set_end_time_unix_nano(Unsigned());
  FillAttributes(span->mutable_attributes());
  span->set_dropped_attributes_count(Small());
  for (int i = Count(5); i > 0; --i) {
    auto* event = span->add_events();
    event->set_time_unix_nano(Unsigned());
    event->set_name(Text());
    FillAttributes(event->mutable_attributes());
    event->set_dropped_attributes_count(Small());
  }
  span->set_dropped_events_count(Small());
  for (int i = OneIn(2) ? Count(5) : 0; i > 0; --i) {
    auto* link = span->add_links();
    link->set_trace_id(Id(16));
    link->set_span_id(Id(8));
    link->set_trace_state(Text());
    link->set_flags(Small());
    FillAttributes(link->mutable_attributes());
    link->set_dropped_attributes_count(Small());
  }
  span->set_dropped_links_count(Small());
  if (OneIn(4)) return;
  auto* status = span->mutable_status();
  if (OneIn(4)) return;
  status->set_code(static_cast<opentelemetry::proto::trace::v1::Status::StatusCode>(Enum(3)));
  if (OneIn(2)) status->set_message(Text());
}

void RandomOtlp::FillLogRecord(LogRecord* record) {
  record->set_time_unix_nano(Unsigned());
  record->set_observed_time_unix_nano(Unsigned());
  record->set_severity_number(static_cast<opentelemetry::proto::logs::v1::SeverityNumber>(Enum(25)));
  record->set_severity_text(Text());
  record->set_event_name(Text());
  record->set_trace_id(Id(16));
  record->set_span_id(Id(8));
  record->set_flags(Small());
  FillAttributes(record->mutable_attributes());
  record->set_dropped_attributes_count(Small());
  if (OneIn(5)) return;
  if (OneIn(30)) return FillDeepValue(record->mutable_body());
  if (OneIn(3)) return record->mutable_body()->set_string_value(Text());
  FillValue(0, record->mutable_body());
}

void RandomOtlp::FillMetric(Metric* metric) {
  if (!metrics_.empty() && OneIn(3)) {
    *metric = metrics_.back();
  } else {
    metric->set_name(Text());
    metric->set_description(Text());
    metric->set_unit(OneIn(2) ? "ms" : Text());
    if (OneIn(4)) FillAttributes(metric->mutable_metadata());
    metrics_.push_back(*metric);
  }
  using Temporality = opentelemetry::proto::metrics::v1::AggregationTemporality;
  switch (Below(6)) {
    case 0: FillNumberPoints(metric->mutable_gauge()->mutable_data_points()); break;
    case 1:
      metric->mutable_sum()->set_aggregation_temporality(static_cast<Temporality>(Enum(3)));
      metric->mutable_sum()->set_is_monotonic(OneIn(2));
      FillNumberPoints(metric->mutable_sum()->mutable_data_points());
      break;
    case 2:
      metric->mutable_histogram()->set_aggregation_temporality(static_cast<Temporality>(Enum(3)));
      FillHistogram(metric);
      break;
    case 3:
      metric->mutable_exponential_histogram()->set_aggregation_temporality(static_cast<Temporality>(Enum(3)));
      FillExponentialHistogram(metric);
      break;
    case 4: FillSummary(metric); break;
    default: break;  // a metric without data
  }
}

template <class Point>
void RandomOtlp::FillPoint(Point* point) {
  FillAttributes(point->mutable_attributes());
  point->set_start_time_unix_nano(Unsigned());
  point->set_time_unix_nano(Unsigned());
  point->set_flags(Small());
}

template <class Value>
void RandomOtlp::FillNumber(Value* value) {
  switch (Below(5)) {
    case 0: break;
    case 1:
    case 2: value->set_as_int(Int()); break;
    default: value->set_as_double(Double());
  }
}

template <class Point>
void RandomOtlp::FillExemplars(Point* point) {
  for (int i = OneIn(2) ? Count(4) : 0; i > 0; --i) {
    Exemplar* exemplar = point->add_exemplars();
    FillAttributes(exemplar->mutable_filtered_attributes());
    exemplar->set_time_unix_nano(Unsigned());
    exemplar->set_span_id(Id(8));
    exemplar->set_trace_id(Id(16));
    FillNumber(exemplar);
  }
}

void RandomOtlp::FillNumberPoints(google::protobuf::RepeatedPtrField<NumberDataPoint>* points) {
  for (int i = Count(6); i > 0; --i) {
    NumberDataPoint* point = points->Add();
    FillPoint(point);
    FillNumber(point);
    FillExemplars(point);
  }
}

void RandomOtlp::FillHistogram(Metric* metric) {
  for (int i = Count(5); i > 0; --i) {
    auto* point = metric->mutable_histogram()->add_data_points();
    FillPoint(point);
    FillExemplars(point);
    point->set_count(Unsigned());
    if (OneIn(2)) point->set_sum(Double());
    if (OneIn(2)) point->set_min(Double());
    if (OneIn(2)) point->set_max(Double());
    for (int b = Count(20); b > 0; --b) point->add_bucket_counts(Unsigned());
    for (int b = Count(20); b > 0; --b) point->add_explicit_bounds(Double());
  }
}

void RandomOtlp::FillExponentialHistogram(Metric* metric) {
  for (int i = Count(5); i > 0; --i) {
    auto* point = metric->mutable_exponential_histogram()->add_data_points();
    FillPoint(point);
    FillExemplars(point);
    point->set_count(Unsigned());
    if (OneIn(2)) point->set_sum(Double());
    if (OneIn(2)) point->set_min(Double());
    if (OneIn(2)) point->set_max(Double());
    point->set_scale(static_cast<int32_t>(Int()));
    point->set_zero_count(Unsigned());
    point->set_zero_threshold(Double());
    for (auto* buckets : {OneIn(3) ? nullptr : point->mutable_positive(), OneIn(3) ? nullptr : point->mutable_negative()}) {
      if (!buckets || OneIn(4)) continue;
      buckets->set_offset(static_cast<int32_t>(Int()));
      for (int b = Count(20); b > 0; --b) buckets->add_bucket_counts(Unsigned());
    }
  }
}

void RandomOtlp::FillSummary(Metric* metric) {
  auto* summary = metric->mutable_summary();
  for (int i = Count(5); i > 0; --i) {
    auto* point = summary->add_data_points();
    FillPoint(point);
    point->set_count(Unsigned());
    point->set_sum(Double());
    for (int q = Count(5); q > 0; --q) {
      auto* value = point->add_quantile_values();
      value->set_quantile(Double());
      value->set_value(Double());
    }
  }
}

}  // namespace otlp_arrow::testing
