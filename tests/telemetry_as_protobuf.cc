#include "telemetry_as_protobuf.h"

#include <variant>

namespace otlp_arrow::testing {
namespace {

namespace common = opentelemetry::proto::common::v1;
namespace logs = opentelemetry::proto::logs::v1;
namespace metrics = opentelemetry::proto::metrics::v1;
namespace trace = opentelemetry::proto::trace::v1;
using ProtoAttributes = google::protobuf::RepeatedPtrField<common::KeyValue>;
using ProtoResource = opentelemetry::proto::resource::v1::Resource;

constexpr const char* kTooDeep = "<nested too deep>";

void SetAttributes(const Attributes& from, int depth, ProtoAttributes* to);

void SetValue(const Value& from, int depth, common::AnyValue* to) {
  if (const auto* value = from.As<bool>()) to->set_bool_value(*value);
  if (const auto* value = from.As<int64_t>()) to->set_int_value(*value);
  if (const auto* value = from.As<double>()) to->set_double_value(*value);
  if (const auto* value = from.As<std::string>()) to->set_string_value(*value);
  if (const auto* value = from.As<Bytes>()) to->set_bytes_value(value->data);
  const auto* array = from.As<Array>();
  const auto* map = from.As<Attributes>();
  if ((array || map) && depth >= kMaxValueNesting) return to->set_string_value(kTooDeep);
  if (array) {
    auto* elements = to->mutable_array_value();
    for (const Value& element : *array) SetValue(element, depth + 1, elements->add_values());
  }
  if (map) SetAttributes(*map, depth + 1, to->mutable_kvlist_value()->mutable_values());
}

void SetAttributes(const Attributes& from, int depth, ProtoAttributes* to) {
  for (const KeyValue& attribute : from) {
    auto* added = to->Add();
    added->set_key(attribute.key);
    SetValue(attribute.value, depth, added->mutable_value());
  }
}
void SetAttributes(const Attributes& from, ProtoAttributes* to) { SetAttributes(from, 0, to); }

template <size_t N>
std::string IdBytes(const Id<N>& id) {
  return id.empty() ? "" : std::string(id.view());
}

// The generated class does not know entity_refs, field 3.
void SetEntityRefs(const std::vector<EntityRef>& refs, ProtoResource* to) {
  for (const EntityRef& from : refs) {
    google::protobuf::UnknownFieldSet ref;
    if (!from.schema_url.empty()) ref.AddLengthDelimited(1, from.schema_url);
    if (!from.type.empty()) ref.AddLengthDelimited(2, from.type);
    for (const std::string& key : from.id_keys) ref.AddLengthDelimited(3, key);
    for (const std::string& key : from.description_keys) ref.AddLengthDelimited(4, key);
    std::string bytes;
    ref.SerializeToString(&bytes);
    to->GetReflection()->MutableUnknownFields(to)->AddLengthDelimited(3, bytes);
  }
}

template <class Container>
void SetResource(const Resource& from, Container* container) {
  auto* to = container->mutable_resource();
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_dropped_attributes_count(from.dropped_attributes_count);
  SetEntityRefs(from.entity_refs, to);
  container->set_schema_url(from.schema_url);
}

template <class Container>
void SetScope(const InstrumentationScope& from, Container* container) {
  auto* to = container->mutable_scope();
  to->set_name(from.name);
  to->set_version(from.version);
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_dropped_attributes_count(from.dropped_attributes_count);
  container->set_schema_url(from.schema_url);
}

// --- traces ----------------------------------------------------------------------------------------------------------

void SetEvent(const Span::Event& from, trace::Span::Event* to) {
  to->set_time_unix_nano(from.time_unix_nano);
  to->set_name(from.name);
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_dropped_attributes_count(from.dropped_attributes_count);
}

void SetLink(const Span::Link& from, trace::Span::Link* to) {
  to->set_trace_id(IdBytes(from.trace_id));
  to->set_span_id(IdBytes(from.span_id));
  to->set_trace_state(from.trace_state);
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_dropped_attributes_count(from.dropped_attributes_count);
  to->set_flags(from.flags);
}

void SetSpan(const Span& from, trace::Span* to) {
  to->set_trace_id(IdBytes(from.trace_id));
  to->set_span_id(IdBytes(from.span_id));
  to->set_trace_state(from.trace_state);
  to->set_parent_span_id(IdBytes(from.parent_span_id));
  to->set_flags(from.flags);
  to->set_name(from.name);
  to->set_kind(static_cast<trace::Span::SpanKind>(from.kind));
  to->set_start_time_unix_nano(from.start_time_unix_nano);
  to->set_end_time_unix_nano(from.end_time_unix_nano);
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_dropped_attributes_count(from.dropped_attributes_count);
  for (const auto& event : from.events) SetEvent(event, to->add_events());
  to->set_dropped_events_count(from.dropped_events_count);
  for (const auto& link : from.links) SetLink(link, to->add_links());
  to->set_dropped_links_count(from.dropped_links_count);
  to->mutable_status()->set_code(static_cast<trace::Status::StatusCode>(from.status_code));
  to->mutable_status()->set_message(from.status_message);
}

// --- metrics ---------------------------------------------------------------------------------------------------------

template <class To>
void SetNumber(const Number& from, To* to) {
  if (const auto* value = std::get_if<int64_t>(&from)) to->set_as_int(*value);
  if (const auto* value = std::get_if<double>(&from)) to->set_as_double(*value);
}

template <class Point, class ProtoPoint>
void SetExemplars(const Point& from, ProtoPoint* to) {
  for (const Exemplar& exemplar : from.exemplars) {
    auto* added = to->add_exemplars();
    SetAttributes(exemplar.filtered_attributes, added->mutable_filtered_attributes());
    added->set_time_unix_nano(exemplar.time_unix_nano);
    SetNumber(exemplar.value, added);
    added->set_span_id(IdBytes(exemplar.span_id));
    added->set_trace_id(IdBytes(exemplar.trace_id));
  }
}

template <class Point, class ProtoPoint>
void SetCommon(const Point& from, ProtoPoint* to) {
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_start_time_unix_nano(from.start_time_unix_nano);
  to->set_time_unix_nano(from.time_unix_nano);
  to->set_flags(from.flags);
}

template <class Point, class ProtoPoint>
void SetDistribution(const Point& from, ProtoPoint* to) {
  SetCommon(from, to);
  SetExemplars(from, to);
  to->set_count(from.count);
  if (from.sum) to->set_sum(*from.sum);
  if (from.min) to->set_min(*from.min);
  if (from.max) to->set_max(*from.max);
}

void SetPoint(const NumberDataPoint& from, metrics::NumberDataPoint* to) {
  SetCommon(from, to);
  SetExemplars(from, to);
  SetNumber(from.value, to);
}

void SetPoint(const HistogramDataPoint& from, metrics::HistogramDataPoint* to) {
  SetDistribution(from, to);
  for (uint64_t count : from.bucket_counts) to->add_bucket_counts(count);
  for (double bound : from.explicit_bounds) to->add_explicit_bounds(bound);
}

using Buckets = ExponentialHistogramDataPoint::Buckets;
void SetBuckets(const Buckets& from, metrics::ExponentialHistogramDataPoint::Buckets* to) {
  to->set_offset(from.offset);
  for (uint64_t count : from.bucket_counts) to->add_bucket_counts(count);
}

void SetPoint(const ExponentialHistogramDataPoint& from, metrics::ExponentialHistogramDataPoint* to) {
  SetDistribution(from, to);
  to->set_scale(from.scale);
  to->set_zero_count(from.zero_count);
  to->set_zero_threshold(from.zero_threshold);
  if (from.positive) SetBuckets(*from.positive, to->mutable_positive());
  if (from.negative) SetBuckets(*from.negative, to->mutable_negative());
}

void SetPoint(const SummaryDataPoint& from, metrics::SummaryDataPoint* to) {
  SetCommon(from, to);
  to->set_count(from.count);
  to->set_sum(from.sum);
  for (const auto& at : from.quantile_values) {
    auto* added = to->add_quantile_values();
    added->set_quantile(at.quantile);
    added->set_value(at.value);
  }
}

template <class Data, class ProtoData>
void SetPoints(const Data& from, ProtoData* to) {
  for (const auto& point : from.data_points) SetPoint(point, to->add_data_points());
  if constexpr (requires { from.aggregation_temporality; }) {
    to->set_aggregation_temporality(static_cast<metrics::AggregationTemporality>(from.aggregation_temporality));
  }
}

void SetMetric(const Metric& from, metrics::Metric* to) {
  to->set_name(from.name);
  to->set_description(from.description);
  to->set_unit(from.unit);
  SetAttributes(from.metadata, to->mutable_metadata());
  if (const auto* gauge = std::get_if<Gauge>(&from.data)) SetPoints(*gauge, to->mutable_gauge());
  if (const auto* sum = std::get_if<Sum>(&from.data)) {
    SetPoints(*sum, to->mutable_sum());
    to->mutable_sum()->set_is_monotonic(sum->is_monotonic);
  }
  if (const auto* histogram = std::get_if<Histogram>(&from.data)) SetPoints(*histogram, to->mutable_histogram());
  if (const auto* histogram = std::get_if<ExponentialHistogram>(&from.data)) SetPoints(*histogram, to->mutable_exponential_histogram());
  if (const auto* summary = std::get_if<Summary>(&from.data)) SetPoints(*summary, to->mutable_summary());
}

// --- logs ------------------------------------------------------------------------------------------------------------

void SetLogRecord(const LogRecord& from, logs::LogRecord* to) {
  to->set_time_unix_nano(from.time_unix_nano);
  to->set_observed_time_unix_nano(from.observed_time_unix_nano);
  to->set_severity_number(static_cast<logs::SeverityNumber>(from.severity_number));
  to->set_severity_text(from.severity_text);
  if (!from.body.empty()) SetValue(from.body, 0, to->mutable_body());
  SetAttributes(from.attributes, to->mutable_attributes());
  to->set_dropped_attributes_count(from.dropped_attributes_count);
  to->set_flags(from.flags);
  to->set_trace_id(IdBytes(from.trace_id));
  to->set_span_id(IdBytes(from.span_id));
  to->set_event_name(from.event_name);
}

// --- what plain telemetry keeps apart --------------------------------------------------------------------------------

void LimitNesting(int depth, common::AnyValue* value) {
  if (!value->has_array_value() && !value->has_kvlist_value()) return;
  if (depth >= kMaxValueNesting) return value->set_string_value(kTooDeep);
  if (value->has_array_value()) {
    for (auto& element : *value->mutable_array_value()->mutable_values()) LimitNesting(depth + 1, &element);
  } else {
    for (auto& entry : *value->mutable_kvlist_value()->mutable_values()) LimitNesting(depth + 1, entry.mutable_value());
  }
}

void ClearZeroIds(google::protobuf::Message* message) {
  const auto* type = message->GetDescriptor();
  for (const char* name : {"trace_id", "span_id", "parent_span_id"}) {
    const auto* field = type->FindFieldByName(name);
    if (!field) continue;
    const std::string id = message->GetReflection()->GetString(*message, field);
    if (id.find_first_not_of('\0') == std::string::npos) message->GetReflection()->ClearField(message, field);
  }
}

template <class Container>
bool FillContainer(google::protobuf::Message* message) {
  auto* container = dynamic_cast<Container*>(message);
  if (!container) return false;
  if constexpr (requires { container->mutable_resource(); }) {
    container->mutable_resource();
  } else {
    container->mutable_scope();
  }
  return true;
}

void FillDefaults(google::protobuf::Message* message) {
  (void)(FillContainer<trace::ResourceSpans>(message) || FillContainer<trace::ScopeSpans>(message) ||
         FillContainer<metrics::ResourceMetrics>(message) || FillContainer<metrics::ScopeMetrics>(message) ||
         FillContainer<logs::ResourceLogs>(message) || FillContainer<logs::ScopeLogs>(message));
  if (auto* span = dynamic_cast<trace::Span*>(message)) span->mutable_status();
  if (auto* attribute = dynamic_cast<common::KeyValue*>(message)) attribute->mutable_value();
  if (auto* record = dynamic_cast<logs::LogRecord*>(message)) {
    if (record->body().value_case() == common::AnyValue::VALUE_NOT_SET) record->clear_body();
  }
}

}  // namespace

TraceRequest AsProtobuf(const std::vector<ResourceSpans>& all) {
  TraceRequest request;
  for (const ResourceSpans& from : all) {
    auto* resource = request.add_resource_spans();
    SetResource(from.resource, resource);
    for (const ScopeSpans& from_scope : from.scope_spans) {
      auto* scope = resource->add_scope_spans();
      SetScope(from_scope.scope, scope);
      for (const Span& span : from_scope.spans) SetSpan(span, scope->add_spans());
    }
  }
  return request;
}

MetricsRequest AsProtobuf(const std::vector<ResourceMetrics>& all) {
  MetricsRequest request;
  for (const ResourceMetrics& from : all) {
    auto* resource = request.add_resource_metrics();
    SetResource(from.resource, resource);
    for (const ScopeMetrics& from_scope : from.scope_metrics) {
      auto* scope = resource->add_scope_metrics();
      SetScope(from_scope.scope, scope);
      for (const Metric& metric : from_scope.metrics) SetMetric(metric, scope->add_metrics());
    }
  }
  return request;
}

LogsRequest AsProtobuf(const std::vector<ResourceLogs>& all) {
  LogsRequest request;
  for (const ResourceLogs& from : all) {
    auto* resource = request.add_resource_logs();
    SetResource(from.resource, resource);
    for (const ScopeLogs& from_scope : from.scope_logs) {
      auto* scope = resource->add_scope_logs();
      SetScope(from_scope.scope, scope);
      for (const LogRecord& record : from_scope.log_records) SetLogRecord(record, scope->add_log_records());
    }
  }
  return request;
}

void AsPlainTelemetryHasIt(google::protobuf::Message* message) {
  ClearZeroIds(message);
  FillDefaults(message);
  if (auto* value = dynamic_cast<common::AnyValue*>(message)) LimitNesting(0, value);
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  const auto* reflection = message->GetReflection();
  reflection->ListFields(*message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      AsPlainTelemetryHasIt(reflection->MutableMessage(message, field));
      continue;
    }
    for (int i = 0; i < reflection->FieldSize(*message, field); ++i) {
      AsPlainTelemetryHasIt(reflection->MutableRepeatedMessage(message, field, i));
    }
  }
}

}  // namespace otlp_arrow::testing
