// Telemetry as plain data, for programs without an OpenTelemetry SDK: what OTLP 1.5 can say, field by field. A field with
// its default value is left out on the wire. Times are nanoseconds since 1970, 0: unknown.
// https://github.com/open-telemetry/opentelemetry-proto/tree/v1.5.0
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "otlp_arrow/export.h"
#include "otlp_arrow/status.h"

namespace otlp_arrow {

// --- values and attributes -------------------------------------------------------------------------------------------

class Value;
struct KeyValue;

struct Bytes {
  std::string data;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};
using Array = std::vector<Value>;
// In this order; a key may come more than once, and both are stored.
using Attributes = std::vector<KeyValue>;

// OTLP's AnyValue. Text is UTF-8: an item with other text in it is rejected. Arrays and maps may be nested
// kMaxValueNesting deep; what lies deeper is stored as the text "<nested too deep>".
class Value {
 public:
  using Variant = std::variant<std::monostate, bool, int64_t, double, std::string, Bytes, Array, Attributes>;

  Value();  // empty
  template <std::same_as<bool> T>
  Value(T value);  // NOLINT: these are implicit, so that {"key", 7} is an attribute
  // Integers above 2^63 - 1, which OTLP does not know, become decimal text.
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Value(T value);  // NOLINT
  template <std::floating_point T>
  Value(T value);                // NOLINT
  Value(std::string value);      // NOLINT
  Value(std::string_view text);  // NOLINT
  Value(const char* text);       // NOLINT: null is empty
  Value(Bytes value);            // NOLINT
  Value(Array value);            // NOLINT
  Value(Attributes value);       // NOLINT
  // Of anything that becomes a value: an array.
  template <class T>
    requires(!std::same_as<T, Value> && !std::same_as<T, KeyValue> && std::constructible_from<Value, const T&>)
  Value(const std::vector<T>& elements);  // NOLINT

  const Variant& variant() const { return variant_; }
  bool empty() const { return variant_.index() == 0; }
  // The value where it is of this type (bool, int64_t, double, std::string, Bytes, Array, Attributes), else null.
  template <class T>
  const T* As() const {
    return std::get_if<T>(&variant_);
  }

  friend bool operator==(const Value& a, const Value& b);

 private:
  Variant variant_;
};

inline constexpr int kMaxValueNesting = 30;

struct KeyValue {
  std::string key;
  Value value;
  friend bool operator==(const KeyValue& a, const KeyValue& b) { return a.key == b.key && a.value == b.value; }
};

// The value of the first attribute with this key, or null.
OTLP_ARROW_EXPORT const Value* FindAttribute(const Attributes& attributes, std::string_view key);

// --- ids -------------------------------------------------------------------------------------------------------------

template <size_t N>
struct OTLP_ARROW_EXPORT Id {
  std::array<uint8_t, N> bytes{};  // all zero: no id

  bool empty() const { return *this == Id(); }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), N}; }
  // Lower case, 2 * N digits.
  std::string ToHex() const;
  // Takes both cases. Errors: kExport where it is anything but 2 * N hexadecimal digits.
  static Result<Id> FromHex(std::string_view hex);

  friend auto operator<=>(const Id&, const Id&) = default;
};
using TraceId = Id<16>;
using SpanId = Id<8>;

// --- where telemetry comes from --------------------------------------------------------------------------------------

struct EntityRef {
  std::string schema_url{};
  std::string type{};
  std::vector<std::string> id_keys{}, description_keys{};  // keys of the resource's attributes
  friend bool operator==(const EntityRef&, const EntityRef&) = default;
};

struct Resource {
  Attributes attributes{};  // "service.name" becomes the column service_name
  uint32_t dropped_attributes_count = 0;
  std::string schema_url{};  // on the wire a field of ResourceSpans and its sisters
  std::vector<EntityRef> entity_refs{};
  friend bool operator==(const Resource&, const Resource&) = default;
};

struct InstrumentationScope {
  std::string name{};
  std::string version{};
  Attributes attributes{};
  uint32_t dropped_attributes_count = 0;
  std::string schema_url{};  // on the wire a field of ScopeSpans and its sisters
  friend bool operator==(const InstrumentationScope&, const InstrumentationScope&) = default;
};

// --- traces ----------------------------------------------------------------------------------------------------------

enum class SpanKind : int32_t { kUnspecified = 0, kInternal = 1, kServer = 2, kClient = 3, kProducer = 4, kConsumer = 5 };
enum class SpanStatusCode : int32_t { kUnset = 0, kOk = 1, kError = 2 };

struct Span {
  struct Event {
    uint64_t time_unix_nano = 0;
    std::string name{};
    Attributes attributes{};
    uint32_t dropped_attributes_count = 0;
    friend bool operator==(const Event&, const Event&) = default;
  };
  struct Link {
    TraceId trace_id{};
    SpanId span_id{};
    std::string trace_state{};
    Attributes attributes{};
    uint32_t dropped_attributes_count = 0;
    uint32_t flags = 0;
    friend bool operator==(const Link&, const Link&) = default;
  };

  TraceId trace_id{};
  SpanId span_id{};
  std::string trace_state{};
  SpanId parent_span_id{};  // empty at a root
  uint32_t flags = 0;       // the lowest 8 bits are W3C's trace flags
  std::string name{};
  SpanKind kind = SpanKind::kUnspecified;
  uint64_t start_time_unix_nano = 0;
  uint64_t end_time_unix_nano = 0;
  Attributes attributes{};
  uint32_t dropped_attributes_count = 0;
  std::vector<Event> events{};
  uint32_t dropped_events_count = 0;
  std::vector<Link> links{};
  uint32_t dropped_links_count = 0;
  SpanStatusCode status_code = SpanStatusCode::kUnset;
  std::string status_message{};
  friend bool operator==(const Span&, const Span&) = default;
};

struct ScopeSpans {
  InstrumentationScope scope{};
  std::vector<Span> spans{};
  friend bool operator==(const ScopeSpans&, const ScopeSpans&) = default;
};
struct ResourceSpans {
  Resource resource{};
  std::vector<ScopeSpans> scope_spans{};
  friend bool operator==(const ResourceSpans&, const ResourceSpans&) = default;
};

// --- metrics ---------------------------------------------------------------------------------------------------------

enum class AggregationTemporality : int32_t { kUnspecified = 0, kDelta = 1, kCumulative = 2 };

// Flag of data points: there is no recorded value.
inline constexpr uint32_t kNoRecordedValue = 1;

using Number = std::variant<std::monostate, int64_t, double>;

struct Exemplar {
  Attributes filtered_attributes{};
  uint64_t time_unix_nano = 0;
  Number value{};
  SpanId span_id{};
  TraceId trace_id{};
  friend bool operator==(const Exemplar&, const Exemplar&) = default;
};

struct NumberDataPoint {
  Attributes attributes{};
  uint64_t start_time_unix_nano = 0;
  uint64_t time_unix_nano = 0;
  Number value{};
  std::vector<Exemplar> exemplars{};
  uint32_t flags = 0;
  friend bool operator==(const NumberDataPoint&, const NumberDataPoint&) = default;
};

struct HistogramDataPoint {
  Attributes attributes{};
  uint64_t start_time_unix_nano = 0;
  uint64_t time_unix_nano = 0;
  uint64_t count = 0;
  std::optional<double> sum{};
  std::vector<uint64_t> bucket_counts{};  // one more than bounds, or empty
  std::vector<double> explicit_bounds{};
  std::vector<Exemplar> exemplars{};
  uint32_t flags = 0;
  std::optional<double> min{}, max{};
  friend bool operator==(const HistogramDataPoint&, const HistogramDataPoint&) = default;
};

struct ExponentialHistogramBuckets {
  int32_t offset = 0;
  std::vector<uint64_t> bucket_counts{};
  friend bool operator==(const ExponentialHistogramBuckets&, const ExponentialHistogramBuckets&) = default;
};

struct ExponentialHistogramDataPoint {
  using Buckets = ExponentialHistogramBuckets;

  Attributes attributes{};
  uint64_t start_time_unix_nano = 0;
  uint64_t time_unix_nano = 0;
  uint64_t count = 0;
  std::optional<double> sum{};
  int32_t scale = 0;
  uint64_t zero_count = 0;
  double zero_threshold = 0;
  std::optional<Buckets> positive{}, negative{};
  std::vector<Exemplar> exemplars{};
  uint32_t flags = 0;
  std::optional<double> min{}, max{};
  friend bool operator==(const ExponentialHistogramDataPoint&, const ExponentialHistogramDataPoint&) = default;
};

struct SummaryDataPoint {
  struct ValueAtQuantile {
    double quantile = 0;  // 0 to 1
    double value = 0;
    friend bool operator==(const ValueAtQuantile&, const ValueAtQuantile&) = default;
  };

  Attributes attributes{};
  uint64_t start_time_unix_nano = 0;
  uint64_t time_unix_nano = 0;
  uint64_t count = 0;
  double sum = 0;
  std::vector<ValueAtQuantile> quantile_values{};
  uint32_t flags = 0;
  friend bool operator==(const SummaryDataPoint&, const SummaryDataPoint&) = default;
};

struct Gauge {
  std::vector<NumberDataPoint> data_points{};
  friend bool operator==(const Gauge&, const Gauge&) = default;
};
struct Sum {
  std::vector<NumberDataPoint> data_points{};
  AggregationTemporality aggregation_temporality = AggregationTemporality::kUnspecified;
  bool is_monotonic = false;
  friend bool operator==(const Sum&, const Sum&) = default;
};
struct Histogram {
  std::vector<HistogramDataPoint> data_points{};
  AggregationTemporality aggregation_temporality = AggregationTemporality::kUnspecified;
  friend bool operator==(const Histogram&, const Histogram&) = default;
};
struct ExponentialHistogram {
  std::vector<ExponentialHistogramDataPoint> data_points{};
  AggregationTemporality aggregation_temporality = AggregationTemporality::kUnspecified;
  friend bool operator==(const ExponentialHistogram&, const ExponentialHistogram&) = default;
};
struct Summary {
  std::vector<SummaryDataPoint> data_points{};
  friend bool operator==(const Summary&, const Summary&) = default;
};

struct Metric {
  std::string name{};
  std::string description{};
  std::string unit{};  // UCUM: "ms", "By", "{request}"
  std::variant<std::monostate, Gauge, Sum, Histogram, ExponentialHistogram, Summary> data{};
  Attributes metadata{};
  friend bool operator==(const Metric&, const Metric&) = default;
};

struct ScopeMetrics {
  InstrumentationScope scope{};
  std::vector<Metric> metrics{};
  friend bool operator==(const ScopeMetrics&, const ScopeMetrics&) = default;
};
struct ResourceMetrics {
  Resource resource{};
  std::vector<ScopeMetrics> scope_metrics{};
  friend bool operator==(const ResourceMetrics&, const ResourceMetrics&) = default;
};

// --- logs ------------------------------------------------------------------------------------------------------------

// clang-format off
enum class SeverityNumber : int32_t {
  kUnspecified = 0,
  kTrace = 1, kTrace2, kTrace3, kTrace4,
  kDebug = 5, kDebug2, kDebug3, kDebug4,
  kInfo = 9, kInfo2, kInfo3, kInfo4,
  kWarn = 13, kWarn2, kWarn3, kWarn4,
  kError = 17, kError2, kError3, kError4,
  kFatal = 21, kFatal2, kFatal3, kFatal4,
};
// clang-format on

struct LogRecord {
  uint64_t time_unix_nano = 0;           // when it happened
  uint64_t observed_time_unix_nano = 0;  // when it was collected
  SeverityNumber severity_number = SeverityNumber::kUnspecified;
  std::string severity_text{};
  Value body{};
  Attributes attributes{};
  uint32_t dropped_attributes_count = 0;
  uint32_t flags = 0;  // the lowest 8 bits are W3C's trace flags
  TraceId trace_id{};
  SpanId span_id{};
  std::string event_name{};
  friend bool operator==(const LogRecord&, const LogRecord&) = default;
};

struct ScopeLogs {
  InstrumentationScope scope{};
  std::vector<LogRecord> log_records{};
  friend bool operator==(const ScopeLogs&, const ScopeLogs&) = default;
};
struct ResourceLogs {
  Resource resource{};
  std::vector<ScopeLogs> scope_logs{};
  friend bool operator==(const ResourceLogs&, const ResourceLogs&) = default;
};

// The system's clock.
inline uint64_t UnixNanoNow() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

// --- definitions -----------------------------------------------------------------------------------------------------

inline Value::Value() = default;
template <std::same_as<bool> T>
Value::Value(T value) : variant_(value) {}
template <std::integral T>
  requires(!std::same_as<T, bool>)
Value::Value(T value) {
  if (std::in_range<int64_t>(value)) {
    variant_ = static_cast<int64_t>(value);
  } else {
    variant_ = std::to_string(value);
  }
}
template <std::floating_point T>
Value::Value(T value) : variant_(static_cast<double>(value)) {}
inline Value::Value(std::string value) : variant_(std::move(value)) {}
inline Value::Value(std::string_view text) : variant_(std::string(text)) {}
inline Value::Value(const char* text) {
  if (text) variant_ = std::string(text);
}
inline Value::Value(Bytes value) : variant_(std::move(value)) {}
inline Value::Value(Array value) : variant_(std::move(value)) {}
inline Value::Value(Attributes value) : variant_(std::move(value)) {}
template <class T>
  requires(!std::same_as<T, Value> && !std::same_as<T, KeyValue> && std::constructible_from<Value, const T&>)
Value::Value(const std::vector<T>& elements) : variant_(Array(elements.begin(), elements.end())) {}
inline bool operator==(const Value& a, const Value& b) { return a.variant_ == b.variant_; }

extern template struct Id<16>;
extern template struct Id<8>;

}  // namespace otlp_arrow
