// What producers hand over: views of the caller's memory, which are copied into the file during the call.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace otlp_arrow::ring {

// As in OTLP.
enum class SpanKind : int32_t { kUnspecified = 0, kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };
enum class StatusCodeOfSpan : int32_t { kUnset = 0, kOk = 1, kError = 2 };
enum class Temporality : int32_t { kUnspecified = 0, kDelta = 1, kCumulative = 2 };

// The rings of a file: log records and events of spans, all else of spans, measurements.
enum class RingKind : uint8_t { kEvents, kSpans, kMeasurements };

// A reference is the offset of a dictionary entry in the file; 0 means empty or absent.
using Ref = int64_t;
using TraceId = std::span<const uint8_t, 16>;
using SpanId = std::span<const uint8_t, 8>;

struct Attribute;

// An attribute's value. Text must be UTF-8. Arrays and maps point to the caller's elements and nest at most
// kMaxValueDepth deep.
struct Value {
  enum class Type : uint8_t { kEmpty, kString, kBool, kInt, kDouble, kArray, kMap, kBytes, kRef };

  // Implicit, all of them: they stand in lists of attributes.
  constexpr Value() = default;
  constexpr Value(std::string_view view) : type(Type::kString), size(view.size()), text(view.data()) {}
  constexpr Value(const char* literal) : Value(std::string_view(literal)) {}
  Value(const std::string& string) : Value(std::string_view(string)) {}
  Value(std::string&&) = delete;  // gone before it is recorded
  constexpr Value(bool value) : type(Type::kBool), boolean(value) {}
  constexpr Value(int64_t value) : type(Type::kInt), integer(value) {}
  constexpr Value(int value) : Value(int64_t{value}) {}
  constexpr Value(double value) : type(Type::kDouble), number(value) {}
  constexpr Value(std::span<const Value> elements) : type(Type::kArray), size(elements.size()), array(elements.data()) {}
  static Value Map(std::span<const Attribute> entries);
  static constexpr Value Bytes(std::string_view bytes) {
    Value value(bytes);
    value.type = Type::kBytes;
    return value;
  }
  // A string that is in the dictionary.
  static constexpr Value Reference(Ref ref) {
    Value value(ref);
    value.type = Type::kRef;
    return value;
  }
  std::string_view bytes() const { return {text, size}; }

  Type type = Type::kEmpty;
  size_t size = 0;  // bytes or elements
  union {
    const char* text;
    bool boolean;
    int64_t integer = 0;
    double number;
    const Value* array;
    const Attribute* map;
  };
};
constexpr int kMaxValueDepth = 32;

struct Attribute {
  Ref key = 0;  // of InternString
  Value value;
};
using Attributes = std::span<const Attribute>;

inline Value Value::Map(std::span<const Attribute> entries) {
  Value value;
  value.type = Type::kMap;
  value.size = entries.size();
  value.map = entries.data();
  return value;
}

struct SpanContext {
  TraceId trace_id;
  SpanId span_id;
  uint32_t flags = 0;
};

struct SpanStart {
  Ref scope = 0;
  TraceId trace_id;
  SpanId span_id;
  const uint8_t* parent_span_id = nullptr;  // 8 bytes; null at a root
  uint32_t flags = 0;
  std::string_view name;
  SpanKind kind = SpanKind::kInternal;
  uint64_t start_time_unix_nano = 0;
  Attributes attributes = {};
  std::string_view trace_state = {};  // extension
  uint32_t dropped_attributes_count = 0;  // extension: left out by the caller already
};

// Which span: all that follows its start names it so.
struct SpanKey {
  Ref scope = 0;
  TraceId trace_id;
  SpanId span_id;
};

struct SpanStatus {
  StatusCodeOfSpan code = StatusCodeOfSpan::kUnset;
  std::string_view message = {};
};

// What the caller left out of a span (limits) beyond what its start told. Extension.
struct SpanDropped {
  uint32_t attributes = 0;
  uint32_t events = 0;
  uint32_t links = 0;
};

struct SpanLink {
  TraceId trace_id;
  SpanId span_id;
  std::string_view trace_state = {};
  Attributes attributes = {};
  uint32_t dropped_attributes_count = 0;
  uint32_t flags = 0;
};

struct Measurement {
  Ref metric = 0;
  Attributes attributes = {};
  uint64_t time_unix_nano = 0;
  std::variant<int64_t, double> value;
  const SpanContext* context = nullptr;
};

// A log record or, with an event name, the context of a span that is open, and neither severity nor body, an event of it.
struct Event {
  Ref scope = 0;
  uint64_t time_unix_nano = 0;
  uint64_t observed_time_unix_nano = 0;  // extension; 0: none
  int32_t severity_number = 0;           // as in OTLP
  std::string_view severity_text = {};
  Value body = {};
  Ref event_name = 0;
  const SpanContext* context = nullptr;
  Attributes attributes = {};
  uint32_t dropped_attributes_count = 0;  // extension: left out by the caller already
  bool is_log_record = false;             // extension: never an event of a span, whatever it looks like
};

struct ResourceDefinition {
  Attributes attributes = {};
  uint32_t dropped_attributes_count = 0;
  std::string_view schema_url = {};  // extension
};

struct ScopeDefinition {
  Ref resource = 0;
  std::string_view name;
  std::string_view version = {};
  Attributes attributes = {};
  uint32_t dropped_attributes_count = 0;
  std::string_view schema_url = {};  // extension
};

struct GaugeAggregation {};
struct SumAggregation {
  Temporality temporality = Temporality::kCumulative;
  bool is_monotonic = true;
};
struct HistogramAggregation {
  Temporality temporality = Temporality::kCumulative;
  std::span<const double> bucket_boundaries = {};
};
struct ExpHistogramAggregation {
  Temporality temporality = Temporality::kCumulative;
  int64_t max_buckets = 160;
  int64_t max_scale = 20;
};

struct MetricDefinition {
  Ref scope = 0;
  std::string_view name;
  std::string_view description = {};
  std::string_view unit = {};
  std::variant<GaugeAggregation, SumAggregation, HistogramAggregation, ExpHistogramAggregation> aggregation;
  uint32_t cardinality_limit = 0;  // extension: attribute sets, the overflow's one included; 0: as the collector is told
};

}  // namespace otlp_arrow::ring
