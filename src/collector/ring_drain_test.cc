#include "collector/ring_drain.h"

#include <algorithm>
#include <array>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "manual_clock.h"
#include "otlp/scan.h"
#include "otlp_arrow/ring/ring_writer.h"
#include "temp_dir.h"

namespace otlp_arrow {
namespace {

using ring::Attribute;
using ring::RingWriter;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::TempDir;
namespace pb = opentelemetry::proto;

using TraceBytes = std::array<uint8_t, 16>;
using SpanBytes = std::array<uint8_t, 8>;

// Keeps what it is handed; refuses, or dies in the eyes of the drain, when it is told to.
class MemorySink final : public CollectorSink {
 public:
  Status Take(Signal signal, const SharedBytes& request) override {
    if (to_take_ > 0) {
      --to_take_;
    } else if (refusals_ > 0) {
      --refusals_;
      return Status::BufferFull("no room");
    }
    taken_[signal].emplace_back(request.data);
    return Status::Ok();
  }
  bool Holds(Signal signal, const SharedBytes& request) override {
    const auto& taken = taken_[signal];
    return std::find(taken.begin(), taken.end(), request.data) != taken.end();
  }
  // So many, after `first` that are taken.
  void RefuseNext(int count, int first = 0) {
    refusals_ = count;
    to_take_ = first;
  }

  const std::vector<std::string>& Bytes(Signal signal) { return taken_[signal]; }
  template <class Request>
  std::vector<Request> Requests(Signal signal) {
    std::vector<Request> requests;
    for (const std::string& bytes : taken_[signal]) EXPECT_TRUE(requests.emplace_back().ParseFromString(bytes));
    return requests;
  }
  // All spans that were handed on, in their order.
  std::vector<pb::trace::v1::Span> Spans() {
    std::vector<pb::trace::v1::Span> spans;
    for (const auto& request : Requests<pb::collector::trace::v1::ExportTraceServiceRequest>(Signal::kTraces)) {
      for (const auto& resource : request.resource_spans()) {
        for (const auto& scope : resource.scope_spans()) spans.insert(spans.end(), scope.spans().begin(), scope.spans().end());
      }
    }
    return spans;
  }
  std::vector<pb::logs::v1::LogRecord> Logs() {
    std::vector<pb::logs::v1::LogRecord> logs;
    for (const auto& request : Requests<pb::collector::logs::v1::ExportLogsServiceRequest>(Signal::kLogs)) {
      for (const auto& resource : request.resource_logs()) {
        for (const auto& scope : resource.scope_logs()) logs.insert(logs.end(), scope.log_records().begin(), scope.log_records().end());
      }
    }
    return logs;
  }
  // Each metric that was collected, in its order, of all collections.
  std::vector<pb::metrics::v1::Metric> Metrics(const std::string& name) {
    std::vector<pb::metrics::v1::Metric> metrics;
    for (const auto& request : Requests<pb::collector::metrics::v1::ExportMetricsServiceRequest>(Signal::kMetrics)) {
      for (const auto& resource : request.resource_metrics()) {
        for (const auto& scope : resource.scope_metrics()) {
          for (const auto& metric : scope.metrics()) {
            if (metric.name() == name) metrics.push_back(metric);
          }
        }
      }
    }
    return metrics;
  }
  void Clear() { taken_.clear(); }

 private:
  std::map<Signal, std::vector<std::string>> taken_;
  int refusals_ = 0, to_take_ = 0;
};

std::map<std::string, std::string> Texts(const google::protobuf::RepeatedPtrField<pb::common::v1::KeyValue>& attributes) {
  std::map<std::string, std::string> texts;
  for (const auto& attribute : attributes) {
    EXPECT_TRUE(texts.emplace(attribute.key(), attribute.value().string_value()).second) << attribute.key() << " is there twice";
  }
  return texts;
}

class RingDrainTest : public ::testing::Test {
 protected:
  RingDrainTest() : path_(dir_ / "telemetry.mmap") {
    options_.clock = clock_;
    options_.metric_interval = seconds(10);
    writer_options_.time_unix_nano = 1'000'000'000;
    writer_options_.spans = {64, 512};
    writer_options_.events = {64, 512};
    writer_options_.measurements = {64, 256};
    OpenWriter();
  }

  void OpenWriter() {
    auto writer = RingWriter::Open(path_, writer_options_);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    writer_ = *std::move(writer);
    const Attribute service[] = {{Intern("service.name"), "shop"}};
    resource_ = *writer_->CreateResource({.attributes = service, .schema_url = "https://example.com/resource"});
    const Attribute library[] = {{Intern("library.kind"), "test"}};
    scope_ = *writer_->CreateScope({.resource = resource_, .name = "tests", .version = "1.2", .attributes = library, .schema_url = "https://example.com/scope"});
  }
  void OpenDrain() {
    drain_.reset();
    auto drain = RingDrain::Open(path_, options_, &sink_);
    ASSERT_TRUE(drain.ok()) << drain.status().ToString();
    drain_ = *std::move(drain);
  }
  // What is there is due after a while.
  void Step() {
    ASSERT_TRUE(drain_->Step().ok());
    clock_->Advance(milliseconds(300));
    const auto step = drain_->Step();
    ASSERT_TRUE(step.ok()) << step.status().ToString();
  }
  ring::Ref Intern(std::string_view text) { return *writer_->InternString(text); }

  static TraceBytes TraceId(uint8_t n) { return {n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
  static SpanBytes SpanId(uint8_t n) { return {n, 1, 1, 1, 1, 1, 1, 1}; }
  ring::SpanKey Key(uint8_t n) {
    trace_ids_[n] = TraceId(n);
    span_ids_[n] = SpanId(n);
    return {scope_, trace_ids_[n], span_ids_[n]};
  }
  void Start(uint8_t n, std::string_view name = "operation", ring::Attributes attributes = {}) {
    const auto key = Key(n);
    ASSERT_EQ(writer_->RecordSpanStart({.scope = scope_, .trace_id = key.trace_id, .span_id = key.span_id, .flags = 1, .name = name,
                                        .kind = ring::SpanKind::kServer, .start_time_unix_nano = 100u + n, .attributes = attributes}),
              ring::RecordResult::kRecorded);
  }
  void End(uint8_t n, const ring::SpanStatus& status = {}) {
    ASSERT_EQ(writer_->RecordSpanEnd(Key(n), 200u + n, status), ring::RecordResult::kRecorded);
  }
  void Count(ring::Ref metric, std::variant<int64_t, double> value, std::string_view route, uint64_t time = 2'000'000'000) {
    const Attribute attributes[] = {{Intern("route"), route}};
    ASSERT_EQ(writer_->RecordMeasurement({.metric = metric, .attributes = attributes, .time_unix_nano = time, .value = value}),
              ring::RecordResult::kRecorded);
  }
  void Collect() {
    Step();
    clock_->Advance(seconds(10));
    ASSERT_TRUE(drain_->Step().ok());
  }

  TempDir dir_;
  std::string path_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>();
  DrainOptions options_;
  ring::WriterOptions writer_options_;
  std::unique_ptr<RingWriter> writer_;
  ring::Ref resource_ = 0, scope_ = 0;
  std::array<TraceBytes, 256> trace_ids_;
  std::array<SpanBytes, 256> span_ids_;
  MemorySink sink_;
  std::unique_ptr<RingDrain> drain_;
};

// --- spans ---

TEST_F(RingDrainTest, ASpanFromItsRecords) {
  OpenDrain();
  const SpanBytes parent = SpanId(9);
  const auto key = Key(1);
  const Attribute first[] = {{Intern("http.route"), "/cart"}, {Intern("user"), "anna"}};
  ASSERT_EQ(writer_->RecordSpanStart({.scope = scope_, .trace_id = key.trace_id, .span_id = key.span_id, .parent_span_id = parent.data(),
                                      .flags = 0x101, .name = "GET", .kind = ring::SpanKind::kServer, .start_time_unix_nano = 100,
                                      .attributes = first, .trace_state = "a=b", .dropped_attributes_count = 2}),
            ring::RecordResult::kRecorded);
  const Attribute second[] = {{Intern("user"), "berta"}, {Intern("late"), "yes"}};
  ASSERT_EQ(writer_->RecordSpanAttributes(key, second), ring::RecordResult::kRecorded);
  ASSERT_EQ(writer_->RecordSpanName(key, "GET /cart"), ring::RecordResult::kRecorded);
  const auto linked = Key(7);
  const Attribute why[] = {{Intern("why"), "retry"}};
  ASSERT_EQ(writer_->RecordSpanLink(key, {.trace_id = linked.trace_id, .span_id = linked.span_id, .trace_state = "c=d", .attributes = why, .flags = 1}),
            ring::RecordResult::kRecorded);
  const ring::SpanContext context{key.trace_id, key.span_id, 1};
  const Attribute detail[] = {{Intern("exception.type"), "Overflow"}};
  ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 150, .event_name = Intern("exception"), .context = &context, .attributes = detail}),
            ring::RecordResult::kRecorded);
  ASSERT_EQ(writer_->RecordSpanEnd(key, 200, {ring::StatusCodeOfSpan::kError, "broken"}), ring::RecordResult::kRecorded);
  Step();

  const auto requests = sink_.Requests<pb::collector::trace::v1::ExportTraceServiceRequest>(Signal::kTraces);
  ASSERT_EQ(requests.size(), 1u);
  ASSERT_EQ(requests[0].resource_spans_size(), 1);
  const auto& resource_spans = requests[0].resource_spans(0);
  EXPECT_EQ(Texts(resource_spans.resource().attributes()), (std::map<std::string, std::string>{{"service.name", "shop"}}));
  EXPECT_EQ(resource_spans.schema_url(), "https://example.com/resource");
  const auto& scope_spans = resource_spans.scope_spans(0);
  EXPECT_EQ(scope_spans.scope().name(), "tests");
  EXPECT_EQ(scope_spans.scope().version(), "1.2");
  EXPECT_EQ(Texts(scope_spans.scope().attributes()), (std::map<std::string, std::string>{{"library.kind", "test"}}));
  EXPECT_EQ(scope_spans.schema_url(), "https://example.com/scope");
  ASSERT_EQ(scope_spans.spans_size(), 1);
  const auto& span = scope_spans.spans(0);
  EXPECT_EQ(span.trace_id(), std::string(reinterpret_cast<const char*>(key.trace_id.data()), 16));
  EXPECT_EQ(span.span_id(), std::string(reinterpret_cast<const char*>(key.span_id.data()), 8));
  EXPECT_EQ(span.parent_span_id(), std::string(reinterpret_cast<const char*>(parent.data()), 8));
  EXPECT_EQ(span.trace_state(), "a=b");
  EXPECT_EQ(span.flags(), 0x101u);
  EXPECT_EQ(span.name(), "GET /cart");
  EXPECT_EQ(span.kind(), pb::trace::v1::Span::SPAN_KIND_SERVER);
  EXPECT_EQ(span.start_time_unix_nano(), 100u);
  EXPECT_EQ(span.end_time_unix_nano(), 200u);
  EXPECT_EQ(Texts(span.attributes()), (std::map<std::string, std::string>{{"http.route", "/cart"}, {"user", "berta"}, {"late", "yes"}}));
  EXPECT_EQ(span.dropped_attributes_count(), 2u);
  EXPECT_EQ(span.status().code(), pb::trace::v1::Status::STATUS_CODE_ERROR);
  EXPECT_EQ(span.status().message(), "broken");
  ASSERT_EQ(span.links_size(), 1);
  EXPECT_EQ(span.links(0).span_id(), std::string(reinterpret_cast<const char*>(linked.span_id.data()), 8));
  EXPECT_EQ(span.links(0).trace_state(), "c=d");
  EXPECT_EQ(span.links(0).flags(), 1u);
  EXPECT_EQ(Texts(span.links(0).attributes()), (std::map<std::string, std::string>{{"why", "retry"}}));
  ASSERT_EQ(span.events_size(), 1);
  EXPECT_EQ(span.events(0).name(), "exception");
  EXPECT_EQ(span.events(0).time_unix_nano(), 150u);
  EXPECT_EQ(Texts(span.events(0).attributes()), (std::map<std::string, std::string>{{"exception.type", "Overflow"}}));
  EXPECT_EQ(drain_->counters().spans, 1u);
  EXPECT_EQ(drain_->counters().broken, 0u);
}

// Random values as producers give them and as OTLP has them.
class ValueMaker {
 public:
  ValueMaker(RingWriter* writer, uint32_t seed) : writer_(writer), random_(seed) {}

  ring::Value Make(pb::common::v1::AnyValue* wanted, int depth = 0) {
    switch (random_() % (depth < 3 ? 7 : 5)) {
      case 0: wanted->set_bool_value(true); return true;
      case 1: wanted->set_int_value(-5); return -5;
      case 2: wanted->set_double_value(0.5); return 0.5;
      case 3: wanted->set_bytes_value(Text(depth)); return ring::Value::Bytes(texts_.back());
      case 4: wanted->set_string_value(Text(depth)); return texts_.back();
      case 5: {
        auto& elements = arrays_.emplace_back();
        for (size_t n = random_() % 12; n > 0; --n) elements.push_back(Make(wanted->mutable_array_value()->add_values(), depth + 1));
        wanted->mutable_array_value();
        return std::span<const ring::Value>(elements);
      }
      default: {
        auto& entries = maps_.emplace_back();
        wanted->mutable_kvlist_value();
        for (size_t n = random_() % 12; n > 0; --n) {
          auto* pair = wanted->mutable_kvlist_value()->add_values();
          pair->set_key("entry." + std::to_string(n));
          entries.push_back({*writer_->InternString(pair->key()), Make(pair->mutable_value(), depth + 1)});
        }
        return ring::Value::Map(entries);
      }
    }
  }
  std::vector<Attribute> Some(google::protobuf::RepeatedPtrField<pb::common::v1::KeyValue>* wanted, const std::string& prefix) {
    std::vector<Attribute> attributes;
    for (size_t n = random_() % 8; n > 0; --n) {
      auto* pair = wanted->Add();
      pair->set_key(prefix + std::to_string(n));
      attributes.push_back({*writer_->InternString(pair->key()), Make(pair->mutable_value())});
    }
    return attributes;
  }
  const std::string& Text(int depth) {
    const size_t most[] = {20'000, 300, 60, 20};
    std::string& text = texts_.emplace_back();
    for (size_t size = random_() % 3 == 0 ? random_() % most[depth] : random_() % 30; text.size() < size;) text += random_() % 9 ? "x" : "\xc3\xbc";
    return text;
  }

 private:
  RingWriter* writer_;
  std::mt19937 random_;
  std::deque<std::string> texts_;
  std::deque<std::vector<ring::Value>> arrays_;
  std::deque<std::vector<Attribute>> maps_;
};

std::map<std::string, std::string> Spelled(const google::protobuf::RepeatedPtrField<pb::common::v1::KeyValue>& attributes) {
  std::map<std::string, std::string> spelled;
  for (const auto& attribute : attributes) EXPECT_TRUE(spelled.emplace(attribute.key(), attribute.value().SerializeAsString()).second);
  return spelled;
}

// Whatever the size of the values, and whenever the collector dies.
TEST_F(RingDrainTest, ValuesOfAnyLengthArriveWhole) {
  writer_.reset();
  std::filesystem::remove(path_);
  writer_options_.spans = writer_options_.events = {16384, 256};
  OpenWriter();
  for (uint32_t round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    sink_.Clear();
    if (round % 3 == 0) OpenDrain();
    ValueMaker make(writer_.get(), round);
    pb::trace::v1::Span span;
    pb::logs::v1::LogRecord log;
    const auto key = Key(static_cast<uint8_t>(round));
    const auto first = make.Some(span.mutable_attributes(), "first."), later = make.Some(span.mutable_attributes(), "later.");
    const auto of_event = make.Some(span.add_events()->mutable_attributes(), "event."), of_log = make.Some(log.mutable_attributes(), "log.");
    ring::Event event = {.scope = scope_, .time_unix_nano = 150, .severity_number = 9};
    event.body = make.Make(log.mutable_body());
    const std::string& message = make.Text(0);
    Start(static_cast<uint8_t>(round), "operation", first);
    event.attributes = of_log;
    ASSERT_EQ(writer_->RecordEvent(event), ring::RecordResult::kRecorded);
    if (round % 4 == 1) {
      Step();
      OpenDrain();
    }
    ASSERT_EQ(writer_->RecordSpanAttributes(key, later), ring::RecordResult::kRecorded);
    const ring::SpanContext context{key.trace_id, key.span_id, 1};
    event = {.scope = scope_, .time_unix_nano = 150, .event_name = Intern("happened"), .context = &context, .attributes = of_event};
    ASSERT_EQ(writer_->RecordEvent(event), ring::RecordResult::kRecorded);
    End(static_cast<uint8_t>(round), {ring::StatusCodeOfSpan::kError, message});
    for (int i = 0; i < 4; ++i) Step();
    const auto spans = sink_.Spans();
    const auto logs = sink_.Logs();
    ASSERT_EQ(spans.size(), 1u);
    ASSERT_EQ(logs.size(), 1u);
    EXPECT_EQ(Spelled(spans[0].attributes()), Spelled(span.attributes()));
    ASSERT_EQ(spans[0].events_size(), 1);
    EXPECT_EQ(Spelled(spans[0].events(0).attributes()), Spelled(span.events(0).attributes()));
    EXPECT_EQ(spans[0].status().message(), message);
    EXPECT_EQ(Spelled(logs[0].attributes()), Spelled(log.attributes()));
    EXPECT_EQ(logs[0].body().SerializeAsString(), log.body().SerializeAsString());
  }
  EXPECT_EQ(drain_->counters().broken, 0u);
  EXPECT_EQ(drain_->reader()->stats().truncated, 0u);
}

// As where a writer died over it, or the ring was full.
TEST_F(RingDrainTest, AValueWithoutAllItsPiecesStaysCut) {
  OpenDrain();
  const std::string large(5000, 'x');
  const Attribute attributes[] = {{Intern("large"), large}, {Intern("other"), "whole"}};
  Start(1);
  Start(2);
  while (drain_->reader()->stats().rings[1].filled() < 58) Start(3);
  ASSERT_EQ(writer_->RecordSpanAttributes(Key(1), attributes), ring::RecordResult::kTruncated);
  const ring::SpanContext context{Key(2).trace_id, Key(2).span_id, 1};
  const ring::Event event = {.scope = scope_, .event_name = Intern("happened"), .context = &context, .attributes = attributes};
  for (int i = 0; i < 4; ++i) ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .body = "takes room"}), ring::RecordResult::kRecorded);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(writer_->RecordEvent(event), ring::RecordResult::kRecorded);
  ASSERT_EQ(writer_->RecordEvent(event), ring::RecordResult::kTruncated);
  Step();
  clock_->Advance(seconds(3));  // nobody waits for the parts of the last event any more
  Step();
  End(1);
  End(2);
  Step();
  const auto spans = sink_.Spans();
  ASSERT_EQ(spans.size(), 2u);
  const std::string cut = Texts(spans[0].attributes())["large"];
  EXPECT_GT(cut.size(), 300u);
  EXPECT_LT(cut.size(), 512u);
  ASSERT_EQ(spans[1].events_size(), 5);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(Texts(spans[1].events(i).attributes()), (std::map<std::string, std::string>{{"large", large}, {"other", "whole"}}));
  }
  EXPECT_LT(Texts(spans[1].events(4).attributes())["large"].size(), 512u);
  EXPECT_GT(drain_->counters().broken, 0u);
}

TEST_F(RingDrainTest, ALogRecordWithTheShapeOfASpansEventIsOne) {
  OpenDrain();
  Start(1);
  const auto key = Key(1);
  const ring::SpanContext context{key.trace_id, key.span_id, 1};
  ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 150, .event_name = Intern("named"), .context = &context, .is_log_record = true}),
            ring::RecordResult::kRecorded);
  ASSERT_EQ(writer_->RecordSpanEnd(key, 200, {}, {.attributes = 1, .events = 2, .links = 3}), ring::RecordResult::kRecorded);
  Step();
  ASSERT_EQ(sink_.Logs().size(), 1u);
  EXPECT_EQ(sink_.Logs()[0].event_name(), "named");
  const auto spans = sink_.Spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].events_size(), 0);
  EXPECT_EQ(spans[0].dropped_attributes_count(), 1u);
  EXPECT_EQ(spans[0].dropped_events_count(), 2u);
  EXPECT_EQ(spans[0].dropped_links_count(), 3u);
}

TEST_F(RingDrainTest, AMetricsOwnLimitStandsAboveTheCollectors) {
  OpenDrain();
  const ring::Ref metric = *writer_->CreateMetric({.scope = scope_, .name = "few", .aggregation = ring::SumAggregation{}, .cardinality_limit = 3});
  for (int i = 0; i < 10; ++i) Count(metric, int64_t{1}, std::to_string(i));
  Collect();
  const auto metrics = sink_.Metrics("few");
  ASSERT_EQ(metrics.size(), 1u);
  EXPECT_EQ(metrics[0].sum().data_points_size(), 3);  // the overflow's one included
  EXPECT_EQ(drain_->counters().overflowed, 8u);
}

TEST_F(RingDrainTest, AttributesLargerThanASlotArriveWhole) {
  OpenDrain();
  std::vector<std::string> keys;
  for (int i = 0; i < 40; ++i) keys.push_back("key." + std::to_string(i));
  std::vector<Attribute> attributes;
  for (const auto& key : keys) attributes.push_back({Intern(key), std::string_view("a value of some forty bytes, for the space")});
  Start(1, "large", attributes);
  End(1);
  Step();
  const auto spans = sink_.Spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].attributes_size(), 40);
}

TEST_F(RingDrainTest, SpansOfManyBatchesKeepTheirParts) {
  OpenDrain();
  for (int round = 0; round < 10; ++round) {
    for (uint8_t n = 0; n < 20; ++n) Start(n, "round " + std::to_string(round));
    Step();
    EXPECT_EQ(drain_->counters().open_spans, 20u);
    for (uint8_t n = 0; n < 20; ++n) End(n);
    Step();
  }
  EXPECT_EQ(sink_.Spans().size(), 200u);
  EXPECT_EQ(drain_->counters().open_spans, 0u);
}

// --- events ---

TEST_F(RingDrainTest, EventsOutsideOfOpenSpansAreLogRecords) {
  OpenDrain();
  Start(1);
  End(1);
  Step();
  const auto key = Key(1);
  const ring::SpanContext context{key.trace_id, key.span_id, 1};
  ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 500, .event_name = Intern("late"), .context = &context}), ring::RecordResult::kRecorded);
  const Attribute attributes[] = {{Intern("thread"), int64_t{7}}};
  ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 501, .observed_time_unix_nano = 502, .severity_number = 9, .severity_text = "INFO",
                                  .body = "hello", .attributes = attributes}),
            ring::RecordResult::kRecorded);
  Step();
  const auto logs = sink_.Logs();
  ASSERT_EQ(logs.size(), 2u);
  EXPECT_EQ(logs[0].event_name(), "late");
  EXPECT_EQ(logs[0].trace_id().size(), 16u);
  EXPECT_EQ(logs[0].flags(), 1u);
  EXPECT_EQ(logs[1].body().string_value(), "hello");
  EXPECT_EQ(logs[1].severity_number(), 9);
  EXPECT_EQ(logs[1].severity_text(), "INFO");
  EXPECT_EQ(logs[1].time_unix_nano(), 501u);
  EXPECT_EQ(logs[1].observed_time_unix_nano(), 502u);
  EXPECT_EQ(logs[1].attributes(0).value().int_value(), 7);
}

TEST_F(RingDrainTest, ALogRecordWithinASpanStaysALogRecord) {
  OpenDrain();
  Start(1);
  const auto key = Key(1);
  const ring::SpanContext context{key.trace_id, key.span_id, 1};
  ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 150, .severity_number = 17, .body = "oops", .event_name = Intern("named"), .context = &context}),
            ring::RecordResult::kRecorded);
  End(1);
  Step();
  ASSERT_EQ(sink_.Logs().size(), 1u);
  EXPECT_EQ(sink_.Logs()[0].span_id().size(), 8u);
  EXPECT_EQ(sink_.Spans()[0].events_size(), 0);
}

TEST_F(RingDrainTest, ALogRecordLargerThanASlotArrivesWhole) {
  OpenDrain();
  const std::string body(5000, 'b');
  ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 1, .severity_number = 9, .body = std::string_view(body)}), ring::RecordResult::kRecorded);
  Step();
  const auto logs = sink_.Logs();
  ASSERT_EQ(logs.size(), 1u);
  EXPECT_EQ(logs[0].body().string_value(), body);
}

// --- metrics ---

TEST_F(RingDrainTest, SumsByAttributesAndTemporality) {
  OpenDrain();
  const auto cumulative = *writer_->CreateMetric({.scope = scope_, .name = "requests", .description = "all", .unit = "{request}",
                                                  .aggregation = ring::SumAggregation{ring::Temporality::kCumulative, true}});
  const auto delta = *writer_->CreateMetric({.scope = scope_, .name = "changes", .aggregation = ring::SumAggregation{ring::Temporality::kDelta, false}});
  for (int i = 0; i < 3; ++i) {
    Count(cumulative, int64_t{2}, "/a");
    Count(delta, 0.5, "/a");
  }
  Count(cumulative, int64_t{5}, "/b");
  Collect();
  Count(cumulative, int64_t{1}, "/a");
  Collect();
  auto requests = sink_.Metrics("requests");
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].description(), "all");
  EXPECT_EQ(requests[0].unit(), "{request}");
  EXPECT_TRUE(requests[0].sum().is_monotonic());
  EXPECT_EQ(requests[0].sum().aggregation_temporality(), pb::metrics::v1::AGGREGATION_TEMPORALITY_CUMULATIVE);
  ASSERT_EQ(requests[0].sum().data_points_size(), 2);
  EXPECT_EQ(requests[0].sum().data_points(0).as_int(), 6);
  EXPECT_EQ(requests[0].sum().data_points(1).as_int(), 5);
  EXPECT_EQ(requests[1].sum().data_points(0).as_int(), 7);
  EXPECT_EQ(requests[1].sum().data_points(1).as_int(), 5) << "cumulative streams go on";
  for (const auto& metric : requests) EXPECT_EQ(metric.sum().data_points(0).start_time_unix_nano(), 1'000'000'000u);
  EXPECT_GT(requests[1].sum().data_points(0).time_unix_nano(), requests[0].sum().data_points(0).time_unix_nano());
  const auto changes = sink_.Metrics("changes");
  ASSERT_EQ(changes.size(), 1u) << "nothing changed in the second interval";
  EXPECT_EQ(changes[0].sum().data_points(0).as_double(), 1.5);
  EXPECT_EQ(changes[0].sum().aggregation_temporality(), pb::metrics::v1::AGGREGATION_TEMPORALITY_DELTA);
}

TEST_F(RingDrainTest, DeltaIntervalsTouchAndDoNotOverlap) {
  OpenDrain();
  const auto delta = *writer_->CreateMetric({.scope = scope_, .name = "changes", .aggregation = ring::SumAggregation{ring::Temporality::kDelta, true}});
  for (int i = 0; i < 3; ++i) {
    Count(delta, int64_t{1}, "/a");
    Collect();
    if (i == 1) clock_->Turn(-seconds(3600));  // a clock that is put back
  }
  const auto changes = sink_.Metrics("changes");
  ASSERT_EQ(changes.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const auto& point = changes[i].sum().data_points(0);
    EXPECT_EQ(point.start_time_unix_nano(), i == 0 ? 1'000'000'000u : changes[i - 1].sum().data_points(0).time_unix_nano());
    EXPECT_GT(point.time_unix_nano(), point.start_time_unix_nano());
  }
}

TEST_F(RingDrainTest, GaugesTellTheLastValueAndItsTime) {
  OpenDrain();
  const auto gauge = *writer_->CreateMetric({.scope = scope_, .name = "heat", .aggregation = ring::GaugeAggregation{}});
  Count(gauge, 20.5, "/a", 2'000'000'000);
  Count(gauge, 21.5, "/a", 2'000'000'100);
  Collect();
  Collect();
  const auto heat = sink_.Metrics("heat");
  ASSERT_EQ(heat.size(), 1u) << "an old value is no news";
  EXPECT_EQ(heat[0].gauge().data_points(0).as_double(), 21.5);
  EXPECT_EQ(heat[0].gauge().data_points(0).time_unix_nano(), 2'000'000'100u);
}

TEST_F(RingDrainTest, HistogramsOfBothKinds) {
  OpenDrain();
  const double bounds[] = {1, 10};
  const auto plain = *writer_->CreateMetric({.scope = scope_, .name = "plain", .aggregation = ring::HistogramAggregation{ring::Temporality::kCumulative, bounds}});
  const auto exponential = *writer_->CreateMetric({.scope = scope_, .name = "exponential", .aggregation = ring::ExpHistogramAggregation{ring::Temporality::kDelta, 160, 20}});
  for (double value : {0.5, 1.0, 2.0, 100.0}) {
    Count(plain, value, "/a");
    Count(exponential, value, "/a");
  }
  Count(exponential, int64_t{0}, "/a");
  Collect();
  const auto point = sink_.Metrics("plain").at(0).histogram().data_points(0);
  EXPECT_THAT(point.bucket_counts(), ::testing::ElementsAre(2, 1, 1));
  EXPECT_THAT(point.explicit_bounds(), ::testing::ElementsAre(1, 10));
  EXPECT_EQ(point.count(), 4u);
  EXPECT_EQ(point.sum(), 103.5);
  EXPECT_EQ(point.min(), 0.5);
  EXPECT_EQ(point.max(), 100);
  const auto spread = sink_.Metrics("exponential").at(0).exponential_histogram().data_points(0);
  EXPECT_EQ(spread.count(), 5u);
  EXPECT_EQ(spread.zero_count(), 1u);
  uint64_t counted = 0;
  for (uint64_t count : spread.positive().bucket_counts()) counted += count;
  EXPECT_EQ(counted, 4u);
  EXPECT_EQ(spread.min(), 0);
}

TEST_F(RingDrainTest, MeasurementsWithinSampledSpansAreExemplars) {
  OpenDrain();
  const auto metric = *writer_->CreateMetric({.scope = scope_, .name = "requests", .aggregation = ring::SumAggregation{}});
  const auto key = Key(1);
  const ring::SpanContext context{key.trace_id, key.span_id, 1};
  ASSERT_EQ(writer_->RecordMeasurement({.metric = metric, .time_unix_nano = 5, .value = int64_t{3}, .context = &context}), ring::RecordResult::kRecorded);
  Collect();
  const auto point = sink_.Metrics("requests").at(0).sum().data_points(0);
  ASSERT_EQ(point.exemplars_size(), 1);
  EXPECT_EQ(point.exemplars(0).as_int(), 3);
  EXPECT_EQ(point.exemplars(0).time_unix_nano(), 5u);
  EXPECT_EQ(point.exemplars(0).span_id().size(), 8u);
}

TEST_F(RingDrainTest, AttributeSetsBeyondTheLimitAreCountedTogether) {
  options_.most_series = 3;
  OpenDrain();
  const auto metric = *writer_->CreateMetric({.scope = scope_, .name = "requests", .aggregation = ring::SumAggregation{}});
  for (int i = 0; i < 10; ++i) Count(metric, int64_t{1}, "/" + std::to_string(i));
  Collect();
  const auto sum = sink_.Metrics("requests").at(0).sum();
  ASSERT_EQ(sum.data_points_size(), 4);
  EXPECT_EQ(sum.data_points(3).attributes(0).key(), "otel.metric.overflow");
  EXPECT_TRUE(sum.data_points(3).attributes(0).value().bool_value());
  EXPECT_EQ(sum.data_points(3).as_int(), 7);
  EXPECT_EQ(drain_->counters().overflowed, 7u);
}

// --- producers that are gone ---

TEST_F(RingDrainTest, UnfinishedSpansOfADeadProducerAreKeptAndMarked) {
  OpenDrain();
  Start(1, "unfinished");
  Step();
  clock_->Advance(seconds(2));
  Step();
  EXPECT_TRUE(sink_.Spans().empty()) << "its producer lives";
  writer_.reset();
  clock_->Advance(seconds(2));
  Step();
  const auto spans = sink_.Spans();
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].name(), "unfinished");
  EXPECT_EQ(spans[0].end_time_unix_nano(), 101u) << "when it was last seen";
  std::map<std::string, pb::common::v1::AnyValue> attributes;
  for (const auto& attribute : spans[0].attributes()) attributes[attribute.key()] = attribute.value();
  EXPECT_TRUE(attributes["otlp_arrow.incomplete"].bool_value());
  EXPECT_EQ(attributes["otlp_arrow.last_seen_unix_nano"].int_value(), 101);
  EXPECT_TRUE(drain_->is_finished());
}

TEST_F(RingDrainTest, ALivingProducersSpansAreLeftAloneWhenAnotherDies) {
  OpenDrain();
  auto other = RingWriter::Open(path_, writer_options_);
  ASSERT_TRUE(other.ok());
  Start(1, "mine");
  const auto key = Key(2);
  ASSERT_EQ((*other)->RecordSpanStart({.scope = scope_, .trace_id = key.trace_id, .span_id = key.span_id, .name = "others"}), ring::RecordResult::kRecorded);
  Step();
  other->reset();
  clock_->Advance(seconds(2));
  Step();
  ASSERT_EQ(sink_.Spans().size(), 1u);
  EXPECT_EQ(sink_.Spans()[0].name(), "others");
  End(1);
  Step();
  EXPECT_EQ(sink_.Spans().size(), 2u);
}

TEST_F(RingDrainTest, TheOldestOpenSpansGiveWay) {
  options_.most_open_spans = 5;
  OpenDrain();
  for (uint8_t n = 0; n < 8; ++n) Start(n);
  Step();
  clock_->Advance(seconds(2));
  Step();
  EXPECT_EQ(sink_.Spans().size(), 3u);
  EXPECT_EQ(sink_.Spans()[0].start_time_unix_nano(), 100u);
  EXPECT_EQ(drain_->counters().open_spans, 5u);
}

// --- collectors that die ---

TEST_F(RingDrainTest, OpenSpansAndSumsOutliveTheCollector) {
  OpenDrain();
  const auto cumulative = *writer_->CreateMetric({.scope = scope_, .name = "requests", .aggregation = ring::SumAggregation{}});
  const auto exponential = *writer_->CreateMetric({.scope = scope_, .name = "exponential", .aggregation = ring::ExpHistogramAggregation{ring::Temporality::kDelta, 8, 20}});
  Start(1, "long");
  Count(cumulative, int64_t{2}, "/a");
  Count(exponential, -0.25, "/a");
  Count(exponential, 300.0, "/a");
  Step();
  OpenDrain();
  EXPECT_EQ(drain_->counters().open_spans, 1u);
  End(1);
  Count(cumulative, int64_t{3}, "/a");
  Count(exponential, 0.0, "/a");
  Collect();
  ASSERT_EQ(sink_.Spans().size(), 1u);
  EXPECT_EQ(sink_.Spans()[0].name(), "long");
  EXPECT_EQ(sink_.Spans()[0].attributes_size(), 0);
  EXPECT_EQ(sink_.Metrics("requests").at(0).sum().data_points(0).as_int(), 5);
  const auto point = sink_.Metrics("exponential").at(0).exponential_histogram().data_points(0);
  EXPECT_EQ(point.count(), 3u);
  EXPECT_EQ(point.zero_count(), 1u);
  EXPECT_EQ(point.sum(), 299.75);
  EXPECT_EQ(point.min(), -0.25);
  EXPECT_EQ(point.positive().bucket_counts_size(), 1);
  EXPECT_EQ(point.negative().bucket_counts_size(), 1);
}

TEST_F(RingDrainTest, WhatTheSinkRefusesComesAgain) {
  OpenDrain();
  Start(1);
  End(1);
  sink_.RefuseNext(2);
  ASSERT_TRUE(drain_->Step().ok());
  clock_->Advance(milliseconds(300));
  for (int i = 0; i < 2; ++i) {
    const auto step = drain_->Step();
    ASSERT_FALSE(step.ok());
    EXPECT_TRUE(step.status().retryable());
    EXPECT_EQ(drain_->reader()->stats().rings[static_cast<size_t>(ring::RingKind::kSpans)].reader_index, -1) << "it must stay in the file";
  }
  ASSERT_TRUE(drain_->Step().ok());
  EXPECT_EQ(sink_.Spans().size(), 1u);
  EXPECT_EQ(drain_->reader()->stats().rings[static_cast<size_t>(ring::RingKind::kSpans)].filled(), 0u);
}

// Dies before the sink took anything, between the two requests of a batch, and after the batch.
TEST_F(RingDrainTest, ABatchThatWasUnderWayIsHandedOnOnce) {
  for (const int taken : {0, 1, 2}) {
    OpenDrain();
    const size_t spans = sink_.Spans().size(), logs = sink_.Logs().size();
    Start(1, "first");
    const auto key = Key(1);
    const ring::SpanContext context{key.trace_id, key.span_id, 1};
    ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 1, .event_name = Intern("event"), .context = &context}), ring::RecordResult::kRecorded);
    ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = 10 + static_cast<uint64_t>(taken), .severity_number = 9, .body = "log"}), ring::RecordResult::kRecorded);
    Start(2, "second");
    End(1);
    ASSERT_TRUE(drain_->Step().ok());
    clock_->Advance(milliseconds(300));
    if (taken < 2) sink_.RefuseNext(1, taken);
    EXPECT_EQ(drain_->Step().ok(), taken == 2);
    OpenDrain();
    Step();
    EXPECT_EQ(sink_.Spans().size(), spans + 1);
    EXPECT_EQ(sink_.Spans().back().events_size(), 1);
    EXPECT_EQ(sink_.Logs().size(), logs + 1);
    EXPECT_EQ(drain_->counters().open_spans, 1u);
    End(2);
    Step();
    ASSERT_EQ(sink_.Spans().size(), spans + 2);
    EXPECT_EQ(sink_.Spans().back().name(), "second");
    ASSERT_TRUE(drain_->Finish().ok());
  }
}

TEST_F(RingDrainTest, MetricsThatWereUnderWayAreHandedOnOnce) {
  const auto delta = *writer_->CreateMetric({.scope = scope_, .name = "changes", .aggregation = ring::SumAggregation{ring::Temporality::kDelta, true}});
  for (const bool was_taken : {false, true}) {
    OpenDrain();
    const size_t before = sink_.Metrics("changes").size();
    Count(delta, int64_t{4}, "/a");
    Step();
    clock_->Advance(seconds(10));
    if (!was_taken) sink_.RefuseNext(1);
    EXPECT_EQ(drain_->Step().ok(), was_taken);
    OpenDrain();
    Step();
    const auto changes = sink_.Metrics("changes");
    ASSERT_EQ(changes.size(), before + 1);
    EXPECT_EQ(changes.back().sum().data_points(0).as_int(), 4);
    ASSERT_TRUE(drain_->Finish().ok());
    EXPECT_EQ(sink_.Metrics("changes").size(), before + 1);
  }
}

TEST_F(RingDrainTest, AStateOfAnotherFileIsLeftAside) {
  OpenDrain();
  Start(1);
  Step();
  drain_.reset();
  writer_.reset();
  std::filesystem::remove(path_);
  writer_options_.time_unix_nano = 3'000'000'000;
  OpenWriter();
  OpenDrain();
  EXPECT_EQ(drain_->counters().open_spans, 0u);
  Start(2);
  End(2);
  Step();
  EXPECT_EQ(sink_.Spans().size(), 1u);
}

TEST_F(RingDrainTest, ADamagedStateLogIsReadUpToTheDamage) {
  OpenDrain();
  Start(1);
  Step();
  Start(2);
  Step();
  drain_.reset();
  const std::string log = path_ + std::string(RingDrain::kStateSuffix);
  std::filesystem::resize_file(log, std::filesystem::file_size(log) - 3);
  OpenDrain();
  EXPECT_EQ(drain_->counters().open_spans, 1u);
}

TEST_F(RingDrainTest, TheStateLogDoesNotGrowForEver) {
  OpenDrain();
  const std::string log = path_ + std::string(RingDrain::kStateSuffix);
  uintmax_t largest = 0;
  const std::string name(300, 'n');
  for (int round = 0; round < 1500; ++round) {
    for (uint8_t n = 0; n < 16; ++n) Start(n, name);
    Step();
    largest = std::max(largest, std::filesystem::file_size(log));
    for (uint8_t n = 0; n < 16; ++n) End(n);
    Step();
  }
  EXPECT_EQ(sink_.Spans().size(), 1500u * 16);
  EXPECT_LT(largest, 6u << 20);
}

// --- files that lie ---

TEST_F(RingDrainTest, NoiseInTheFileMakesNoRequestThatIsNone) {
  const auto metric = *writer_->CreateMetric({.scope = scope_, .name = "requests", .aggregation = ring::SumAggregation{}});
  const auto key = Key(200);
  const ring::SpanContext context{key.trace_id, key.span_id, 1};
  for (uint8_t n = 0; n < 30; ++n) {
    Start(n);
    Count(metric, int64_t{n}, "/" + std::to_string(n));
    ASSERT_EQ(writer_->RecordEvent({.scope = scope_, .time_unix_nano = n, .severity_number = 9, .body = "text", .context = &context}), ring::RecordResult::kRecorded);
    End(n);
  }
  writer_.reset();
  const std::string whole = *platform::ReadFile(path_);
  std::mt19937 random(5);
  size_t opened = 0;
  for (int round = 0; round < 400; ++round) {
    std::string noisy = whole;
    for (int i = 0, n = 1 + round % 40; i < n; ++i) noisy[64 + random() % (noisy.size() - 64)] = static_cast<char>(random());
    std::filesystem::remove(path_ + std::string(RingDrain::kStateSuffix));
    std::filesystem::remove(path_);
    std::ofstream(path_, std::ios::binary) << noisy;
    sink_ = {};
    auto drain = RingDrain::Open(path_, options_, &sink_);
    if (!drain.ok()) continue;
    ++opened;
    for (int step = 0; step < 4; ++step) {
      if (!(*drain)->Step().ok()) break;
      clock_->Advance(seconds(6));
    }
    drain->reset();
    for (Signal signal : kAllSignals) {
      for (const std::string& request : sink_.Bytes(signal)) {
        const ScanResult scan = ScanOtlp(signal, request);
        EXPECT_TRUE(scan.ok) << scan.error;
      }
    }
  }
  EXPECT_GT(opened, 100u);
}

}  // namespace
}  // namespace otlp_arrow
