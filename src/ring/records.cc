#include "ring/messages.h"
#include "ring/records.h"

#include <bit>
#include <utility>

#include "ring/wire_fields.h"

namespace otlp_arrow::ring {
namespace {

using wire::WireType;

// One field after another of a message, with its wire type checked; Ok() says whether all were as they should be.
class Fields {
 public:
  explicit Fields(std::string_view message) : fields_(message) {}
  bool Next() { return ok_ && fields_.Next(&field_); }
  uint32_t number() const { return field_.number; }
  bool Ok() const { return ok_ && !fields_.broken(); }
  void Fail() { ok_ = false; }

  uint64_t Varint() { return Expect(wire::kVarint) ? field_.value : 0; }
  int64_t Int() { return static_cast<int64_t>(Varint()); }
  int32_t Enum() { return static_cast<int32_t>(Varint()); }
  uint64_t Fixed64() { return Expect(wire::kFixed64) ? field_.value : 0; }
  uint32_t Fixed32() { return Expect(wire::kFixed32) ? static_cast<uint32_t>(field_.value) : 0; }
  double Double() { return std::bit_cast<double>(Fixed64()); }
  std::string_view Bytes() { return Expect(wire::kLen) ? field_.bytes : std::string_view(); }
  // Of so many bytes, or empty.
  std::string_view Id(size_t size) {
    const std::string_view id = Bytes();
    if (!id.empty() && id.size() != size) Fail();
    return id;
  }
  bool IsLen() const { return field_.type == wire::kLen; }

 private:
  bool Expect(WireType type) {
    if (field_.type != type) Fail();
    return ok_;
  }

  WireFields fields_;
  WireField field_;
  bool ok_ = true;
};

constexpr size_t kTraceIdBytes = 16, kSpanIdBytes = 8;

bool IsPair(std::string_view message, int depth);

bool IsList(std::string_view message, bool of_pairs, int depth);

bool IsAny(std::string_view message, int depth) {
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kAnyString:
      case field::kAnyBytes: (void)f.Bytes(); break;
      case field::kAnyBool:
      case field::kAnyInt:
      case field::kAnyRef: (void)f.Varint(); break;
      case field::kAnyDouble: (void)f.Fixed64(); break;
      case field::kAnyArray:
      case field::kAnyKvlist:
        if (!IsList(f.Bytes(), f.number() == field::kAnyKvlist, depth)) f.Fail();
        break;
      default: break;
    }
  }
  return f.Ok();
}

bool IsList(std::string_view message, bool of_pairs, int depth) {
  if (depth > kMaxValueDepth) return false;
  Fields f(message);
  while (f.Next()) {
    if (f.number() != field::kListValues) continue;
    const std::string_view element = f.Bytes();
    if (!(of_pairs ? IsPair(element, depth + 1) : IsAny(element, depth + 1))) f.Fail();
  }
  return f.Ok();
}

bool IsPair(std::string_view message, int depth) {
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kPairKeyRef) (void)f.Varint();
    if (f.number() == field::kPairValue && !IsAny(f.Bytes(), depth)) f.Fail();
  }
  return f.Ok();
}

// A repeated KeyValueRef: checks this one of them, and notes where all of them are.
void TakePair(Fields* f, std::string_view message, Repeated* attributes) {
  if (!IsPair(f->Bytes(), 1)) f->Fail();
  *attributes = Repeated(message, f->number());
}

bool TakeStatus(Fields* f, std::optional<StatusView>* status) {
  StatusView read;
  Fields s(f->Bytes());
  while (s.Next()) {
    if (s.number() == field::kStatusMessage) read.message = s.Bytes();
    if (s.number() == field::kStatusCode) read.code = s.Enum();
  }
  *status = read;
  return s.Ok();
}

bool TakeContext(std::string_view message, std::optional<ContextView>* context) {
  ContextView read;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kContextSpanId: read.span_id = f.Id(kSpanIdBytes); break;
      case field::kContextTraceId: read.trace_id = f.Id(kTraceIdBytes); break;
      case field::kContextFlags: read.flags = f.Fixed32(); break;
      default: break;
    }
  }
  *context = read;
  return f.Ok();
}

bool TakeLink(std::string_view message, LinkView* link) {
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kLinkTraceId: link->context.trace_id = f.Id(kTraceIdBytes); break;
      case field::kLinkSpanId: link->context.span_id = f.Id(kSpanIdBytes); break;
      case field::kLinkTraceState: link->trace_state = f.Bytes(); break;
      case field::kLinkAttributes: TakePair(&f, message, &link->attributes); break;
      case field::kLinkDropped: link->dropped_attributes_count = static_cast<uint32_t>(f.Varint()); break;
      case field::kLinkFlags: link->context.flags = f.Fixed32(); break;
      default: break;
    }
  }
  return f.Ok();
}

bool TakeStart(std::string_view message, StartSpanView* start) {
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kStartParentSpanId: start->parent_span_id = f.Id(kSpanIdBytes); break;
      case field::kStartFlags: start->flags = f.Fixed32(); break;
      case field::kStartName: start->name = f.Bytes(); break;
      case field::kStartKind: start->kind = f.Enum(); break;
      case field::kStartTime: start->start_time_unix_nano = f.Fixed64(); break;
      case field::kStartAttributes: TakePair(&f, message, &start->attributes); break;
      case field::kExtWriter: start->writer = static_cast<uint32_t>(f.Varint()); break;
      case field::kExtTraceState: start->trace_state = f.Bytes(); break;
      case field::kExtDropped: start->dropped_attributes_count = static_cast<uint32_t>(f.Varint()); break;
      default: break;
    }
  }
  return f.Ok();
}

bool TakeEnd(std::string_view message, EndSpanView* end) {
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kEndTime) end->end_time_unix_nano = f.Fixed64();
    if (f.number() == field::kEndStatus && !TakeStatus(&f, &end->status)) f.Fail();
    if (f.number() == field::kExtDropped) end->dropped_attributes_count = static_cast<uint32_t>(f.Varint());
    if (f.number() == field::kExtDroppedEvents) end->dropped_events_count = static_cast<uint32_t>(f.Varint());
    if (f.number() == field::kExtDroppedLinks) end->dropped_links_count = static_cast<uint32_t>(f.Varint());
    if (f.number() == field::kExtIsCut) end->is_cut = f.Varint() != 0;
  }
  return f.Ok();
}

bool TakeName(std::string_view message, ChangeNameView* change) {
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kChangeName) change->name = f.Bytes();
  }
  return f.Ok();
}

bool TakeUpdate(std::string_view message, UpdateAttributesView* update) {
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kUpdateAttributes: TakePair(&f, message, &update->attributes); break;
      case field::kExtStatus:
        if (!TakeStatus(&f, &update->status)) f.Fail();
        break;
      case field::kExtDropped: update->dropped_attributes_count = static_cast<uint32_t>(f.Varint()); break;
      case field::kExtPartId: update->part_id = f.Fixed64(); break;
      case field::kExtMoreParts: update->more_parts = f.Varint() != 0; break;
      case field::kExtPiece: update->piece = f.Bytes(); break;
      default: break;
    }
  }
  return f.Ok();
}

bool TakeLinks(std::string_view message, AddLinkView* add) {
  Fields f(message);
  while (f.Next()) {
    if (f.number() != field::kAddLinks) continue;
    LinkView link;
    if (!TakeLink(f.Bytes(), &link)) f.Fail();
    add->links = Repeated(message, field::kAddLinks);
  }
  return f.Ok();
}

template <class Alternative, bool (*Take)(std::string_view, Alternative*), class Variant>
void TakeOneOf(Fields* f, Variant* variant) {
  Alternative read;
  if (!Take(f->Bytes(), &read)) f->Fail();
  *variant = std::move(read);
}

bool TakeHistogram(std::string_view message, HistogramView* histogram) {
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kHistogramTemporality) histogram->temporality = static_cast<Temporality>(f.Enum());
    if (f.number() != field::kHistogramBoundaries) continue;
    if (!f.IsLen()) {
      histogram->bucket_boundaries.push_back(f.Double());
      continue;
    }
    const std::string_view packed = f.Bytes();
    if (packed.size() % sizeof(double) != 0) f.Fail();
    for (size_t at = 0; at + sizeof(double) <= packed.size(); at += sizeof(double)) {
      std::memcpy(&histogram->bucket_boundaries.emplace_back(), packed.data() + at, sizeof(double));
    }
  }
  return f.Ok();
}

bool TakeSum(std::string_view message, SumAggregation* sum) {
  *sum = {Temporality::kUnspecified, false};
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kSumTemporality) sum->temporality = static_cast<Temporality>(f.Enum());
    if (f.number() == field::kSumMonotonic) sum->is_monotonic = f.Varint() != 0;
  }
  return f.Ok();
}

bool TakeExpHistogram(std::string_view message, ExpHistogramAggregation* histogram) {
  *histogram = {Temporality::kUnspecified, 0, 0};
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kExpHistogramTemporality) histogram->temporality = static_cast<Temporality>(f.Enum());
    if (f.number() == field::kExpHistogramMaxBuckets) histogram->max_buckets = f.Int();
    if (f.number() == field::kExpHistogramMaxScale) histogram->max_scale = f.Int();
  }
  return f.Ok();
}

}  // namespace

Repeated::Iterator& Repeated::Iterator::operator++() {
  WireFields fields(rest_);
  WireField found;
  while (fields.Next(&found)) {
    if (found.number != field_ || found.type != wire::kLen) continue;
    value_ = found.bytes;
    rest_ = fields.rest();
    return *this;
  }
  value_ = {};
  rest_ = {};
  return *this;
}

namespace {

AnyView Of(Value::Type type) {
  AnyView any;
  any.type = type;
  return any;
}

}  // namespace

AnyView ReadAny(std::string_view message) {
  AnyView any;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kAnyString: any = Of(Value::Type::kString), any.bytes = f.Bytes(); break;
      case field::kAnyBytes: any = Of(Value::Type::kBytes), any.bytes = f.Bytes(); break;
      case field::kAnyBool: any = Of(Value::Type::kBool), any.boolean = f.Varint() != 0; break;
      case field::kAnyInt: any = Of(Value::Type::kInt), any.integer = f.Int(); break;
      case field::kAnyRef: any = Of(Value::Type::kRef), any.integer = f.Int(); break;
      case field::kAnyDouble: any = Of(Value::Type::kDouble), any.number = f.Double(); break;
      case field::kAnyArray: any = Of(Value::Type::kArray), any.elements = Repeated(f.Bytes(), field::kListValues); break;
      case field::kAnyKvlist: any = Of(Value::Type::kMap), any.elements = Repeated(f.Bytes(), field::kListValues); break;
      default: break;
    }
  }
  return any;
}

AttributeView ReadAttribute(std::string_view message) {
  AttributeView attribute;
  Fields f(message);
  while (f.Next()) {
    if (f.number() == field::kPairKeyRef) attribute.key = f.Int();
    if (f.number() == field::kPairValue) attribute.value = ReadAny(f.Bytes());
  }
  return attribute;
}

LinkView ReadLink(std::string_view message) {
  LinkView link;
  (void)TakeLink(message, &link);
  return link;
}

std::optional<UpdateAttributesView> ReadUpdate(std::string_view message) {
  UpdateAttributesView update;
  if (!TakeUpdate(message, &update)) return std::nullopt;
  return update;
}

std::optional<SpanEventView> ReadSpanEvent(std::string_view message) {
  SpanEventView span;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kSpanScopeRef: span.scope = f.Int(); break;
      case field::kSpanTraceId: span.trace_id = f.Id(kTraceIdBytes); break;
      case field::kSpanId: span.span_id = f.Id(kSpanIdBytes); break;
      case field::kSpanStart: TakeOneOf<StartSpanView, TakeStart>(&f, &span.event); break;
      case field::kSpanEnd: TakeOneOf<EndSpanView, TakeEnd>(&f, &span.event); break;
      case field::kSpanName: TakeOneOf<ChangeNameView, TakeName>(&f, &span.event); break;
      case field::kSpanAttributes: TakeOneOf<UpdateAttributesView, TakeUpdate>(&f, &span.event); break;
      case field::kSpanLink: TakeOneOf<AddLinkView, TakeLinks>(&f, &span.event); break;
      default: break;
    }
  }
  if (!f.Ok() || span.trace_id.empty() || span.span_id.empty()) return std::nullopt;
  return span;
}

std::optional<MeasurementView> ReadMeasurement(std::string_view message) {
  MeasurementView measurement;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kMeasurementMetricRef: measurement.metric = f.Int(); break;
      case field::kMeasurementAttributes: TakePair(&f, message, &measurement.attributes); break;
      case field::kMeasurementTime: measurement.time_unix_nano = f.Fixed64(); break;
      case field::kMeasurementLong: measurement.value = f.Int(); break;
      case field::kMeasurementDouble: measurement.value = f.Double(); break;
      case field::kMeasurementContext:
        if (!TakeContext(f.Bytes(), &measurement.context)) f.Fail();
        break;
      default: break;
    }
  }
  if (!f.Ok()) return std::nullopt;
  return measurement;
}

std::optional<EventView> ReadEvent(std::string_view message) {
  EventView event;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kEventScopeRef: event.scope = f.Int(); break;
      case field::kEventTime: event.time_unix_nano = f.Fixed64(); break;
      case field::kEventSeverityNumber: event.severity_number = f.Enum(); break;
      case field::kEventSeverityText: event.severity_text = f.Bytes(); break;
      case field::kEventBody:
        if (!IsAny(f.Bytes(), 1)) f.Fail();
        event.body = ReadAny(f.Bytes());
        break;
      case field::kEventNameRef: event.event_name = f.Int(); break;
      case field::kEventContext:
        if (!TakeContext(f.Bytes(), &event.context)) f.Fail();
        break;
      case field::kEventAttributes: TakePair(&f, message, &event.attributes); break;
      case field::kExtDropped: event.dropped_attributes_count = static_cast<uint32_t>(f.Varint()); break;
      case field::kExtPartId: event.part_id = f.Fixed64(); break;
      case field::kExtMoreParts: event.more_parts = f.Varint() != 0; break;
      case field::kExtObservedTime: event.observed_time_unix_nano = f.Fixed64(); break;
      case field::kExtIsLogRecord: event.is_log_record = f.Varint() != 0; break;
      case field::kExtPiece: event.piece = f.Bytes(); break;
      case field::kExtIsCut: event.is_cut = f.Varint() != 0; break;
      default: break;
    }
  }
  if (!f.Ok()) return std::nullopt;
  return event;
}

std::optional<ResourceView> ReadResource(std::string_view message) {
  ResourceView resource;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kResourceAttributes: TakePair(&f, message, &resource.attributes); break;
      case field::kResourceDropped: resource.dropped_attributes_count = static_cast<uint32_t>(f.Varint()); break;
      case field::kExtSchemaUrl: resource.schema_url = f.Bytes(); break;
      default: break;
    }
  }
  if (!f.Ok()) return std::nullopt;
  return resource;
}

std::optional<ScopeView> ReadScope(std::string_view message) {
  ScopeView scope;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kScopeNameRef: scope.name = f.Int(); break;
      case field::kScopeVersionRef: scope.version = f.Int(); break;
      case field::kScopeAttributes: TakePair(&f, message, &scope.attributes); break;
      case field::kScopeDropped: scope.dropped_attributes_count = static_cast<uint32_t>(f.Varint()); break;
      case field::kScopeResourceRef: scope.resource = f.Int(); break;
      case field::kExtSchemaUrl: scope.schema_url = f.Bytes(); break;
      default: break;
    }
  }
  if (!f.Ok()) return std::nullopt;
  return scope;
}

std::optional<MetricView> ReadMetric(std::string_view message) {
  MetricView metric;
  Fields f(message);
  while (f.Next()) {
    switch (f.number()) {
      case field::kMetricName: metric.name = f.Bytes(); break;
      case field::kMetricDescription: metric.description = f.Bytes(); break;
      case field::kMetricUnit: metric.unit = f.Bytes(); break;
      case field::kMetricScopeRef: metric.scope = f.Int(); break;
      case field::kMetricGauge:
        (void)f.Bytes();
        metric.aggregation = GaugeAggregation{};
        break;
      case field::kMetricSum: TakeOneOf<SumAggregation, TakeSum>(&f, &metric.aggregation); break;
      case field::kMetricHistogram: TakeOneOf<HistogramView, TakeHistogram>(&f, &metric.aggregation); break;
      case field::kMetricExpHistogram: TakeOneOf<ExpHistogramAggregation, TakeExpHistogram>(&f, &metric.aggregation); break;
      case field::kExtCardinality: metric.cardinality_limit = static_cast<uint32_t>(f.Varint()); break;
      default: break;
    }
  }
  if (!f.Ok()) return std::nullopt;
  return metric;
}

}  // namespace otlp_arrow::ring
