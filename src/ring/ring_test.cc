// Everything that a producer can say, read back by a consumer.
#include <string>
#include <vector>

#include "base/platform/platform.h"
#include "ring/ring_testing.h"
#include "temp_dir.h"

namespace otlp_arrow::ring {
namespace {

using namespace otlp_arrow::ring::testing;  // NOLINT
using otlp_arrow::testing::TempDir;

class Ring : public ::testing::Test {
 protected:
  Ref Key(std::string_view text) { return Must(writer_->InternString(text)); }
  std::vector<std::string> Drain(RingKind kind) { return testing::Drain(reader_.get(), kind); }
  SpanEventView OnlySpanEvent() {
    records_ = Drain(RingKind::kSpans);
    EXPECT_EQ(records_.size(), 1u);
    const auto read = ReadSpanEvent(records_.at(0));
    EXPECT_TRUE(read.has_value());
    return read.value_or(SpanEventView{});
  }

  TempDir dir_;
  std::string path_ = dir_ / "ring";
  std::unique_ptr<RingWriter> writer_ = Must(RingWriter::Open(path_, SmallFile()));
  std::unique_ptr<RingReader> reader_ = Must(RingReader::Open(path_));
  std::vector<std::string> records_;  // what views point into
};

TEST_F(Ring, ANewFileIsEmptyAndSaysSo) {
  EXPECT_FALSE(reader_->HasData());
  for (const RingKind kind : kAllRings) {
    EXPECT_TRUE(Must(reader_->Poll(kind)).empty());
    EXPECT_EQ(reader_->last_read(kind), -1);
    const RingStats stats = reader_->stats().rings[static_cast<size_t>(kind)];
    EXPECT_EQ(stats.slots, 16u);
    EXPECT_EQ(stats.slot_bytes, 256u);
    EXPECT_EQ(stats.filled(), 0u);
  }
  const FileStats stats = reader_->stats();
  EXPECT_TRUE(stats.native);
  EXPECT_EQ(stats.time_unix_nano, 77u);
  EXPECT_EQ(stats.last_writer, 1u);
  EXPECT_EQ(stats.dictionary_entries, 0);
  EXPECT_EQ(stats.dictionary_bytes, 0u);
}

TEST_F(Ring, AStartCarriesAllItsFields) {
  const Ids ids(5);
  const Ids parent(6);
  const Attribute attributes[] = {{Key("text"), "é"}, {Key("int"), -3}, {Key("bool"), true}, {Key("double"), 0.5}};
  SpanStart start = ids.Start("GET /");
  start.scope = Must(writer_->CreateScope({.name = "lib", .version = "1.2"}));
  start.parent_span_id = parent.span.data();
  start.flags = 0x101;
  start.kind = SpanKind::kClient;
  start.attributes = attributes;
  start.trace_state = "a=b";
  start.dropped_attributes_count = 4;
  ASSERT_EQ(writer_->RecordSpanStart(start), RecordResult::kRecorded);

  const SpanEventView span = OnlySpanEvent();
  EXPECT_EQ(span.trace_id, Bytes(ids.trace));
  EXPECT_EQ(span.span_id, Bytes(ids.span));
  EXPECT_EQ(span.scope, start.scope);
  const auto& read = As<StartSpanView>(span.event);
  EXPECT_EQ(read.parent_span_id, Bytes(parent.span));
  EXPECT_EQ(read.flags, 0x101u);
  EXPECT_EQ(read.name, "GET /");
  EXPECT_EQ(read.kind, 3);
  EXPECT_EQ(read.start_time_unix_nano, 1000u);
  EXPECT_EQ(Show(*reader_, read.attributes), "text=\"é\" int=-3 bool=true double=0.500000");
  EXPECT_EQ(read.writer, writer_->number());
  EXPECT_EQ(read.trace_state, "a=b");
  EXPECT_EQ(read.dropped_attributes_count, 4u);
}

TEST_F(Ring, ASpansOtherEventsCarryTheirs) {
  const Ids ids, other(9);
  ASSERT_EQ(writer_->RecordSpanEnd(ids.Key(), 2000, {StatusCodeOfSpan::kError, "no"}), RecordResult::kRecorded);
  const auto end = As<EndSpanView>(OnlySpanEvent().event);
  EXPECT_EQ(end.end_time_unix_nano, 2000u);
  ASSERT_TRUE(end.status);
  EXPECT_EQ(end.status->code, 2);
  EXPECT_EQ(end.status->message, "no");

  ASSERT_EQ(writer_->RecordSpanEnd(ids.Key(), 2001), RecordResult::kRecorded);
  EXPECT_FALSE(As<EndSpanView>(OnlySpanEvent().event).status);

  ASSERT_EQ(writer_->RecordSpanName(ids.Key(), "renamed"), RecordResult::kRecorded);
  EXPECT_EQ(As<ChangeNameView>(OnlySpanEvent().event).name, "renamed");

  ASSERT_EQ(writer_->RecordSpanStatus(ids.Key(), {StatusCodeOfSpan::kOk}), RecordResult::kRecorded);
  const auto update = As<UpdateAttributesView>(OnlySpanEvent().event);
  EXPECT_TRUE(update.attributes.empty());
  EXPECT_EQ(update.status.value().code, 1);

  const Attribute attributes[] = {{Key("k"), "v"}};
  ASSERT_EQ(writer_->RecordSpanAttributes(ids.Key(), attributes), RecordResult::kRecorded);
  EXPECT_EQ(Show(*reader_, As<UpdateAttributesView>(OnlySpanEvent().event).attributes), "k=\"v\"");

  SpanLink link = {.trace_id = other.trace, .span_id = other.span};
  link.trace_state = "x=y";
  link.attributes = attributes;
  link.dropped_attributes_count = 2;
  link.flags = 1;
  ASSERT_EQ(writer_->RecordSpanLink(ids.Key(), link), RecordResult::kRecorded);
  const auto links = As<AddLinkView>(OnlySpanEvent().event).links;
  const LinkView read = ReadLink(*links.begin());
  EXPECT_EQ(read.context.trace_id, Bytes(other.trace));
  EXPECT_EQ(read.context.span_id, Bytes(other.span));
  EXPECT_EQ(read.context.flags, 1u);
  EXPECT_EQ(read.trace_state, "x=y");
  EXPECT_EQ(Show(*reader_, read.attributes), "k=\"v\"");
  EXPECT_EQ(read.dropped_attributes_count, 2u);
}

TEST_F(Ring, MeasurementsCarryTheirFields) {
  const Ids ids;
  const SpanContext context = ids.Context(1);
  const Ref metric = Must(writer_->CreateMetric({.name = "m", .aggregation = GaugeAggregation{}}));
  const Attribute attributes[] = {{Key("k"), 7}};
  ASSERT_EQ(writer_->RecordMeasurement({metric, attributes, 10, int64_t{-5}, &context}), RecordResult::kRecorded);
  ASSERT_EQ(writer_->RecordMeasurement({metric, {}, 11, 2.5}), RecordResult::kRecorded);
  const auto records = Drain(RingKind::kMeasurements);
  ASSERT_EQ(records.size(), 2u);
  const auto first = ReadMeasurement(records[0]).value();
  EXPECT_EQ(first.metric, metric);
  EXPECT_EQ(first.time_unix_nano, 10u);
  EXPECT_EQ(std::get<int64_t>(first.value), -5);
  EXPECT_EQ(Show(*reader_, first.attributes), "k=7");
  EXPECT_EQ(first.context.value().trace_id, Bytes(ids.trace));
  EXPECT_EQ(first.context->span_id, Bytes(ids.span));
  EXPECT_EQ(first.context->flags, 1u);
  const auto second = ReadMeasurement(records[1]).value();
  EXPECT_EQ(std::get<double>(second.value), 2.5);
  EXPECT_FALSE(second.context);
}

TEST_F(Ring, EventsCarryTheirFields) {
  const Ids ids;
  const SpanContext context = ids.Context();
  const Value inner[] = {Value(1), Value("two"), Value()};
  const Attribute map[] = {{Key("a"), std::span<const Value>(inner)}, {Key("b"), Value::Bytes("xyz")}};
  const Attribute attributes[] = {{Key("k"), Value::Reference(Key("interned"))}};
  Event event;
  event.scope = Must(writer_->CreateScope({.name = "lib"}));
  event.time_unix_nano = 3;
  event.observed_time_unix_nano = 4;
  event.severity_number = 9;
  event.severity_text = "INFO";
  event.body = Value::Map(map);
  event.event_name = Key("my.event");
  event.context = &context;
  event.attributes = attributes;
  event.dropped_attributes_count = 1;
  ASSERT_EQ(writer_->RecordEvent(event), RecordResult::kRecorded);
  const auto records = Drain(RingKind::kEvents);
  ASSERT_EQ(records.size(), 1u);
  const auto read = ReadEvent(records[0]).value();
  EXPECT_EQ(read.scope, event.scope);
  EXPECT_EQ(read.time_unix_nano, 3u);
  EXPECT_EQ(read.observed_time_unix_nano, 4u);
  EXPECT_EQ(read.severity_number, 9);
  EXPECT_EQ(read.severity_text, "INFO");
  EXPECT_EQ(Show(*reader_, read.body.value()), "{a:[1,\"two\",-,],b:3 bytes,}");
  EXPECT_EQ(Must(reader_->Entry(read.event_name)), "my.event");
  EXPECT_EQ(read.context.value().span_id, Bytes(ids.span));
  EXPECT_EQ(Show(*reader_, read.attributes), "k=@interned");
  EXPECT_EQ(read.dropped_attributes_count, 1u);
  EXPECT_EQ(read.part_id, 0u);
  EXPECT_FALSE(read.more_parts);
}

TEST_F(Ring, DefinitionsAreReadBack) {
  const Attribute attributes[] = {{Key("service.name"), "shop"}};
  const Ref resource = Must(writer_->CreateResource({attributes, 2, "https://schema/1"}));
  const auto read_resource = ReadResource(Must(reader_->Entry(resource))).value();
  EXPECT_EQ(Show(*reader_, read_resource.attributes), "service.name=\"shop\"");
  EXPECT_EQ(read_resource.dropped_attributes_count, 2u);
  EXPECT_EQ(read_resource.schema_url, "https://schema/1");

  const Ref scope = Must(writer_->CreateScope({resource, "lib", "1.0", attributes, 3, "https://schema/2"}));
  const auto read_scope = ReadScope(Must(reader_->Entry(scope))).value();
  EXPECT_EQ(Must(reader_->Entry(read_scope.name)), "lib");
  EXPECT_EQ(Must(reader_->Entry(read_scope.version)), "1.0");
  EXPECT_EQ(read_scope.resource, resource);
  EXPECT_EQ(Show(*reader_, read_scope.attributes), "service.name=\"shop\"");
  EXPECT_EQ(read_scope.dropped_attributes_count, 3u);
  EXPECT_EQ(read_scope.schema_url, "https://schema/2");

  const double boundaries[] = {0.5, 10};
  const auto metric = [&](auto aggregation) {
    return ReadMetric(Must(reader_->Entry(Must(writer_->CreateMetric({scope, "m", "what", "By", aggregation}))))).value();
  };
  const MetricView gauge = metric(GaugeAggregation{});
  EXPECT_EQ(gauge.name, "m");
  EXPECT_EQ(gauge.description, "what");
  EXPECT_EQ(gauge.unit, "By");
  EXPECT_EQ(gauge.scope, scope);
  (void)As<GaugeAggregation>(gauge.aggregation);
  const auto sum = As<SumAggregation>(metric(SumAggregation{Temporality::kDelta, false}).aggregation);
  EXPECT_EQ(sum.temporality, Temporality::kDelta);
  EXPECT_FALSE(sum.is_monotonic);
  EXPECT_TRUE(As<SumAggregation>(metric(SumAggregation{}).aggregation).is_monotonic);
  const auto histogram = As<HistogramView>(metric(HistogramAggregation{Temporality::kCumulative, boundaries}).aggregation);
  EXPECT_EQ(histogram.temporality, Temporality::kCumulative);
  EXPECT_EQ(histogram.bucket_boundaries, (std::vector<double>{0.5, 10}));
  const auto exponential = As<ExpHistogramAggregation>(metric(ExpHistogramAggregation{Temporality::kDelta, 20, -3}).aggregation);
  EXPECT_EQ(exponential.temporality, Temporality::kDelta);
  EXPECT_EQ(exponential.max_buckets, 20);
  EXPECT_EQ(exponential.max_scale, -3);
}

TEST_F(Ring, EqualDefinitionsHaveOneReferenceInAllWriters) {
  const auto other = Must(RingWriter::Open(path_, SmallFile()));
  EXPECT_NE(other->number(), writer_->number());
  const Ref text = Key("key");
  EXPECT_EQ(Must(other->InternString("key")), text);
  EXPECT_EQ(Must(writer_->InternString("key")), text);
  const Ref later = Must(other->InternString("later"));
  EXPECT_NE(later, text);
  EXPECT_EQ(Key("later"), later);
  EXPECT_EQ(Key(""), 0);
  EXPECT_EQ(reader_->stats().dictionary_entries, 2);
  // A writer that comes when the others are gone.
  writer_.reset();
  const auto third = Must(RingWriter::Open(path_, SmallFile()));
  EXPECT_EQ(Must(third->InternString("later")), later);
  EXPECT_EQ(reader_->stats().dictionary_entries, 2);
}

TEST_F(Ring, WhatAReferenceStandsForIsKnown) {
  const Ref text = Key("text"), scope = Must(writer_->CreateScope({.name = "lib"}));
  EXPECT_TRUE(writer_->IsKnown(text, EntryKind::kString));
  EXPECT_FALSE(writer_->IsKnown(text, EntryKind::kScope));
  EXPECT_TRUE(writer_->IsKnown(scope, EntryKind::kScope));
  EXPECT_FALSE(writer_->IsKnown(scope, EntryKind::kMetric));
  for (const Ref ref : {Ref{0}, Ref{-1}, text + 1, Ref{1} << 40, INT64_MAX, INT64_MIN}) EXPECT_FALSE(writer_->IsKnown(ref, EntryKind::kString)) << ref;
}

TEST_F(Ring, ThousandsOfNamesAreFoundAgain) {
  std::vector<Ref> refs;
  for (int i = 0; i < 5000; ++i) refs.push_back(Key("name " + std::to_string(i)));
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(Key("name " + std::to_string(i)), refs[static_cast<size_t>(i)]);
    ASSERT_EQ(Must(reader_->Entry(refs[static_cast<size_t>(i)])), "name " + std::to_string(i));
  }
  EXPECT_EQ(reader_->stats().dictionary_entries, 5000);
}

TEST_F(Ring, WrongReferencesAreRefused) {
  const Ids ids;
  const Ref end = Key("only") + 100;
  for (const Ref wrong : {Ref{1}, Ref{-1}, end, INT64_MAX, INT64_MIN}) {
    const Attribute attributes[] = {{wrong, 1}};
    const Attribute nested[] = {{0, Value::Map(attributes)}};
    SpanStart start = ids.Start("s");
    start.attributes = attributes;
    EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kInvalid);
    start.attributes = nested;
    EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kInvalid);
    EXPECT_EQ(writer_->RecordSpanEnd(ids.Key(wrong), 1), RecordResult::kInvalid);
    EXPECT_EQ(writer_->RecordMeasurement({wrong, {}, 1, int64_t{1}}), RecordResult::kInvalid);
    Event event;
    event.event_name = wrong;
    EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kInvalid);
    const auto scope = writer_->CreateScope({.resource = wrong, .name = "x"});
    ASSERT_FALSE(scope.ok());
    EXPECT_EQ(scope.status().code(), StatusCode::kExport);
    EXPECT_NE(scope.status().message().find("resource " + std::to_string(wrong) + " is no reference"), std::string::npos) << scope.status().message();
    EXPECT_FALSE(reader_->Entry(wrong).ok());
  }
  EXPECT_EQ(writer_->RecordMeasurement({0, {}, 1, int64_t{1}}), RecordResult::kInvalid);
  EXPECT_FALSE(reader_->HasData());
}

TEST_F(Ring, ValuesThatNestTooDeepAreRefused) {
  std::vector<Value> levels(kMaxValueDepth + 2);
  levels[0] = Value("leaf");
  for (size_t i = 1; i < levels.size(); ++i) levels[i] = Value(std::span<const Value>(&levels[i - 1], 1));
  Event event;
  event.body = levels[kMaxValueDepth];
  EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kRecorded);
  event.body = levels[kMaxValueDepth + 1];
  EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kInvalid);
  const auto records = Drain(RingKind::kEvents);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_TRUE(ReadEvent(records[0]));
}

TEST_F(Ring, RecordsComeInTheirOrderOverManyLaps) {
  uint64_t next = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(writer_->RecordSpanEnd(Ids(i).Key(), i), RecordResult::kRecorded);
    if (i % 7 != 0) continue;
    for (const std::string& record : Drain(RingKind::kSpans)) {
      EXPECT_EQ(As<EndSpanView>(ReadSpanEvent(record).value().event).end_time_unix_nano, next++);
    }
  }
  EXPECT_EQ(next + Drain(RingKind::kSpans).size(), 1000u);
  EXPECT_EQ(writer_->counters().dropped, 0u);
}

TEST_F(Ring, WhatWasPolledButNotFreedIsReadAgainByTheNextConsumer) {
  for (uint64_t i = 0; i < 5; ++i) ASSERT_EQ(writer_->RecordSpanEnd(Ids(i).Key(), i), RecordResult::kRecorded);
  EXPECT_EQ(Must(reader_->Poll(RingKind::kSpans, 2)).size(), 2u);
  EXPECT_EQ(Must(reader_->Poll(RingKind::kSpans)).size(), 3u);
  EXPECT_TRUE(Must(reader_->Poll(RingKind::kSpans)).empty());
  EXPECT_EQ(reader_->last_read(RingKind::kSpans), 4);
  reader_->Advance(RingKind::kSpans, 1);
  reader_->Advance(RingKind::kSpans, 0);  // never back
  reader_.reset();
  reader_ = Must(RingReader::Open(path_));
  EXPECT_EQ(reader_->stats().rings[1].reader_index, 1);
  const auto again = Must(reader_->Poll(RingKind::kSpans));
  ASSERT_EQ(again.size(), 3u);
  EXPECT_EQ(again[0].sequence, 2);
  reader_->Advance(RingKind::kSpans, 1000);  // not past what was read
  EXPECT_EQ(reader_->stats().rings[1].reader_index, 4);
}

TEST_F(Ring, AFileHasOneConsumer) {
  const auto second = RingReader::Open(path_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().code(), StatusCode::kServer);
  EXPECT_TRUE(second.status().retryable());
  EXPECT_TRUE(Must(RingInspector::Open(path_))->HasConsumer());
  reader_.reset();
  EXPECT_FALSE(Must(RingInspector::Open(path_))->HasConsumer());
  EXPECT_TRUE(RingReader::Open(path_).ok());
}

TEST_F(Ring, LiveWritersAreThoseThatHaveTheFileOpen) {
  const auto live = [&] { return Must(reader_->LiveWriters()); };
  EXPECT_EQ(live(), (std::vector<uint32_t>{1}));
  auto second = Must(RingWriter::Open(path_));
  const auto third = Must(RingWriter::Open(path_));
  EXPECT_EQ(live(), (std::vector<uint32_t>{1, 2, 3}));
  second.reset();
  EXPECT_EQ(live(), (std::vector<uint32_t>{1, 3}));
  writer_.reset();
  EXPECT_EQ(live(), (std::vector<uint32_t>{3}));
  EXPECT_EQ(Must(RingWriter::Open(path_))->number(), 4u);
}

TEST_F(Ring, AnExistingFileKeepsItsSizes) {
  WriterOptions larger = SmallFile();
  larger.spans = {64, 1024};
  const auto other = Must(RingWriter::Open(path_, larger));
  EXPECT_EQ(reader_->stats().rings[1].slots, 16u);
}

TEST_F(Ring, AFileOfNoBytesBecomesARingFile) {
  const std::string path = dir_ / "empty";
  ASSERT_TRUE(platform::ReplaceFile(path, "", false).ok());
  const auto missing = RingReader::Open(path);
  ASSERT_FALSE(missing.ok());
  EXPECT_TRUE(missing.status().retryable());
  const auto writer = Must(RingWriter::Open(path, SmallFile()));
  EXPECT_TRUE(RingReader::Open(path).ok());
}

TEST_F(Ring, IsReplacedTellsWhenThePathNamesAnotherFile) {
  EXPECT_FALSE(reader_->IsReplaced());
  ASSERT_TRUE(platform::Rename(path_, dir_ / "away").ok());
  EXPECT_TRUE(reader_->IsReplaced());
  const auto other = Must(RingWriter::Open(path_, SmallFile()));
  EXPECT_TRUE(reader_->IsReplaced());
}

TEST_F(Ring, TheInspectorShowsWithoutTouching) {
  const Ids ids;
  const Ref key = Key("key");
  for (uint64_t i = 0; i < 3; ++i) ASSERT_EQ(writer_->RecordSpanEnd(ids.Key(), i), RecordResult::kRecorded);
  ASSERT_EQ(Must(reader_->Poll(RingKind::kSpans, 1)).size(), 1u);
  reader_->Advance(RingKind::kSpans, 0);
  const auto inspector = Must(RingInspector::Open(path_));
  const auto slots = inspector->LastSlots(RingKind::kSpans, 100);
  ASSERT_EQ(slots.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(slots[static_cast<size_t>(i)].sequence, i);
    EXPECT_EQ(slots[static_cast<size_t>(i)].state, SlotState::kPublished);
    EXPECT_EQ(slots[static_cast<size_t>(i)].read, i == 0);
    EXPECT_TRUE(ReadSpanEvent(slots[static_cast<size_t>(i)].bytes));
  }
  EXPECT_EQ(inspector->LastSlots(RingKind::kSpans, 2).front().sequence, 1);
  EXPECT_TRUE(inspector->LastSlots(RingKind::kEvents, 2).empty());
  const auto entries = Must(inspector->Entries());
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].ref, key);
  EXPECT_EQ(entries[0].bytes, "key");
  EXPECT_EQ(Must(inspector->LiveWriters()), (std::vector<uint32_t>{1}));
  // Also of a file that may not be written to, whose writer and reader are gone.
  writer_.reset();
  reader_.reset();
  EXPECT_EQ(inspector->stats().rings[1].filled(), 2u);
}

TEST(RingOptions, WrongSizesAreNamed) {
  const auto message = [](auto change) {
    WriterOptions options = SmallFile();
    change(&options);
    const Status status = Validate(options);
    EXPECT_EQ(status.code(), StatusCode::kConfig);
    return status.message();
  };
  EXPECT_EQ(message([](WriterOptions* o) { o->spans.slots = 100; }), "spans.slots: 100 is not allowed; use a power of two from 2 to 67108864");
  EXPECT_EQ(message([](WriterOptions* o) { o->events.slots = 1; }).substr(0, 15), "events.slots: 1");
  EXPECT_EQ(message([](WriterOptions* o) { o->measurements.slot_bytes = 120; }).substr(0, 28), "measurements.slot_bytes: 120");
  EXPECT_EQ(message([](WriterOptions* o) { o->measurements.slot_bytes = 260; }).substr(0, 28), "measurements.slot_bytes: 260");
  EXPECT_EQ(message([](WriterOptions* o) { o->dictionary_max_bytes = 10; }).substr(0, 24), "dictionary_max_bytes: 10");
  EXPECT_TRUE(Validate(WriterOptions()).ok());
  EXPECT_FALSE(RingWriter::Open("/nonexistent/ring").ok());
}

}  // namespace
}  // namespace otlp_arrow::ring
