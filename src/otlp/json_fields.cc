#include "otlp/json_fields.h"

namespace otlp_arrow {
namespace {

using enum JsonKind;
constexpr JsonRule kExplicit = JsonRule::kExplicit;
constexpr JsonRule kRepeated = JsonRule::kRepeated;

constexpr JsonField Message(std::string_view name, uint32_t number, const JsonMessage& message) {
  return {name, number, kMessage, JsonRule::kExplicit, &message};
}
constexpr JsonField Messages(std::string_view name, uint32_t number, const JsonMessage& message) {
  return {name, number, kMessage, kRepeated, &message};
}
constexpr JsonField Enum(std::string_view name, uint32_t number, std::span<const JsonEnumValue> values) {
  return {name, number, kEnum, JsonRule::kImplicit, nullptr, values};
}

extern const JsonMessage kAnyValue;

// Messages, each with its fields. Ids are given in order.
enum Id : uint32_t {
  kArrayValueId, kKeyValueListId, kAnyValueId, kKeyValueId, kScopeId, kEntityRefId, kResourceId,
  kEventId, kLinkId, kStatusId, kSpanId, kScopeSpansId, kResourceSpansId, kTracesId,
  kLogRecordId, kScopeLogsId, kResourceLogsId, kLogsId,
  kExemplarId, kNumberPointId, kGaugeId, kSumId, kHistogramPointId, kHistogramId, kBucketsId, kExponentialPointId, kExponentialId,
  kQuantileId, kSummaryPointId, kSummaryId, kMetricId, kScopeMetricsId, kResourceMetricsId, kMetricsId, kIds
};
static_assert(kIds == kJsonMessages);

extern const JsonMessage kKeyValue;

constexpr JsonField kArrayValueFields[] = {Messages("values", 1, kAnyValue)};
constexpr JsonMessage kArrayValue{"ArrayValue", kArrayValueFields, kArrayValueId};
constexpr JsonField kKeyValueListFields[] = {Messages("values", 1, kKeyValue)};
constexpr JsonMessage kKeyValueList{"KeyValueList", kKeyValueListFields, kKeyValueListId};

constexpr JsonField kAnyValueFields[] = {
    {"stringValue", 1, kText, kExplicit},   {"boolValue", 2, kBool, kExplicit},     {"intValue", 3, kInt64, kExplicit},
    {"doubleValue", 4, kDouble, kExplicit}, Message("arrayValue", 5, kArrayValue), Message("kvlistValue", 6, kKeyValueList),
    {"bytesValue", 7, kBytes, kExplicit}};
constexpr JsonMessage kAnyValue{"AnyValue", kAnyValueFields, kAnyValueId};

constexpr JsonField kKeyValueFields[] = {{"key", 1, kText}, Message("value", 2, kAnyValue)};
constexpr JsonMessage kKeyValue{"KeyValue", kKeyValueFields, kKeyValueId};

constexpr JsonField kScopeFields[] = {
    {"name", 1, kText}, {"version", 2, kText}, Messages("attributes", 3, kKeyValue), {"droppedAttributesCount", 4, kUint32}};
constexpr JsonMessage kScope{"InstrumentationScope", kScopeFields, kScopeId};

constexpr JsonField kEntityRefFields[] = {
    {"schemaUrl", 1, kText}, {"type", 2, kText}, {"idKeys", 3, kText, kRepeated}, {"descriptionKeys", 4, kText, kRepeated}};
constexpr JsonMessage kEntityRef{"EntityRef", kEntityRefFields, kEntityRefId};

constexpr JsonField kResourceFields[] = {
    Messages("attributes", 1, kKeyValue), {"droppedAttributesCount", 2, kUint32}, Messages("entityRefs", 3, kEntityRef)};
constexpr JsonMessage kResource{"Resource", kResourceFields, kResourceId};

// Traces.

constexpr JsonEnumValue kSpanKinds[] = {{"SPAN_KIND_UNSPECIFIED", 0}, {"SPAN_KIND_INTERNAL", 1}, {"SPAN_KIND_SERVER", 2},
                                        {"SPAN_KIND_CLIENT", 3},      {"SPAN_KIND_PRODUCER", 4}, {"SPAN_KIND_CONSUMER", 5}};
constexpr JsonEnumValue kStatusCodes[] = {{"STATUS_CODE_UNSET", 0}, {"STATUS_CODE_OK", 1}, {"STATUS_CODE_ERROR", 2}};

constexpr JsonField kEventFields[] = {
    {"timeUnixNano", 1, kFixed64}, {"name", 2, kText}, Messages("attributes", 3, kKeyValue), {"droppedAttributesCount", 4, kUint32}};
constexpr JsonMessage kEvent{"Span.Event", kEventFields, kEventId};

constexpr JsonField kLinkFields[] = {{"traceId", 1, kHexId},    {"spanId", 2, kHexId},
                                     {"traceState", 3, kText},  Messages("attributes", 4, kKeyValue),
                                     {"droppedAttributesCount", 5, kUint32}, {"flags", 6, kFixed32}};
constexpr JsonMessage kLink{"Span.Link", kLinkFields, kLinkId};

constexpr JsonField kStatusFields[] = {{"message", 2, kText}, Enum("code", 3, kStatusCodes)};
constexpr JsonMessage kStatus{"Status", kStatusFields, kStatusId};

constexpr JsonField kSpanFields[] = {
    {"traceId", 1, kHexId},
    {"spanId", 2, kHexId},
    {"traceState", 3, kText},
    {"parentSpanId", 4, kHexId},
    {"name", 5, kText},
    Enum("kind", 6, kSpanKinds),
    {"startTimeUnixNano", 7, kFixed64},
    {"endTimeUnixNano", 8, kFixed64},
    Messages("attributes", 9, kKeyValue),
    {"droppedAttributesCount", 10, kUint32},
    Messages("events", 11, kEvent),
    {"droppedEventsCount", 12, kUint32},
    Messages("links", 13, kLink),
    {"droppedLinksCount", 14, kUint32},
    Message("status", 15, kStatus),
    {"flags", 16, kFixed32},
};
constexpr JsonMessage kSpan{"Span", kSpanFields, kSpanId};

constexpr JsonField kScopeSpansFields[] = {Message("scope", 1, kScope), Messages("spans", 2, kSpan), {"schemaUrl", 3, kText}};
constexpr JsonMessage kScopeSpans{"ScopeSpans", kScopeSpansFields, kScopeSpansId};
constexpr JsonField kResourceSpansFields[] = {Message("resource", 1, kResource), Messages("scopeSpans", 2, kScopeSpans), {"schemaUrl", 3, kText}};
constexpr JsonMessage kResourceSpans{"ResourceSpans", kResourceSpansFields, kResourceSpansId};
constexpr JsonField kTracesFields[] = {Messages("resourceSpans", 1, kResourceSpans)};
constexpr JsonMessage kTraces{"ExportTraceServiceRequest", kTracesFields, kTracesId};

// Logs.

constexpr JsonEnumValue kSeverities[] = {
    {"SEVERITY_NUMBER_UNSPECIFIED", 0}, {"SEVERITY_NUMBER_TRACE", 1},   {"SEVERITY_NUMBER_TRACE2", 2},  {"SEVERITY_NUMBER_TRACE3", 3},
    {"SEVERITY_NUMBER_TRACE4", 4},      {"SEVERITY_NUMBER_DEBUG", 5},   {"SEVERITY_NUMBER_DEBUG2", 6},  {"SEVERITY_NUMBER_DEBUG3", 7},
    {"SEVERITY_NUMBER_DEBUG4", 8},      {"SEVERITY_NUMBER_INFO", 9},    {"SEVERITY_NUMBER_INFO2", 10},  {"SEVERITY_NUMBER_INFO3", 11},
    {"SEVERITY_NUMBER_INFO4", 12},      {"SEVERITY_NUMBER_WARN", 13},   {"SEVERITY_NUMBER_WARN2", 14},  {"SEVERITY_NUMBER_WARN3", 15},
    {"SEVERITY_NUMBER_WARN4", 16},      {"SEVERITY_NUMBER_ERROR", 17},  {"SEVERITY_NUMBER_ERROR2", 18}, {"SEVERITY_NUMBER_ERROR3", 19},
    {"SEVERITY_NUMBER_ERROR4", 20},     {"SEVERITY_NUMBER_FATAL", 21},  {"SEVERITY_NUMBER_FATAL2", 22}, {"SEVERITY_NUMBER_FATAL3", 23},
    {"SEVERITY_NUMBER_FATAL4", 24}};

constexpr JsonField kLogRecordFields[] = {
    {"timeUnixNano", 1, kFixed64},
    {"observedTimeUnixNano", 11, kFixed64},
    Enum("severityNumber", 2, kSeverities),
    {"severityText", 3, kText},
    Message("body", 5, kAnyValue),
    Messages("attributes", 6, kKeyValue),
    {"droppedAttributesCount", 7, kUint32},
    {"flags", 8, kFixed32},
    {"traceId", 9, kHexId},
    {"spanId", 10, kHexId},
    {"eventName", 12, kText},
};
constexpr JsonMessage kLogRecord{"LogRecord", kLogRecordFields, kLogRecordId};

constexpr JsonField kScopeLogsFields[] = {Message("scope", 1, kScope), Messages("logRecords", 2, kLogRecord), {"schemaUrl", 3, kText}};
constexpr JsonMessage kScopeLogs{"ScopeLogs", kScopeLogsFields, kScopeLogsId};
constexpr JsonField kResourceLogsFields[] = {Message("resource", 1, kResource), Messages("scopeLogs", 2, kScopeLogs), {"schemaUrl", 3, kText}};
constexpr JsonMessage kResourceLogs{"ResourceLogs", kResourceLogsFields, kResourceLogsId};
constexpr JsonField kLogsFields[] = {Messages("resourceLogs", 1, kResourceLogs)};
constexpr JsonMessage kLogs{"ExportLogsServiceRequest", kLogsFields, kLogsId};

// Metrics.

constexpr JsonEnumValue kTemporalities[] = {
    {"AGGREGATION_TEMPORALITY_UNSPECIFIED", 0}, {"AGGREGATION_TEMPORALITY_DELTA", 1}, {"AGGREGATION_TEMPORALITY_CUMULATIVE", 2}};

constexpr JsonField kExemplarFields[] = {Messages("filteredAttributes", 7, kKeyValue), {"timeUnixNano", 2, kFixed64},
                                         {"asDouble", 3, kDouble, kExplicit},          {"asInt", 6, kSfixed64, kExplicit},
                                         {"spanId", 4, kHexId},                        {"traceId", 5, kHexId}};
constexpr JsonMessage kExemplar{"Exemplar", kExemplarFields, kExemplarId};

constexpr JsonField kNumberPointFields[] = {
    Messages("attributes", 7, kKeyValue),  {"startTimeUnixNano", 2, kFixed64},   {"timeUnixNano", 3, kFixed64}, {"asDouble", 4, kDouble, kExplicit},
    {"asInt", 6, kSfixed64, kExplicit},    Messages("exemplars", 5, kExemplar), {"flags", 8, kUint32}};
constexpr JsonMessage kNumberPoint{"NumberDataPoint", kNumberPointFields, kNumberPointId};

constexpr JsonField kGaugeFields[] = {Messages("dataPoints", 1, kNumberPoint)};
constexpr JsonMessage kGauge{"Gauge", kGaugeFields, kGaugeId};
constexpr JsonField kSumFields[] = {
    Messages("dataPoints", 1, kNumberPoint), Enum("aggregationTemporality", 2, kTemporalities), {"isMonotonic", 3, kBool}};
constexpr JsonMessage kSum{"Sum", kSumFields, kSumId};

constexpr JsonField kHistogramPointFields[] = {
    Messages("attributes", 9, kKeyValue),
    {"startTimeUnixNano", 2, kFixed64},
    {"timeUnixNano", 3, kFixed64},
    {"count", 4, kFixed64},
    {"sum", 5, kDouble, kExplicit},
    {"bucketCounts", 6, kFixed64, kRepeated},
    {"explicitBounds", 7, kDouble, kRepeated},
    Messages("exemplars", 8, kExemplar),
    {"flags", 10, kUint32},
    {"min", 11, kDouble, kExplicit},
    {"max", 12, kDouble, kExplicit},
};
constexpr JsonMessage kHistogramPoint{"HistogramDataPoint", kHistogramPointFields, kHistogramPointId};
constexpr JsonField kHistogramFields[] = {Messages("dataPoints", 1, kHistogramPoint), Enum("aggregationTemporality", 2, kTemporalities)};
constexpr JsonMessage kHistogram{"Histogram", kHistogramFields, kHistogramId};

constexpr JsonField kBucketsFields[] = {{"offset", 1, kSint32}, {"bucketCounts", 2, kUint64, kRepeated}};
constexpr JsonMessage kBuckets{"ExponentialHistogramDataPoint.Buckets", kBucketsFields, kBucketsId};
constexpr JsonField kExponentialPointFields[] = {
    Messages("attributes", 1, kKeyValue),
    {"startTimeUnixNano", 2, kFixed64},
    {"timeUnixNano", 3, kFixed64},
    {"count", 4, kFixed64},
    {"sum", 5, kDouble, kExplicit},
    {"scale", 6, kSint32},
    {"zeroCount", 7, kFixed64},
    Message("positive", 8, kBuckets),
    Message("negative", 9, kBuckets),
    {"flags", 10, kUint32},
    Messages("exemplars", 11, kExemplar),
    {"min", 12, kDouble, kExplicit},
    {"max", 13, kDouble, kExplicit},
    {"zeroThreshold", 14, kDouble},
};
constexpr JsonMessage kExponentialPoint{"ExponentialHistogramDataPoint", kExponentialPointFields, kExponentialPointId};
constexpr JsonField kExponentialFields[] = {Messages("dataPoints", 1, kExponentialPoint), Enum("aggregationTemporality", 2, kTemporalities)};
constexpr JsonMessage kExponential{"ExponentialHistogram", kExponentialFields, kExponentialId};

constexpr JsonField kQuantileFields[] = {{"quantile", 1, kDouble}, {"value", 2, kDouble}};
constexpr JsonMessage kQuantile{"SummaryDataPoint.ValueAtQuantile", kQuantileFields, kQuantileId};
constexpr JsonField kSummaryPointFields[] = {
    Messages("attributes", 7, kKeyValue), {"startTimeUnixNano", 2, kFixed64}, {"timeUnixNano", 3, kFixed64}, {"count", 4, kFixed64}, {"sum", 5, kDouble},
    Messages("quantileValues", 6, kQuantile), {"flags", 8, kUint32}};
constexpr JsonMessage kSummaryPoint{"SummaryDataPoint", kSummaryPointFields, kSummaryPointId};
constexpr JsonField kSummaryFields[] = {Messages("dataPoints", 1, kSummaryPoint)};
constexpr JsonMessage kSummary{"Summary", kSummaryFields, kSummaryId};

constexpr JsonField kMetricFields[] = {
    {"name", 1, kText},
    {"description", 2, kText},
    {"unit", 3, kText},
    Message("gauge", 5, kGauge),
    Message("sum", 7, kSum),
    Message("histogram", 9, kHistogram),
    Message("exponentialHistogram", 10, kExponential),
    Message("summary", 11, kSummary),
    Messages("metadata", 12, kKeyValue),
};
constexpr JsonMessage kMetric{"Metric", kMetricFields, kMetricId};

constexpr JsonField kScopeMetricsFields[] = {Message("scope", 1, kScope), Messages("metrics", 2, kMetric), {"schemaUrl", 3, kText}};
constexpr JsonMessage kScopeMetrics{"ScopeMetrics", kScopeMetricsFields, kScopeMetricsId};
constexpr JsonField kResourceMetricsFields[] = {
    Message("resource", 1, kResource), Messages("scopeMetrics", 2, kScopeMetrics), {"schemaUrl", 3, kText}};
constexpr JsonMessage kResourceMetrics{"ResourceMetrics", kResourceMetricsFields, kResourceMetricsId};
constexpr JsonField kMetricsFields[] = {Messages("resourceMetrics", 1, kResourceMetrics)};
constexpr JsonMessage kMetrics{"ExportMetricsServiceRequest", kMetricsFields, kMetricsId};

static_assert(std::size(kSpanFields) <= kMostJsonFields);

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

const JsonMessage& JsonRequestOf(Signal signal) {
  switch (signal) {
    case Signal::kTraces: return kTraces;
    case Signal::kMetrics: return kMetrics;
    case Signal::kLogs: return kLogs;
  }
  return kTraces;
}

const JsonMessage& JsonAnyValue() { return kAnyValue; }

bool IsProtoName(std::string_view name, std::string_view key) {
  size_t at = 0;
  for (const char c : name) {
    if (IsUpper(c) && (at >= key.size() || key[at++] != '_')) return false;
    if (at >= key.size() || key[at++] != (IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c)) return false;
  }
  return at == key.size();
}

const JsonField* FindJsonField(const JsonMessage& message, std::string_view key) {
  for (const JsonField& field : message.fields) {
    if (field.name == key) return &field;
  }
  for (const JsonField& field : message.fields) {
    if (IsProtoName(field.name, key)) return &field;
  }
  return nullptr;
}

}  // namespace otlp_arrow
