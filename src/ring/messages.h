// Field numbers of the messages in rings and dictionary (package opentelemetry.proto.mmap.v1), and our
// extension fields, which readers of others pass over: numbers from 1001 on, each with one meaning in all messages.
#pragma once

#include <cstdint>

#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring::field {

// SpanEvent (spans ring)
constexpr uint32_t kSpanTraceId = 1, kSpanId = 2, kSpanStart = 11, kSpanEnd = 12, kSpanName = 13, kSpanAttributes = 14,
                   kSpanLink = 15, kSpanScopeRef = 20;
// StartSpan
constexpr uint32_t kStartParentSpanId = 4, kStartName = 5, kStartKind = 6, kStartTime = 7, kStartAttributes = 9, kStartFlags = 16;
// EndSpan
constexpr uint32_t kEndTime = 8, kEndStatus = 15;
// ChangeSpanName, UpdateAttributes, AddLink
constexpr uint32_t kChangeName = 5, kUpdateAttributes = 9, kAddLinks = 13;
// Link
constexpr uint32_t kLinkTraceId = 1, kLinkSpanId = 2, kLinkTraceState = 3, kLinkAttributes = 4, kLinkDropped = 5, kLinkFlags = 6;
// Status
constexpr uint32_t kStatusMessage = 2, kStatusCode = 3;
// Measurement (measurements ring)
constexpr uint32_t kMeasurementMetricRef = 1, kMeasurementAttributes = 2, kMeasurementTime = 3, kMeasurementLong = 4,
                   kMeasurementDouble = 5, kMeasurementContext = 6;
// Event (events ring)
constexpr uint32_t kEventScopeRef = 1, kEventTime = 2, kEventSeverityNumber = 3, kEventSeverityText = 4, kEventBody = 5,
                   kEventNameRef = 6, kEventContext = 7, kEventAttributes = 8;
// SpanContext
constexpr uint32_t kContextSpanId = 1, kContextTraceId = 2, kContextFlags = 3;
// KeyValueRef, ArrayValue, KeyValueList
constexpr uint32_t kPairKeyRef = 1, kPairValue = 2, kListValues = 1;
// AnyValue
constexpr uint32_t kAnyString = 1, kAnyBool = 2, kAnyInt = 3, kAnyDouble = 4, kAnyArray = 5, kAnyKvlist = 6, kAnyBytes = 7, kAnyRef = 8;
// Resource, InstrumentationScope
constexpr uint32_t kResourceAttributes = 1, kResourceDropped = 2;
constexpr uint32_t kScopeNameRef = 1, kScopeVersionRef = 2, kScopeAttributes = 3, kScopeDropped = 4, kScopeResourceRef = 5;
// MetricRef
constexpr uint32_t kMetricName = 1, kMetricDescription = 2, kMetricUnit = 3, kMetricScopeRef = 4, kMetricGauge = 5, kMetricSum = 6,
                   kMetricHistogram = 7, kMetricExpHistogram = 8;
constexpr uint32_t kSumTemporality = 2, kSumMonotonic = 3;
constexpr uint32_t kHistogramTemporality = 1, kHistogramBoundaries = 2;
constexpr uint32_t kExpHistogramTemporality = 1, kExpHistogramMaxBuckets = 2, kExpHistogramMaxScale = 3;

// Extensions.
constexpr uint32_t kExtWriter = 1001;         // uint32, in StartSpan: number of the writer, whose lock says if it lives
constexpr uint32_t kExtTraceState = 1002;     // string, in StartSpan
constexpr uint32_t kExtDropped = 1003;        // uint32, in StartSpan, UpdateAttributes, EndSpan and Event: attributes left out, to be added up
constexpr uint32_t kExtStatus = 1004;         // Status, in UpdateAttributes: the status before the end of the span
constexpr uint32_t kExtPartId = 1005;         // fixed64, in Event and UpdateAttributes: parts of one record have the same one
constexpr uint32_t kExtMoreParts = 1006;      // bool, in Event and UpdateAttributes: a further part follows
constexpr uint32_t kExtObservedTime = 1007;   // fixed64, in Event
constexpr uint32_t kExtSchemaUrl = 1008;      // string, in Resource and InstrumentationScope
constexpr uint32_t kExtDroppedEvents = 1009;  // uint32, in EndSpan
constexpr uint32_t kExtDroppedLinks = 1010;   // uint32, in EndSpan
constexpr uint32_t kExtIsLogRecord = 1011;    // bool, in Event: not an event of a span
constexpr uint32_t kExtCardinality = 1012;    // uint32, in MetricRef: attribute sets at most
constexpr uint32_t kExtPiece = 1013;          // bytes, in Event and UpdateAttributes: joined, they are fields of such a message
constexpr uint32_t kExtIsCut = 1014;          // bool, in Event: what stands here is whole in the pieces that follow; in EndSpan: the
                                              // status is, in those before

}  // namespace otlp_arrow::ring::field
