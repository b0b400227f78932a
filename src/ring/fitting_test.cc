// Records that are larger than a slot.
#include <numeric>
#include <set>

#include "base/platform/platform.h"
#include "ring/ring_testing.h"
#include "ring/value_writer.h"
#include "temp_dir.h"

namespace otlp_arrow::ring {
namespace {

using namespace otlp_arrow::ring::testing;  // NOLINT
using otlp_arrow::testing::TempDir;

class Fitting : public ::testing::Test {
 protected:
  explicit Fitting(uint64_t slots = 1024) : writer_(Must(RingWriter::Open(dir_ / "ring", Options(slots)))), reader_(Must(RingReader::Open(dir_ / "ring"))) {}
  static WriterOptions Options(uint64_t slots) {
    WriterOptions options = SmallFile();
    options.events = options.spans = options.measurements = {slots, 256};
    return options;
  }
  Ref Key(std::string_view text) { return Must(writer_->InternString(text)); }
  std::vector<std::string> Drain(RingKind kind) { return testing::Drain(reader_.get(), kind); }
  uint32_t Truncated() { return reader_->stats().truncated; }
  // key0=text, key1=text, ...
  std::vector<Attribute> Many(size_t n, std::string_view text) {
    std::vector<Attribute> attributes;
    for (size_t i = 0; i < n; ++i) attributes.push_back({Key("key" + std::to_string(i)), text});
    return attributes;
  }
  std::string ShowAll(const std::vector<Attribute>& attributes) {
    std::string text;
    for (const Attribute& a : attributes) text += (text.empty() ? "" : " ") + Text(Must(reader_->Entry(a.key))) + "=\"" + Text(a.value.bytes()) + '"';
    return text;
  }
  // The attributes of a span's records, in their order, and what was left out of it.
  std::string SpanAttributes(uint32_t* dropped = nullptr) {
    std::string all;
    for (const std::string& record : Drain(RingKind::kSpans)) {
      const auto span = ReadSpanEvent(record).value();
      Repeated attributes;
      if (const auto* start = std::get_if<StartSpanView>(&span.event)) attributes = start->attributes;
      if (const auto* update = std::get_if<UpdateAttributesView>(&span.event)) {
        attributes = update->attributes;
        if (dropped) *dropped += update->dropped_attributes_count;
      }
      const std::string some = Show(*reader_, attributes);
      all += (all.empty() || some.empty() ? "" : " ") + some;
    }
    return all;
  }
  // An event put together from its parts.
  struct Whole {
    std::string body, attributes;
    uint32_t dropped = 0;
    size_t parts = 0;
  };
  Whole TakeEvent() {
    Whole whole;
    std::set<uint64_t> ids;
    bool more = true;
    for (const std::string& record : Drain(RingKind::kEvents)) {
      const auto part = ReadEvent(record).value();
      EXPECT_TRUE(more) << "a part behind the last one";
      more = part.more_parts;
      ids.insert(part.part_id);
      if (part.body) whole.body += part.body->type == Value::Type::kString ? Text(part.body->bytes) : Show(*reader_, *part.body);
      const std::string some = Show(*reader_, part.attributes);
      whole.attributes += (whole.attributes.empty() || some.empty() ? "" : " ") + some;
      whole.dropped += part.dropped_attributes_count;
      ++whole.parts;
    }
    EXPECT_FALSE(more);
    EXPECT_EQ(ids.size(), 1u);
    EXPECT_EQ(ids.count(0), whole.parts == 1 ? 1u : 0u);
    return whole;
  }

  TempDir dir_;
  std::unique_ptr<RingWriter> writer_;
  std::unique_ptr<RingReader> reader_;
  Ids ids_;
};

// A ring that has no room for pieces.
class FittingWithoutPieces : public Fitting {
 protected:
  FittingWithoutPieces() : Fitting(8) {}
};

TEST(CutText, EndsBetweenCharacters) {
  EXPECT_EQ(CutText("héllo", 6), "héllo");
  EXPECT_EQ(CutText("héllo", 3), "hé");
  EXPECT_EQ(CutText("héllo", 2), "h");
  EXPECT_EQ(CutText("\xf0\x9f\x98\x80", 3), "");
  EXPECT_EQ(CutText("", 0), "");
}

// One byte more and one less than what a slot holds: no length is off by one.
TEST_F(Fitting, EveryLengthAroundTheSlotsEndIsKept) {
  for (size_t length = 0; length < 400; ++length) {
    const std::string text(length, 'x');
    const Attribute attributes[] = {{Key("a"), text}, {Key("b"), "last"}};
    SpanStart start = ids_.Start("name");
    start.attributes = attributes;
    const RecordResult result = writer_->RecordSpanStart(start);
    const std::string all = SpanAttributes();
    ASSERT_EQ(result, RecordResult::kRecorded) << length;
    ASSERT_TRUE(all.ends_with("b=\"last\"")) << length << all;
    if (length >= 200) continue;
    ASSERT_EQ(all, "a=\"" + text + "\" b=\"last\"") << length;
  }
}

// What readers that know no pieces see, and what the pieces say.
TEST_F(Fitting, AValueLargerThanASlotIsToldInPieces) {
  const std::string large(3000, 'x');
  const Attribute attributes[] = {{Key("before"), 1}, {Key("large"), large}, {Key("after"), 2}};
  EXPECT_EQ(writer_->RecordSpanAttributes(ids_.Key(), attributes), RecordResult::kRecorded);
  std::string pieces, seen;
  uint64_t part_id = 0;
  for (const std::string& record : Drain(RingKind::kSpans)) {
    const auto update = As<UpdateAttributesView>(ReadSpanEvent(record).value().event);
    seen += Show(*reader_, update.attributes) + ";";
    pieces += update.piece;
    if (update.part_id != 0) part_id = update.part_id;
    EXPECT_EQ(update.part_id, update.piece.empty() ? 0 : part_id);
    EXPECT_EQ(update.more_parts, update.part_id != 0 && pieces.size() < 3000);
  }
  EXPECT_TRUE(seen.starts_with("before=1;large=\"xxx")) << seen;
  EXPECT_TRUE(seen.ends_with(";after=2;")) << seen;
  EXPECT_EQ(Show(*reader_, ReadUpdate(pieces).value().attributes), "large=\"" + large + "\"");
  EXPECT_EQ(Truncated(), 0u);
}

// Nothing of what has no room as a whole is recorded, and the caller is told.
TEST_F(Fitting, AReportingWriterRecordsAllPartsOrNone) {
  writer_.reset();
  WriterOptions options = Options(1024);
  options.when_full = WhenFull::kReport;
  writer_ = Must(RingWriter::Open(dir_ / "ring", options));
  const std::string large(10'000, 'x');
  const Attribute attributes[] = {{Key("large"), large}};
  int recorded = 0;
  while (writer_->RecordSpanAttributes(ids_.Key(), attributes) == RecordResult::kRecorded) ++recorded;
  EXPECT_GT(recorded, 10);
  EXPECT_EQ(writer_->RecordSpanAttributes(ids_.Key(), attributes), RecordResult::kFull);
  EXPECT_EQ(writer_->RecordSpanEnd(ids_.Key(), 1), RecordResult::kRecorded);  // for which there is room
  EXPECT_FALSE(writer_->WaitForRoom(RingKind::kSpans, 0) && reader_->stats().rings[1].filled() == 1024);
  EXPECT_EQ(writer_->counters().dropped, 0u);
  writer_->CountDropped(3);
  EXPECT_EQ(writer_->counters().dropped, 3u);
  EXPECT_EQ(reader_->stats().dropped, 3u);
  int whole = 0;
  for (const std::string& record : Drain(RingKind::kSpans)) {
    const auto span = ReadSpanEvent(record).value();
    const auto* update = std::get_if<UpdateAttributesView>(&span.event);
    whole += update && update->part_id != 0 && !update->more_parts;
  }
  EXPECT_EQ(whole, recorded);
  EXPECT_TRUE(writer_->WaitForRoom(RingKind::kSpans, 0));
  EXPECT_EQ(writer_->RecordSpanAttributes(ids_.Key(), attributes), RecordResult::kRecorded);
}

TEST_F(Fitting, AStartWithManyAttributesGoesOnInUpdates) {
  const auto attributes = Many(50, "some text of a usual length");
  SpanStart start = ids_.Start("name");
  start.attributes = attributes;
  EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kRecorded);
  EXPECT_GT(reader_->stats().rings[1].filled(), 5u);
  EXPECT_EQ(SpanAttributes(), ShowAll(attributes));
  EXPECT_EQ(writer_->RecordSpanAttributes(ids_.Key(), attributes), RecordResult::kRecorded);
  EXPECT_EQ(SpanAttributes(), ShowAll(attributes));
  EXPECT_EQ(Truncated(), 0u);
}

TEST_F(FittingWithoutPieces, AValueLargerThanASlotIsCutAndCounted) {
  const std::string large(1000, 'x'), wide = [] {
    std::string text;
    for (int i = 0; i < 300; ++i) text += "é";
    return text;
  }();
  const Attribute attributes[] = {{Key("before"), 1}, {Key("large"), large}, {Key("wide"), wide}, {Key("after"), 2}};
  SpanStart start = ids_.Start("name");
  start.attributes = attributes;
  EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kTruncated);
  const std::string all = SpanAttributes();
  EXPECT_TRUE(all.starts_with("before=1 large=\"xxx")) << all;
  EXPECT_TRUE(all.ends_with("\xc3\xa9\" after=2")) << all;
  EXPECT_GT(std::count(all.begin(), all.end(), 'x'), 180);
  EXPECT_EQ(Truncated(), 2u);
  EXPECT_EQ(writer_->counters().truncated, 2u);
}

// OpenTelemetry's limits cut the strings of an array one by one.
TEST_F(FittingWithoutPieces, TextsOfAnArrayAreCutAndTooManyNumbersLeftOut) {
  const std::string large(300, 'x');
  const Value texts[] = {Value(large), Value("short"), Value(large)};
  std::vector<Value> numbers(1000, Value(1.5));
  const Attribute attributes[] = {{Key("texts"), std::span<const Value>(texts)}, {Key("numbers"), std::span<const Value>(numbers)}, {Key("after"), true}};
  EXPECT_EQ(writer_->RecordSpanAttributes(ids_.Key(), attributes), RecordResult::kTruncated);
  uint32_t dropped = 0;
  const std::string all = SpanAttributes(&dropped);
  EXPECT_TRUE(all.starts_with("texts=[\"xxx")) << all;
  EXPECT_NE(all.find("x\",\"short\",\"x"), std::string::npos) << all;
  EXPECT_TRUE(all.ends_with(" after=true")) << all;
  EXPECT_EQ(all.find("numbers"), std::string::npos);
  EXPECT_EQ(dropped, 1u);
  EXPECT_EQ(Truncated(), 3u);
}

TEST_F(FittingWithoutPieces, LongNamesAndMessagesAreCut) {
  const std::string large(1000, 'n');
  SpanStart start = ids_.Start(large);
  start.trace_state = "a=b";
  const Attribute attributes[] = {{Key("k"), "v"}};
  start.attributes = attributes;
  EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kTruncated);
  EXPECT_EQ(writer_->RecordSpanName(ids_.Key(), large), RecordResult::kTruncated);
  EXPECT_EQ(writer_->RecordSpanStatus(ids_.Key(), {StatusCodeOfSpan::kError, large}), RecordResult::kTruncated);
  EXPECT_EQ(writer_->RecordSpanEnd(ids_.Key(), 5, {StatusCodeOfSpan::kError, large}), RecordResult::kTruncated);
  const auto records = Drain(RingKind::kSpans);
  ASSERT_EQ(records.size(), 5u);
  const auto cut = [&](std::string_view text) { return text.size() > 150 && text == large.substr(0, text.size()); };
  EXPECT_TRUE(cut(As<StartSpanView>(ReadSpanEvent(records[0]).value().event).name));
  EXPECT_EQ(Show(*reader_, As<UpdateAttributesView>(ReadSpanEvent(records[1]).value().event).attributes), "k=\"v\"");
  EXPECT_TRUE(cut(As<ChangeNameView>(ReadSpanEvent(records[2]).value().event).name));
  EXPECT_TRUE(cut(As<UpdateAttributesView>(ReadSpanEvent(records[3]).value().event).status.value().message));
  const auto end = As<EndSpanView>(ReadSpanEvent(records[4]).value().event);
  EXPECT_TRUE(cut(end.status.value().message));
  EXPECT_EQ(end.status->code, 2);
  EXPECT_EQ(end.end_time_unix_nano, 5u);
  EXPECT_EQ(Truncated(), 5u);
}

TEST_F(Fitting, ALinkStandsInOneRecord) {
  const std::string large(400, 'x');
  const auto attributes = Many(40, large);
  SpanLink link = {.trace_id = ids_.trace, .span_id = ids_.span};
  link.attributes = attributes;
  link.trace_state = "a=b";
  EXPECT_EQ(writer_->RecordSpanLink(ids_.Key(), link), RecordResult::kTruncated);
  const auto records = Drain(RingKind::kSpans);
  ASSERT_EQ(records.size(), 1u);
  const auto read = ReadLink(*As<AddLinkView>(ReadSpanEvent(records[0]).value().event).links.begin());
  EXPECT_EQ(read.trace_state, "a=b");
  EXPECT_GT(read.dropped_attributes_count, 5u);
  size_t kept = 0;
  for ([[maybe_unused]] std::string_view attribute : read.attributes) ++kept;
  EXPECT_EQ(kept + read.dropped_attributes_count, 40u);
  EXPECT_GE(Truncated(), 40u);
}

TEST_F(Fitting, AMeasurementKeepsWhatFits) {
  const Ref metric = Must(writer_->CreateMetric({.name = "m", .aggregation = GaugeAggregation{}}));
  const std::string large(400, 'x');
  const auto attributes = Many(3, large);
  EXPECT_EQ(writer_->RecordMeasurement({metric, attributes, 1, int64_t{7}}), RecordResult::kTruncated);
  const auto records = Drain(RingKind::kMeasurements);
  ASSERT_EQ(records.size(), 1u);
  const auto read = ReadMeasurement(records[0]).value();
  EXPECT_EQ(std::get<int64_t>(read.value), 7);
  size_t kept = 0;
  for (std::string_view attribute : read.attributes) kept += ReadAttribute(attribute).value.bytes.size() > 40;
  EXPECT_EQ(kept, 3u);
  EXPECT_EQ(Truncated(), 3u);
}

TEST_F(Fitting, ALongBodyAndManyAttributesMakeParts) {
  std::string body;
  for (int i = 0; body.size() < 10'000; ++i) body += "zeile " + std::to_string(i) + " ü\n";
  const auto attributes = Many(50, "some text of a usual length");
  const SpanContext context = ids_.Context();
  Event event;
  event.time_unix_nano = 5;
  event.severity_number = 9;
  event.severity_text = "INFO";
  event.context = &context;
  event.body = body;
  event.attributes = attributes;
  event.dropped_attributes_count = 3;
  EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kRecorded);
  const Whole whole = TakeEvent();
  EXPECT_EQ(whole.body, body);
  EXPECT_EQ(whole.attributes, ShowAll(attributes));
  EXPECT_EQ(whole.dropped, 3u);
  EXPECT_GT(whole.parts, 50u);
  EXPECT_EQ(Truncated(), 0u);
}

TEST_F(Fitting, EveryLengthOfABodyIsKept) {
  for (size_t length = 100; length < 600; ++length) {
    const std::string body(length, 'b');
    const Attribute attributes[] = {{Key("k"), "v"}};
    Event event;
    event.body = body;
    event.attributes = attributes;
    ASSERT_EQ(writer_->RecordEvent(event), RecordResult::kRecorded) << length;
    const Whole whole = TakeEvent();
    ASSERT_EQ(whole.body, body);
    ASSERT_EQ(whole.attributes, "k=\"v\"");
  }
}

TEST_F(FittingWithoutPieces, AnEventsLargeValuesAreCut) {
  const std::string large(1000, 'x');
  std::vector<Value> numbers(1000, Value(1.5));
  const Attribute attributes[] = {{Key("a"), 1}, {Key("stack"), large}, {Key("numbers"), std::span<const Value>(numbers)}, {Key("b"), 2}};
  Event event;
  event.body = "short";
  event.attributes = attributes;
  EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kTruncated);
  Whole whole = TakeEvent();
  EXPECT_EQ(whole.body, "short");
  EXPECT_TRUE(whole.attributes.starts_with("a=1 stack=\"xxx")) << whole.attributes;
  EXPECT_TRUE(whole.attributes.ends_with("x\" b=2")) << whole.attributes;
  EXPECT_EQ(whole.dropped, 1u);
  EXPECT_EQ(Truncated(), 2u);

  const Attribute map[] = {{Key("k"), large}, {Key("l"), "m"}};
  event.body = Value::Map(map);
  event.attributes = {};
  EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kTruncated);
  whole = TakeEvent();
  EXPECT_TRUE(whole.body.starts_with("{k:\"xxx") && whole.body.ends_with("x\",l:\"m\",}")) << whole.body;

  event.body = Value(std::span<const Value>(numbers));
  event.severity_text = large;
  EXPECT_EQ(writer_->RecordEvent(event), RecordResult::kTruncated);
  EXPECT_EQ(TakeEvent().body, "");
  EXPECT_EQ(Truncated(), 5u);
}

TEST_F(Fitting, PartsOfAFullRingAreCounted) {
  const auto attributes = Many(50, "some text of a usual length");
  while (writer_->RecordSpanEnd(ids_.Key(), 1) == RecordResult::kRecorded) {
  }
  EXPECT_EQ(reader_->stats().dropped, 1u);
  (void)Must(reader_->Poll(RingKind::kSpans));
  reader_->Advance(RingKind::kSpans, 2);
  SpanStart start = ids_.Start("name");
  start.attributes = attributes;
  EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kTruncated);
  EXPECT_EQ(writer_->RecordSpanStart(start), RecordResult::kDropped);
  EXPECT_EQ(reader_->stats().dropped, 3u);
}

TEST_F(Fitting, SlotsOfOthersMayBeTooSmallForAnything) {
  reader_.reset();
  writer_.reset();
  // As another writer could have made it: the slots' size is rewritten in place.
  auto file = Must(platform::File::Open(dir_ / "ring", platform::File::Mode::kReadWrite));
  const int64_t tiny = 20;
  const std::string_view bytes(reinterpret_cast<const char*>(&tiny), sizeof(tiny));
  const uint64_t spans = sizeof(FileHeader) + RingBytes(1024, 256);
  ASSERT_TRUE(file.WriteAt(spans + 8, bytes).ok());
  writer_ = Must(RingWriter::Open(dir_ / "ring"));
  EXPECT_EQ(writer_->RecordSpanStart(ids_.Start("name")), RecordResult::kDropped);
  EXPECT_EQ(writer_->RecordSpanEnd(ids_.Key(), 1), RecordResult::kDropped);
  EXPECT_EQ(writer_->counters().dropped, 2u);
}

}  // namespace
}  // namespace otlp_arrow::ring
