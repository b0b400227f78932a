#include "schema/schemas.h"

#include <charconv>
#include <set>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

namespace otlp_arrow {
namespace {

using arrow::field;
using arrow::Field;
using Fields = std::vector<std::shared_ptr<Field>>;

std::shared_ptr<arrow::DataType> DictionaryText() { return arrow::dictionary(arrow::int32(), arrow::utf8()); }
std::shared_ptr<arrow::DataType> Time() { return arrow::timestamp(arrow::TimeUnit::NANO); }

// Attributes of items: keys repeat, values do not.
std::shared_ptr<arrow::DataType> AttributeMap() { return arrow::map(DictionaryText(), arrow::utf8()); }
// Attributes of resources and scopes: the same on row after row, values too.
std::shared_ptr<arrow::DataType> RepeatedMap() { return arrow::map(DictionaryText(), DictionaryText()); }

void AddContext(Fields* fields) {
  auto text_list = arrow::list(arrow::utf8());
  auto entity_ref = arrow::struct_({field("schema_url", arrow::utf8()), field("type", arrow::utf8()),
                                    field("id_keys", text_list), field("description_keys", text_list)});
  for (auto& f : Fields{field("resource_attributes", RepeatedMap()), field("resource_attributes_types", DictionaryText()),
                        field("resource_dropped_attributes_count", arrow::uint32()), field("resource_schema_url", DictionaryText()),
                        field("resource_entity_refs", arrow::list(entity_ref)), field("scope_name", DictionaryText()),
                        field("scope_version", DictionaryText()), field("scope_attributes", RepeatedMap()),
                        field("scope_attributes_types", DictionaryText()), field("scope_dropped_attributes_count", arrow::uint32()),
                        field("scope_schema_url", DictionaryText())}) {
    fields->push_back(f);
  }
}

Fields TraceFields() {
  auto event = arrow::struct_({field("time", Time()), field("name", DictionaryText()), field("attributes", AttributeMap()),
                               field("attributes_types", DictionaryText()), field("dropped_attributes_count", arrow::uint32())});
  auto link = arrow::struct_({field("trace_id", arrow::utf8()), field("span_id", arrow::utf8()), field("trace_state", arrow::utf8()),
                              field("flags", arrow::uint32()), field("attributes", AttributeMap()),
                              field("attributes_types", DictionaryText()), field("dropped_attributes_count", arrow::uint32())});
  Fields fields = {
      field("trace_id", arrow::utf8()),
      field("span_id", arrow::utf8()),
      field("parent_span_id", arrow::utf8()),
      field("trace_state", arrow::utf8()),
      field("flags", arrow::uint32()),
      field("name", DictionaryText()),
      field("kind", DictionaryText()),
      field("start_time", Time()),
      field("end_time", Time()),
      field("duration_ns", arrow::int64()),
      field("status_code", DictionaryText()),
      field("status_message", arrow::utf8()),
      field("service_name", DictionaryText()),
      field("attributes", AttributeMap()),
      field("attributes_types", DictionaryText()),
      field("dropped_attributes_count", arrow::uint32()),
      field("events", arrow::list(event)),
      field("dropped_events_count", arrow::uint32()),
      field("links", arrow::list(link)),
      field("dropped_links_count", arrow::uint32()),
  };
  AddContext(&fields);
  return fields;
}

Fields MetricFields() {
  auto buckets = arrow::struct_({field("offset", arrow::int32()), field("bucket_counts", arrow::list(arrow::uint64()))});
  auto quantile = arrow::struct_({field("quantile", arrow::float64()), field("value", arrow::float64())});
  auto exemplar = arrow::struct_({field("time", Time()), field("value_int", arrow::int64()), field("value_double", arrow::float64()),
                                  field("trace_id", arrow::utf8()), field("span_id", arrow::utf8()),
                                  field("filtered_attributes", AttributeMap()), field("filtered_attributes_types", DictionaryText())});
  Fields fields = {
      field("metric_name", DictionaryText()),
      field("description", DictionaryText()),
      field("unit", DictionaryText()),
      field("metric_type", DictionaryText()),
      field("aggregation_temporality", DictionaryText()),
      field("is_monotonic", arrow::boolean()),
      field("time", Time()),
      field("start_time", Time()),
      field("value_int", arrow::int64()),
      field("value_double", arrow::float64()),
      field("count", arrow::uint64()),
      field("sum", arrow::float64()),
      field("min", arrow::float64()),
      field("max", arrow::float64()),
      field("bucket_counts", arrow::list(arrow::uint64())),
      field("explicit_bounds", arrow::list(arrow::float64())),
      field("scale", arrow::int32()),
      field("zero_count", arrow::uint64()),
      field("zero_threshold", arrow::float64()),
      field("positive", buckets),
      field("negative", buckets),
      field("quantiles", arrow::list(quantile)),
      field("exemplars", arrow::list(exemplar)),
      field("flags", arrow::uint32()),
      field("metric_metadata", RepeatedMap()),
      field("metric_metadata_types", DictionaryText()),
      field("service_name", DictionaryText()),
      field("attributes", AttributeMap()),
      field("attributes_types", DictionaryText()),
  };
  AddContext(&fields);
  return fields;
}

Fields LogFields() {
  Fields fields = {
      field("time", Time()),
      field("observed_time", Time()),
      field("severity_number", arrow::int32()),
      field("severity_text", DictionaryText()),
      field("body", arrow::utf8()),
      field("body_type", DictionaryText()),
      field("event_name", DictionaryText()),
      field("trace_id", arrow::utf8()),
      field("span_id", arrow::utf8()),
      field("flags", arrow::uint32()),
      field("service_name", DictionaryText()),
      field("attributes", AttributeMap()),
      field("attributes_types", DictionaryText()),
      field("dropped_attributes_count", arrow::uint32()),
  };
  AddContext(&fields);
  return fields;
}

Fields BuiltInFields(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return TraceFields();
    case Signal::kMetrics: return MetricFields();
    case Signal::kLogs: return LogFields();
  }
  return {};
}

std::shared_ptr<arrow::DataType> PromotedType(PromotedAttribute::Type type) {
  switch (type) {
    case PromotedAttribute::Type::kString: return DictionaryText();
    case PromotedAttribute::Type::kInt64: return arrow::int64();
    case PromotedAttribute::Type::kDouble: return arrow::float64();
    case PromotedAttribute::Type::kBool: return arrow::boolean();
  }
  return nullptr;
}

using Names = std::vector<std::string_view>;
const Names kSpanKinds = {"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"};
const Names kStatusCodes = {"UNSET", "OK", "ERROR"};
const Names kTemporalities = {"UNSPECIFIED", "DELTA", "CUMULATIVE"};

std::string NameOf(const Names& names, int32_t value) {
  if (value >= 0 && static_cast<size_t>(value) < names.size()) return std::string(names[static_cast<size_t>(value)]);
  return std::to_string(value);
}

std::optional<int32_t> ValueOf(const Names& names, std::string_view name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return static_cast<int32_t>(i);
  }
  int32_t number = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<std::vector<PromotedAttribute>> ParsePromotedAttributes(const std::vector<std::string>& specs) {
  std::set<std::string, std::less<>> taken;
  for (Signal s : kAllSignals) {
    for (const auto& f : BuiltInFields(s)) taken.insert(f->name());
  }
  const size_t built_in = taken.size();
  std::vector<PromotedAttribute> result;
  for (const std::string& spec : specs) {
    PromotedAttribute promoted;
    const size_t colon = spec.rfind(':');
    promoted.key = spec.substr(0, colon);
    const std::string type = colon == std::string::npos ? "string" : spec.substr(colon + 1);
    auto refuse = [&](const std::string& why) { return Status::Config("promote_attributes: '" + spec + "' " + why); };
    if (promoted.key.empty()) return refuse("has no key; write it as key or key:type");
    if (type == "string") {
      promoted.type = PromotedAttribute::Type::kString;
    } else if (type == "int64") {
      promoted.type = PromotedAttribute::Type::kInt64;
    } else if (type == "double") {
      promoted.type = PromotedAttribute::Type::kDouble;
    } else if (type == "bool") {
      promoted.type = PromotedAttribute::Type::kBool;
    } else {
      return refuse("has the unknown type '" + type + "'; allowed are string, int64, double, bool");
    }
    if (!taken.insert(promoted.key).second) {
      const bool twice = taken.size() > built_in;
      return refuse(twice ? "is named twice, or is the name of a column that the tables already have"
                          : "is the name of a column that the tables already have");
    }
    result.push_back(std::move(promoted));
  }
  return result;
}

std::shared_ptr<arrow::Schema> TableSchema(Signal signal, const std::vector<PromotedAttribute>& promoted) {
  Fields fields = BuiltInFields(signal);
  for (const auto& p : promoted) fields.push_back(field(p.key, PromotedType(p.type)));
  return arrow::schema(std::move(fields),
                       arrow::key_value_metadata({std::string(kSchemaVersionKey), std::string(kSignalKey)},
                                                 {std::string(kSchemaVersion), std::string(SignalName(signal))}));
}

std::optional<Signal> SignalOfSchema(const arrow::Schema& schema) {
  if (!schema.HasMetadata()) return std::nullopt;
  auto name = schema.metadata()->Get(std::string(kSignalKey));
  return name.ok() ? SignalFromName(*name) : std::nullopt;
}

std::string SpanKindName(int32_t value) { return NameOf(kSpanKinds, value); }
std::string StatusCodeName(int32_t value) { return NameOf(kStatusCodes, value); }
std::string TemporalityName(int32_t value) { return NameOf(kTemporalities, value); }
std::optional<int32_t> SpanKindFromName(std::string_view name) { return ValueOf(kSpanKinds, name); }
std::optional<int32_t> StatusCodeFromName(std::string_view name) { return ValueOf(kStatusCodes, name); }
std::optional<int32_t> TemporalityFromName(std::string_view name) { return ValueOf(kTemporalities, name); }

}  // namespace otlp_arrow
