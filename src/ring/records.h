// Reading the messages of rings and dictionary: checked as a whole once, then looked at as views of their bytes, without
// allocations. Unknown fields are passed over; where a field of one value stands twice, the last one counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "ring/messages.h"
#include "otlp_arrow/ring/values.h"

namespace otlp_arrow::ring {

// The values of a repeated field, each as bytes, in their order:
//   for (std::string_view pair : start.attributes) { … ReadAttribute(pair) … }
class Repeated {
 public:
  class Iterator {
   public:
    Iterator(std::string_view rest, uint32_t field) : rest_(rest), field_(field) { ++*this; }
    std::string_view operator*() const { return value_; }
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return value_.data() != other.value_.data(); }
    static Iterator End() { return {}; }

   private:
    Iterator() = default;
    std::string_view rest_;
    std::string_view value_;  // no data: at the end
    uint32_t field_ = 0;
  };

  Repeated() = default;
  // `message` was checked, and `field` is length-delimited.
  Repeated(std::string_view message, uint32_t field) : message_(message), field_(field) {}
  Iterator begin() const { return {message_, field_}; }
  Iterator end() const { return Iterator::End(); }
  bool empty() const { return !(begin() != end()); }

 private:
  std::string_view message_;
  uint32_t field_ = 0;
};

struct AnyView {
  Value::Type type = Value::Type::kEmpty;
  bool boolean = false;
  int64_t integer = 0;        // kInt; kRef: the reference
  double number = 0;
  std::string_view bytes;     // kString (not checked to be UTF-8), kBytes
  Repeated elements;          // kArray: AnyValue messages; kMap: KeyValueRef messages
};
struct AttributeView {
  Ref key = 0;
  AnyView value;
};
// Of bytes that stand in a checked message.
AnyView ReadAny(std::string_view any_value);
AttributeView ReadAttribute(std::string_view key_value_ref);

struct ContextView {
  std::string_view trace_id;  // 16 bytes, or none
  std::string_view span_id;   // 8 bytes, or none
  uint32_t flags = 0;
};
struct StatusView {
  int32_t code = 0;
  std::string_view message;
};
struct LinkView {
  ContextView context;
  std::string_view trace_state;
  Repeated attributes;
  uint32_t dropped_attributes_count = 0;
};
LinkView ReadLink(std::string_view link);

struct StartSpanView {
  std::string_view parent_span_id;  // 8 bytes, or none
  uint32_t flags = 0;
  std::string_view name;
  int32_t kind = 0;
  uint64_t start_time_unix_nano = 0;
  Repeated attributes;
  uint32_t writer = 0;  // extensions from here on; 0: not one of ours
  std::string_view trace_state;
  uint32_t dropped_attributes_count = 0;
};
struct EndSpanView {
  uint64_t end_time_unix_nano = 0;
  std::optional<StatusView> status;
  uint32_t dropped_attributes_count = 0;  // extensions from here on
  uint32_t dropped_events_count = 0;
  uint32_t dropped_links_count = 0;
  bool is_cut = false;  // the status' message; it was told whole before
};
struct ChangeNameView {
  std::string_view name;
};
struct UpdateAttributesView {
  Repeated attributes;
  std::optional<StatusView> status;  // extensions from here on
  uint32_t dropped_attributes_count = 0;
  uint64_t part_id = 0;  // 0: a whole one; otherwise `piece` is one of several, more_parts says whether the last
  bool more_parts = false;
  std::string_view piece;
};
// Pieces of one part_id, joined.
std::optional<UpdateAttributesView> ReadUpdate(std::string_view update_attributes);
struct AddLinkView {
  Repeated links;  // ReadLink
};
struct SpanEventView {
  Ref scope = 0;
  std::string_view trace_id;  // 16 bytes
  std::string_view span_id;   // 8 bytes
  std::variant<std::monostate, StartSpanView, EndSpanView, ChangeNameView, UpdateAttributesView, AddLinkView> event;
};

struct MeasurementView {
  Ref metric = 0;
  Repeated attributes;
  uint64_t time_unix_nano = 0;
  std::variant<std::monostate, int64_t, double> value;
  std::optional<ContextView> context;
};

struct EventView {
  Ref scope = 0;
  uint64_t time_unix_nano = 0;
  int32_t severity_number = 0;
  std::string_view severity_text;
  std::optional<AnyView> body;
  Ref event_name = 0;
  std::optional<ContextView> context;
  Repeated attributes;
  uint64_t observed_time_unix_nano = 0;  // extensions from here on; 0: absent
  uint32_t dropped_attributes_count = 0;
  // Parts of a record that was larger than a slot: same part_id, in their order, others' records in between. Bodies
  // (strings) and attributes are joined. Foreign writers: 0.
  uint64_t part_id = 0;
  bool more_parts = false;
  // A part with a piece holds nothing else. Joined, pieces that follow each other are an Event with what is cut in the part
  // before them.
  std::string_view piece;
  bool is_cut = false;
  bool is_log_record = false;
};

struct ResourceView {
  Repeated attributes;
  uint32_t dropped_attributes_count = 0;
  std::string_view schema_url;
};
struct ScopeView {
  Ref name = 0;
  Ref version = 0;
  Repeated attributes;
  uint32_t dropped_attributes_count = 0;
  Ref resource = 0;
  std::string_view schema_url;
};
struct HistogramView {
  Temporality temporality = Temporality::kUnspecified;
  std::vector<double> bucket_boundaries;
};
struct MetricView {
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  Ref scope = 0;
  std::variant<std::monostate, GaugeAggregation, SumAggregation, HistogramView, ExpHistogramAggregation> aggregation;
  uint32_t cardinality_limit = 0;  // extension; 0: absent
};

// nullopt where the bytes are no such message: broken framing, wrong wire types or lengths of ids, more than
// kMaxValueDepth levels of values.
std::optional<SpanEventView> ReadSpanEvent(std::string_view bytes);
std::optional<MeasurementView> ReadMeasurement(std::string_view bytes);
std::optional<EventView> ReadEvent(std::string_view bytes);
std::optional<ResourceView> ReadResource(std::string_view bytes);
std::optional<ScopeView> ReadScope(std::string_view bytes);
std::optional<MetricView> ReadMetric(std::string_view bytes);

}  // namespace otlp_arrow::ring
