#include "otlp_arrow/sdk/definitions.h"

#include <utility>

#include <spdlog/spdlog.h>

namespace otlp_arrow::sdk {

// --- Definition ---

Definition::~Definition() {
  for (const Bound* bound = bound_.load(std::memory_order_relaxed); bound != nullptr;) delete std::exchange(bound, bound->previous);
}

Binding Definition::Bind() noexcept {
  if (recorder_->is_shut_down()) return {};
  const uint32_t epoch = recorder_->epoch();
  Status status;
  try {
    auto writer = recorder_->Writer();
    if (writer.ok()) {
      auto ref = Define(*writer);
      if (ref.ok()) {
        auto bound = std::make_unique<Bound>(Bound{epoch, {*writer, *ref}, bound_.load(std::memory_order_relaxed)});
        while (!bound_.compare_exchange_weak(bound->previous, bound.get(), std::memory_order_acq_rel)) {
        }
        return bound.release()->binding;
      }
      status = ref.status();
    } else {
      status = writer.status();
    }
    if (!told_.exchange(true)) spdlog::error("nothing is recorded: {}", status.message());
  } catch (...) {  // no memory
  }
  return {};
}

// --- ScopeDefinition ---

ScopeDefinition::ScopeDefinition(std::shared_ptr<Recorder> recorder, std::shared_ptr<const Resource> resource, InstrumentationScope scope)
    : Definition(std::move(recorder)), resource_(std::move(resource)), scope_(std::move(scope)) {}

Result<ring::Ref> ScopeDefinition::Define(ring::RingWriter* writer) {
  RingAttributes resource_attributes, scope_attributes;
  ring::ResourceDefinition resource;
  OTLP_ASSIGN_OR_RETURN(resource.attributes, resource_attributes.Get(writer, resource_->attributes));
  resource.dropped_attributes_count = resource_->dropped_attributes_count;
  resource.schema_url = resource_->schema_url;
  ring::ScopeDefinition scope;
  OTLP_ASSIGN_OR_RETURN(scope.resource, writer->CreateResource(resource));
  OTLP_ASSIGN_OR_RETURN(scope.attributes, scope_attributes.Get(writer, scope_.attributes));
  scope.name = scope_.name;
  scope.version = scope_.version;
  scope.dropped_attributes_count = scope_.dropped_attributes_count;
  scope.schema_url = scope_.schema_url;
  return writer->CreateScope(scope);
}

// --- MetricDefinition ---

MetricDefinition::MetricDefinition(std::shared_ptr<ScopeDefinition> scope, MetricStreamDefinition stream)
    : Definition(scope->recorder()), scope_(std::move(scope)), stream_(std::move(stream)) {}

Result<ring::Ref> MetricDefinition::Define(ring::RingWriter* writer) {
  const Binding scope = scope_->Get();
  if (scope.writer != writer) return Status::Export("the scope '" + scope_->scope().name + "' of the metric '" + stream_.name + "' could not be defined");
  ring::MetricDefinition metric;
  metric.scope = scope.ref;
  metric.name = stream_.name;
  metric.description = stream_.description;
  metric.unit = stream_.unit;
  metric.cardinality_limit = stream_.cardinality_limit;
  switch (stream_.aggregation) {
    case AggregationKind::kGauge: metric.aggregation = ring::GaugeAggregation{}; break;
    case AggregationKind::kSum: metric.aggregation = ring::SumAggregation{stream_.temporality, stream_.is_monotonic}; break;
    case AggregationKind::kHistogram:
      metric.aggregation = ring::HistogramAggregation{stream_.temporality, stream_.bucket_boundaries};
      break;
    case AggregationKind::kExponentialHistogram:
      metric.aggregation = ring::ExpHistogramAggregation{stream_.temporality, stream_.max_buckets, stream_.max_scale};
      break;
  }
  return writer->CreateMetric(metric);
}

// --- StringDefinition ---

StringDefinition::StringDefinition(std::shared_ptr<Recorder> recorder, std::string text) : Definition(std::move(recorder)), text_(std::move(text)) {}

Result<ring::Ref> StringDefinition::Define(ring::RingWriter* writer) { return writer->InternString(text_); }

// --- RingAttributes ---

Result<ring::Attributes> RingAttributes::Get(ring::RingWriter* writer, const Attributes& attributes) {
  arrays_.clear();
  maps_.clear();
  top_.clear();
  for (const KeyValue& attribute : attributes) {
    OTLP_ASSIGN_OR_RETURN(const ring::Ref key, writer->InternString(attribute.key));
    OTLP_ASSIGN_OR_RETURN(const ring::Value value, Convert(writer, attribute.value, 1));
    top_.push_back({key, value});
  }
  return ring::Attributes(top_);
}

Result<ring::Value> RingAttributes::Convert(ring::RingWriter* writer, const Value& value, int depth) {
  if (depth > ring::kMaxValueDepth) {
    return Status::Export("an attribute nests deeper than " + std::to_string(ring::kMaxValueDepth) + " levels");
  }
  if (const auto* text = value.As<std::string>()) return ring::Value(*text);
  if (const auto* flag = value.As<bool>()) return ring::Value(*flag);
  if (const auto* integer = value.As<int64_t>()) return ring::Value(*integer);
  if (const auto* number = value.As<double>()) return ring::Value(*number);
  if (const auto* bytes = value.As<Bytes>()) return ring::Value::Bytes(bytes->data);
  if (const auto* array = value.As<Array>()) {
    auto& elements = *arrays_.emplace_back(std::make_unique<std::vector<ring::Value>>());
    for (const Value& element : *array) {
      OTLP_ASSIGN_OR_RETURN(const ring::Value converted, Convert(writer, element, depth + 1));
      elements.push_back(converted);
    }
    return ring::Value(std::span<const ring::Value>(elements));
  }
  if (const auto* map = value.As<Attributes>()) {
    auto& entries = *maps_.emplace_back(std::make_unique<std::vector<ring::Attribute>>());
    for (const KeyValue& entry : *map) {
      OTLP_ASSIGN_OR_RETURN(const ring::Ref key, writer->InternString(entry.key));
      OTLP_ASSIGN_OR_RETURN(const ring::Value converted, Convert(writer, entry.value, depth + 1));
      entries.push_back({key, converted});
    }
    return ring::Value::Map(entries);
  }
  return ring::Value();
}

}  // namespace otlp_arrow::sdk
