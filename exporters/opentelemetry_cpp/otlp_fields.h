// Field numbers of OTLP's messages, as far as the SDK has something for them.
// https://github.com/open-telemetry/opentelemetry-proto (1.5)
#pragma once

#include <cstdint>

namespace otlp_arrow::exporters::field {

// Export…ServiceRequest, Resource…, Scope…: the same in all signals.
inline constexpr uint32_t kRequestResourceItems = 1;
inline constexpr uint32_t kResource = 1, kResourceScopeItems = 2, kResourceSchemaUrl = 3;
inline constexpr uint32_t kScope = 1, kScopeItems = 2, kScopeSchemaUrl = 3;

inline constexpr uint32_t kResourceAttributes = 1;
inline constexpr uint32_t kScopeName = 1, kScopeVersion = 2, kScopeAttributes = 3;

inline constexpr uint32_t kKey = 1, kKeyedValue = 2;                                                     // KeyValue
inline constexpr uint32_t kText = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kBytes = 7;            // AnyValue
inline constexpr uint32_t kArrayValues = 1;

inline constexpr uint32_t kSpanTraceId = 1, kSpanId = 2, kSpanTraceState = 3, kSpanParentId = 4, kSpanName = 5, kSpanKind = 6;
inline constexpr uint32_t kSpanStart = 7, kSpanEnd = 8, kSpanAttributes = 9, kSpanDroppedAttributes = 10, kSpanEvents = 11;
inline constexpr uint32_t kSpanDroppedEvents = 12, kSpanLinks = 13, kSpanDroppedLinks = 14, kSpanStatus = 15, kSpanFlags = 16;
inline constexpr uint32_t kEventTime = 1, kEventName = 2, kEventAttributes = 3;
inline constexpr uint32_t kLinkTraceId = 1, kLinkSpanId = 2, kLinkTraceState = 3, kLinkAttributes = 4;
inline constexpr uint32_t kStatusMessage = 2, kStatusCode = 3;

inline constexpr uint32_t kLogTime = 1, kLogSeverityNumber = 2, kLogSeverityText = 3, kLogBody = 5, kLogAttributes = 6;
inline constexpr uint32_t kLogDroppedAttributes = 7, kLogFlags = 8, kLogTraceId = 9, kLogSpanId = 10, kLogObservedTime = 11;
inline constexpr uint32_t kLogEventName = 12;

inline constexpr uint32_t kMetricName = 1, kMetricDescription = 2, kMetricUnit = 3, kMetricGauge = 5, kMetricSum = 7, kMetricHistogram = 9;
inline constexpr uint32_t kDataPoints = 1, kTemporality = 2, kIsMonotonic = 3;                            // Gauge, Sum, Histogram
inline constexpr uint32_t kPointStart = 2, kPointTime = 3;                                                // of both kinds of points
inline constexpr uint32_t kPointDouble = 4, kPointInt = 6, kPointAttributes = 7;
inline constexpr uint32_t kHistogramCount = 4, kHistogramSum = 5, kHistogramBucketCounts = 6, kHistogramBounds = 7;
inline constexpr uint32_t kHistogramAttributes = 9, kHistogramMin = 11, kHistogramMax = 12;

}  // namespace otlp_arrow::exporters::field
