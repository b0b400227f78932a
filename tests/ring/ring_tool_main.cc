// Writes and reads OTLP-MMAP files for test_ring_format.py, which has its own idea of the format.
//
//   ring_tool write PATH N     N records of each kind, whose values follow from their numbers
//   ring_tool long PATH        a span and a log record whose values are larger than slots
//   ring_tool dump PATH        what can be read, as one line of JSON a record; frees it
//   ring_tool corpus FOLDER    seeds of src/ring/ring_reader_fuzzer.cc
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ring/records.h"
#include "ring/ring_reader.h"
#include "otlp_arrow/ring/ring_writer.h"

namespace otlp_arrow::ring {
namespace {

template <class T>
T Must(Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  std::exit(1);
}

void Must(RecordResult result) {
  if (result == RecordResult::kRecorded) return;
  std::fprintf(stderr, "a record was not recorded: %d\n", static_cast<int>(result));
  std::exit(1);
}

// --- write ---------------------------------------------------------------------------------------

void WriteNumbered(RingWriter* writer, uint8_t n) {
  std::array<uint8_t, 16> trace;
  std::array<uint8_t, 8> span, parent;
  trace.fill(n + 1);
  span.fill(n + 2);
  parent.fill(n + 3);
  const std::string number = std::to_string(n);
  const std::string service = "service " + number, text = "value " + number, accented = "é" + number;
  const Attribute of_resource[] = {{Must(writer->InternString("service.name")), service}};
  const Ref resource = Must(writer->CreateResource({of_resource, 0, "https://schema/" + number}));
  const Ref scope = Must(writer->CreateScope({.resource = resource, .name = "scope " + number, .version = "1." + number}));

  const Value elements[] = {Value(int64_t{-n}), Value(accented), Value()};
  const Attribute entries[] = {{Must(writer->InternString("inner")), 0.25 * n}};
  const Attribute attributes[] = {{Must(writer->InternString("text")), text},
                                  {Must(writer->InternString("flag")), n % 2 == 1},
                                  {Must(writer->InternString("list")), std::span<const Value>(elements)},
                                  {Must(writer->InternString("map")), Value::Map(entries)},
                                  {Must(writer->InternString("raw")), Value::Bytes(std::string_view("\0\xff", 2))}};
  const std::string name = "span " + number;
  SpanStart start = {.scope = scope, .trace_id = trace, .span_id = span, .parent_span_id = parent.data(), .flags = n + 1u, .name = name};
  start.kind = static_cast<SpanKind>(n % 6);
  start.start_time_unix_nano = 1'000'000'000u + n;
  start.attributes = attributes;
  start.trace_state = "state=" + std::string(1, 'a');
  Must(writer->RecordSpanStart(start));
  const SpanKey key = {scope, trace, span};
  Must(writer->RecordSpanName(key, "renamed " + number));
  Must(writer->RecordSpanAttributes(key, std::span(attributes).first(1)));
  SpanLink link = {.trace_id = trace, .span_id = parent, .trace_state = "link=1", .attributes = std::span(attributes).first(1)};
  link.flags = 257;
  Must(writer->RecordSpanLink(key, link));
  Must(writer->RecordSpanEnd(key, 2'000'000'000u + n, {StatusCodeOfSpan::kError, "message " + number}));

  const SpanContext context = {trace, span, 1};
  const double boundaries[] = {0, 5, 10.5};
  const MetricDefinition metrics[] = {
      {scope, "gauge", "a gauge", "1", GaugeAggregation{}},
      {scope, "sum", "a sum", "By", SumAggregation{Temporality::kDelta, true}},
      {scope, "histogram", "", "s", HistogramAggregation{Temporality::kCumulative, boundaries}},
      {scope, "exponential", "", "", ExpHistogramAggregation{Temporality::kDelta, 160, 20}},
  };
  Measurement measurement = {Must(writer->CreateMetric(metrics[n % 4])), std::span(attributes).first(2), 3'000'000'000u + n, int64_t{-5} * n, &context};
  if (n % 2 == 1) measurement.value = 1.5 * n;
  Must(writer->RecordMeasurement(measurement));

  Event event;
  event.scope = scope;
  event.time_unix_nano = 4'000'000'000u + n;
  event.severity_number = n % 25;
  event.severity_text = "WARN";
  event.body = Value(std::span<const Value>(elements));
  event.event_name = Must(writer->InternString("event " + number));
  event.context = &context;
  event.attributes = std::span(attributes).first(1);
  Must(writer->RecordEvent(event));
}

// Three values of a span and its status, two of a log record and its body.
void WriteLong(RingWriter* writer) {
  const std::array<uint8_t, 16> trace{1};
  const std::array<uint8_t, 8> span{2};
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "é" + std::to_string(i);
  const std::vector<Value> numbers(500, Value(int64_t{7}));
  const Attribute entries[] = {{Must(writer->InternString("inner")), text}};
  const Attribute attributes[] = {{Must(writer->InternString("text")), text},
                                  {Must(writer->InternString("short")), 1},
                                  {Must(writer->InternString("numbers")), std::span<const Value>(numbers)},
                                  {Must(writer->InternString("map")), Value::Map(entries)}};
  SpanStart start = {.trace_id = trace, .span_id = span, .name = "long"};
  start.attributes = attributes;
  Must(writer->RecordSpanStart(start));
  Must(writer->RecordSpanEnd({0, trace, span}, 5, {StatusCodeOfSpan::kError, text}));
  Event event;
  event.time_unix_nano = 5;
  event.body = std::span<const Value>(numbers);
  event.attributes = std::span(attributes).first(2);
  event.is_log_record = true;
  Must(writer->RecordEvent(event));
}

// --- dump ----------------------------------------------------------------------------------------

std::string Hex(std::string_view bytes) {
  std::string text = "\"";
  for (const char c : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned char>(c));
    text += digits;
  }
  return text + '"';
}

std::string Quoted(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\u%04x", c);
      json += escaped;
    } else {
      json += c;
    }
  }
  return json + '"';
}

class Dumper {
 public:
  explicit Dumper(RingReader* reader) : reader_(reader) {}

  std::string Of(RingKind kind, std::string_view bytes) {
    switch (kind) {
      case RingKind::kSpans: return Span(ReadSpanEvent(bytes));
      case RingKind::kMeasurements: return Measured(ReadMeasurement(bytes));
      case RingKind::kEvents: return Evented(ReadEvent(bytes));
    }
    return {};
  }

 private:
  static constexpr const char* kBroken = "{\"broken\":true}";
  std::string Entry(Ref ref) const { return Quoted(Must(reader_->Entry(ref))); }
  std::string Any(const AnyView& any) const {
    switch (any.type) {
      case Value::Type::kEmpty: return "null";
      case Value::Type::kString: return Quoted(any.bytes);
      case Value::Type::kBool: return any.boolean ? "true" : "false";
      case Value::Type::kInt: return std::to_string(any.integer);
      case Value::Type::kDouble: return "{\"double\":" + std::to_string(any.number) + "}";
      case Value::Type::kBytes: return "{\"bytes\":" + Hex(any.bytes) + "}";
      case Value::Type::kRef: return "{\"interned\":" + Entry(any.integer) + "}";
      case Value::Type::kMap: return Pairs(any.elements);
      case Value::Type::kArray: break;
    }
    std::string json = "[";
    for (std::string_view element : any.elements) json += (json.size() > 1 ? "," : "") + Any(ReadAny(element));
    return json + "]";
  }
  std::string Pairs(const Repeated& attributes) const {
    std::string json = "{";
    for (std::string_view element : attributes) {
      const AttributeView attribute = ReadAttribute(element);
      json += (json.size() > 1 ? "," : "") + Entry(attribute.key) + ":" + Any(attribute.value);
    }
    return json + "}";
  }
  std::string Scope(Ref ref) const {
    if (ref == 0) return "null";
    const auto scope = ReadScope(Must(reader_->Entry(ref)));
    if (!scope) return kBroken;
    std::string resource = "null", schema = "\"\"";
    if (const auto read = scope->resource ? ReadResource(Must(reader_->Entry(scope->resource))) : std::nullopt) {
      resource = Pairs(read->attributes);
      schema = Quoted(read->schema_url);
    }
    return "{\"name\":" + Entry(scope->name) + ",\"version\":" + Entry(scope->version) + ",\"attributes\":" + Pairs(scope->attributes) +
           ",\"resource\":" + resource + ",\"schema_url\":" + schema + "}";
  }
  static std::string Context(const std::optional<ContextView>& context) {
    if (!context) return "null";
    return "{\"trace_id\":" + Hex(context->trace_id) + ",\"span_id\":" + Hex(context->span_id) + ",\"flags\":" + std::to_string(context->flags) + "}";
  }
  static std::string Status(const std::optional<StatusView>& status) {
    return status ? "[" + std::to_string(status->code) + "," + Quoted(status->message) + "]" : "null";
  }

  std::string Span(const std::optional<SpanEventView>& span) const {
    if (!span) return kBroken;
    std::string json = "{\"trace_id\":" + Hex(span->trace_id) + ",\"span_id\":" + Hex(span->span_id) + ",\"scope\":" + Scope(span->scope);
    if (const auto* start = std::get_if<StartSpanView>(&span->event)) {
      json += ",\"start\":{\"parent\":" + Hex(start->parent_span_id) + ",\"flags\":" + std::to_string(start->flags) + ",\"name\":" + Quoted(start->name) +
              ",\"kind\":" + std::to_string(start->kind) + ",\"time\":" + std::to_string(start->start_time_unix_nano) +
              ",\"attributes\":" + Pairs(start->attributes) + ",\"writer\":" + std::to_string(start->writer) + "}";
    } else if (const auto* end = std::get_if<EndSpanView>(&span->event)) {
      json += ",\"end\":{\"time\":" + std::to_string(end->end_time_unix_nano) + ",\"status\":" + Status(end->status) + "}";
    } else if (const auto* change = std::get_if<ChangeNameView>(&span->event)) {
      json += ",\"name\":" + Quoted(change->name);
    } else if (const auto* update = std::get_if<UpdateAttributesView>(&span->event)) {
      json += ",\"attributes\":" + Pairs(update->attributes);
    } else if (const auto* add = std::get_if<AddLinkView>(&span->event)) {
      json += ",\"links\":[";
      bool first = true;
      for (std::string_view element : add->links) {
        const LinkView link = ReadLink(element);
        json += (first ? "" : ",") + std::string("{\"context\":") + Context(link.context) + ",\"trace_state\":" + Quoted(link.trace_state) +
                ",\"attributes\":" + Pairs(link.attributes) + ",\"dropped\":" + std::to_string(link.dropped_attributes_count) + "}";
        first = false;
      }
      json += "]";
    }
    return json + "}";
  }

  std::string Measured(const std::optional<MeasurementView>& measured) const {
    if (!measured) return kBroken;
    const auto metric = ReadMetric(Must(reader_->Entry(measured->metric)));
    if (!metric) return kBroken;
    std::string json = "{\"metric\":[" + Quoted(metric->name) + "," + Quoted(metric->description) + "," + Quoted(metric->unit) + "," + Scope(metric->scope) +
                       "," + Aggregation(*metric) + "],\"attributes\":" + Pairs(measured->attributes) + ",\"time\":" + std::to_string(measured->time_unix_nano) +
                       ",\"context\":" + Context(measured->context);
    if (const auto* integer = std::get_if<int64_t>(&measured->value)) json += ",\"long\":" + std::to_string(*integer);
    if (const auto* number = std::get_if<double>(&measured->value)) json += ",\"double\":" + std::to_string(*number);
    return json + "}";
  }
  static std::string Aggregation(const MetricView& metric) {
    const auto temporality = [](Temporality t) { return std::to_string(static_cast<int>(t)); };
    if (const auto* sum = std::get_if<SumAggregation>(&metric.aggregation)) {
      return "[\"sum\"," + temporality(sum->temporality) + (sum->is_monotonic ? ",true]" : ",false]");
    }
    if (const auto* histogram = std::get_if<HistogramView>(&metric.aggregation)) {
      std::string json = "[\"histogram\"," + temporality(histogram->temporality);
      for (const double boundary : histogram->bucket_boundaries) json += "," + std::to_string(boundary);
      return json + "]";
    }
    if (const auto* histogram = std::get_if<ExpHistogramAggregation>(&metric.aggregation)) {
      return "[\"exp_hist\"," + temporality(histogram->temporality) + "," + std::to_string(histogram->max_buckets) + "," +
             std::to_string(histogram->max_scale) + "]";
    }
    return std::holds_alternative<GaugeAggregation>(metric.aggregation) ? "[\"gauge\"]" : "null";
  }

  std::string Evented(const std::optional<EventView>& event) const {
    if (!event) return kBroken;
    return "{\"scope\":" + Scope(event->scope) + ",\"time\":" + std::to_string(event->time_unix_nano) + ",\"severity\":[" +
           std::to_string(event->severity_number) + "," + Quoted(event->severity_text) + "],\"body\":" + (event->body ? Any(*event->body) : "null") +
           ",\"event_name\":" + Entry(event->event_name) + ",\"context\":" + Context(event->context) + ",\"attributes\":" + Pairs(event->attributes) + "}";
  }

  RingReader* reader_;
};

void Dump(const char* path) {
  const auto reader = Must(RingReader::Open(path));
  for (const RingKind kind : kAllRings) {
    for (const RecordView& record : Must(reader->Poll(kind, 1 << 20))) {
      std::printf("{\"ring\":\"%s\",\"sequence\":%lld,\"record\":%s}\n", std::string(RingName(kind)).c_str(), static_cast<long long>(record.sequence),
                  Dumper(reader.get()).Of(kind, record.bytes).c_str());
    }
    reader->Advance(kind, reader->last_read(kind));
  }
}

// --- corpus --------------------------------------------------------------------------------------

void WriteSeed(const std::string& folder, const std::string& name, char selector, std::string_view bytes) {
  std::ofstream(folder + "/" + name, std::ios::binary) << selector << bytes;
}

// One of each message, and a small file.
void WriteCorpus(const std::string& folder) {
  const std::string path = folder + "/file";
  WriterOptions options;
  options.events = options.spans = options.measurements = {8, 384};
  options.dictionary_max_bytes = 2048;
  {
    const auto writer = Must(RingWriter::Open(path, options));
    WriteNumbered(writer.get(), 2);
    const auto inspector = Must(RingInspector::Open(path));
    for (const RingKind kind : kAllRings) {
      const char selector = kind == RingKind::kSpans ? 6 : kind == RingKind::kMeasurements ? 1 : 2;
      for (const auto& slot : inspector->LastSlots(kind, 8)) {
        WriteSeed(folder, std::string(RingName(kind)) + std::to_string(slot.sequence), selector, slot.bytes);
      }
    }
    for (const auto& entry : Must(inspector->Entries())) {
      if (writer->IsKnown(entry.ref, EntryKind::kResource)) WriteSeed(folder, "resource", 3, entry.bytes);
      if (writer->IsKnown(entry.ref, EntryKind::kScope)) WriteSeed(folder, "scope", 4, entry.bytes);
      if (writer->IsKnown(entry.ref, EntryKind::kMetric)) WriteSeed(folder, "metric", 5, entry.bytes);
    }
  }
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  WriteSeed(folder, "file", 0, bytes);
}

}  // namespace
}  // namespace otlp_arrow::ring

int main(int argc, char** argv) {
  using namespace otlp_arrow::ring;  // NOLINT
  if (argc == 4 && std::strcmp(argv[1], "write") == 0) {
    WriterOptions options;
    options.events = options.spans = options.measurements = {64, 512};
    const auto writer = Must(RingWriter::Open(argv[2], options));
    for (int n = 0; n < std::atoi(argv[3]); ++n) WriteNumbered(writer.get(), static_cast<uint8_t>(n));
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "long") == 0) {
    WriterOptions options;
    options.events = options.spans = options.measurements = {512, 256};
    WriteLong(Must(RingWriter::Open(argv[2], options)).get());
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "dump") == 0) {
    Dump(argv[2]);
    return 0;
  }
  if (argc == 3 && std::strcmp(argv[1], "corpus") == 0) {
    WriteCorpus(argv[2]);
    return 0;
  }
  std::fprintf(stderr, "usage: %s write PATH N | long PATH | dump PATH | corpus FOLDER\n", argv[0]);
  return 2;
}
