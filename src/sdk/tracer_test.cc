#include "otlp_arrow/sdk/tracer.h"

#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "otlp_arrow/sdk/ids.h"
#include "sdk/provider_testing.h"

namespace otlp_arrow::sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using otlp_arrow::testing::Texts;

class TracerTest : public ProviderTest {
 protected:
  Tracer Make(ProviderOptions options = {}) { return Open(std::move(options)).GetTracer({.name = "tests", .version = "1.2", .schema_url = "https://example.com"}); }
};

std::string Bytes(std::string_view view) { return std::string(view); }

TEST_F(TracerTest, ASpanWithAllThatItCanHave) {
  const Tracer tracer = Make({.resource = {.attributes = {{"service.name", "shop"}}}});
  SpanContext linked{.trace_id = RandomTraceId(), .span_id = RandomSpanId(), .flags = 1};
  linked.trace_state = std::make_shared<const std::string>("vendor=a");
  {
    Span span = tracer.Start("GET", {.kind = SpanKind::kServer, .start_time_unix_nano = 100, .attributes = {{"a", 1}, {"b", "text"}, {"c", 2.5}, {"d", true}}, .links = {{linked, {{"kind", "first"}}}}});
    span.SetAttribute("a", 2);
    span.SetAttributes({{"e", std::string("owned")}, {"f", uint64_t{7}}});
    const ring::Value elements[] = {"x", 2};
    span.SetAttribute("g", ring::Value(std::span<const ring::Value>(elements)));
    span.AddEvent("cart checked", {{"items", 3}}, 150);
    span.AddLink(linked);
    span.SetStatus(SpanStatusCode::kError, "the card has expired");
    span.UpdateName("GET /orders");
    EXPECT_TRUE(span.IsRecording());
    span.End(200);
    EXPECT_FALSE(span.IsRecording());
    span.SetAttribute("late", 1);
    span.End(300);
  }
  const auto recorded = Recorded();
  const auto span = recorded.Span("GET /orders");
  EXPECT_EQ(recorded.spans.size(), 1u);
  EXPECT_EQ(span.kind(), 2);
  EXPECT_EQ(span.start_time_unix_nano(), 100u);
  EXPECT_EQ(span.end_time_unix_nano(), 200u);
  EXPECT_EQ(span.flags() & 1, 1u);
  EXPECT_THAT(Texts(span.attributes()),
              UnorderedElementsAre(Pair("a", "int_value: 2"), Pair("b", "text"), Pair("c", "double_value: 2.5"), Pair("d", "bool_value: true"), Pair("e", "owned"),
                                   Pair("f", "int_value: 7"), Pair("g", HasSubstr("array_value"))));
  ASSERT_EQ(span.events_size(), 1);
  EXPECT_EQ(span.events(0).name(), "cart checked");
  EXPECT_EQ(span.events(0).time_unix_nano(), 150u);
  EXPECT_THAT(Texts(span.events(0).attributes()), ElementsAre(Pair("items", "int_value: 3")));
  ASSERT_EQ(span.links_size(), 2);
  EXPECT_EQ(span.links(0).trace_id(), Bytes(linked.trace_id.view()));
  EXPECT_EQ(span.links(0).trace_state(), "vendor=a");
  EXPECT_THAT(Texts(span.links(0).attributes()), ElementsAre(Pair("kind", "first")));
  EXPECT_EQ(span.status().code(), 2);
  EXPECT_EQ(span.status().message(), "the card has expired");
  const auto& resource = recorded.resource_spans[0];
  EXPECT_EQ(Texts(resource.resource().attributes())["service.name"], "shop");
  EXPECT_EQ(Texts(resource.resource().attributes())["telemetry.sdk.language"], "cpp");
  EXPECT_EQ(resource.scope_spans(0).scope().version(), "1.2");
  EXPECT_EQ(resource.scope_spans(0).schema_url(), "https://example.com");
}

TEST_F(TracerTest, ScopesMakeParents) {
  const Tracer tracer = Make();
  EXPECT_FALSE(CurrentContext().IsValid());
  EXPECT_EQ(CurrentSpan(), nullptr);
  {
    Span root = tracer.Start("root");
    const Scope scope(root);
    EXPECT_EQ(CurrentSpan(), &root);
    Span child = tracer.Start("child");
    {
      const Scope inner(child);
      EXPECT_EQ(CurrentContext().span_id, child.context().span_id);
      tracer.Start("grandchild");
      tracer.Start("apart", {.is_root = true});
      tracer.Start("of root", {.parent = &root.context()});
      std::thread([&] { tracer.Start("elsewhere"); }).join();
    }
    EXPECT_EQ(CurrentContext().span_id, root.context().span_id);
  }
  EXPECT_FALSE(CurrentContext().IsValid());
  const auto recorded = Recorded();
  const auto root = recorded.Span("root"), child = recorded.Span("child");
  EXPECT_EQ(root.parent_span_id(), "");
  EXPECT_EQ(child.parent_span_id(), root.span_id());
  EXPECT_EQ(child.trace_id(), root.trace_id());
  EXPECT_EQ(recorded.Span("grandchild").parent_span_id(), child.span_id());
  EXPECT_EQ(recorded.Span("of root").parent_span_id(), root.span_id());
  for (const char* name : {"apart", "elsewhere"}) {
    EXPECT_EQ(recorded.Span(name).parent_span_id(), "");
    EXPECT_NE(recorded.Span(name).trace_id(), root.trace_id());
  }
}

TEST_F(TracerTest, ScopesMayEndInAnyOrder) {
  const Tracer tracer = Make();
  Span first = tracer.Start("first"), second = tracer.Start("second");
  auto outer = std::make_unique<Scope>(first);
  auto inner = std::make_unique<Scope>(second);
  outer.reset();
  EXPECT_EQ(CurrentSpan(), &second);
  inner.reset();
  EXPECT_EQ(CurrentSpan(), nullptr);
}

TEST_F(TracerTest, ASpanElsewhereIsAParent) {
  const Tracer tracer = Make();
  const auto parent = ParseTraceParent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=a,other=b");
  ASSERT_TRUE(parent);
  {
    const Scope scope(*parent);
    EXPECT_EQ(CurrentSpan(), nullptr);
    const Span span = tracer.Start("child");
    EXPECT_EQ(FormatTraceParent(span.context()).substr(0, 36), "00-0af7651916cd43dd8448eb211c80319c-");
    EXPECT_EQ(span.context().trace_state_text(), "vendor=a,other=b");
    EXPECT_FALSE(span.context().is_remote);
  }
  const auto span = Recorded().Span("child");
  EXPECT_EQ(span.trace_state(), "vendor=a,other=b");
  EXPECT_EQ(span.parent_span_id(), Bytes(parent->span_id.view()));
}

TEST_F(TracerTest, TheStatusFollowsItsRules) {
  const Tracer tracer = Make();
  const auto run = [&](const char* name, auto... codes) {
    Span span = tracer.Start(name);
    (span.SetStatus(codes, "why"), ...);
  };
  run("none");
  run("ok stays", SpanStatusCode::kOk, SpanStatusCode::kError);
  run("error stays", SpanStatusCode::kError, SpanStatusCode::kUnset);
  run("ok after error", SpanStatusCode::kError, SpanStatusCode::kOk);
  const auto recorded = Recorded();
  EXPECT_EQ(recorded.Span("none").status().code(), 0);
  EXPECT_EQ(recorded.Span("ok stays").status().code(), 1);
  EXPECT_EQ(recorded.Span("ok stays").status().message(), "");
  EXPECT_EQ(recorded.Span("error stays").status().code(), 2);
  EXPECT_EQ(recorded.Span("error stays").status().message(), "why");
  EXPECT_EQ(recorded.Span("ok after error").status().code(), 1);
}

TEST_F(TracerTest, LimitsLeaveOutAndCount) {
  const Tracer tracer = Make({.span_limits = SpanLimits{.attributes = 20, .events = 2, .links = 1, .event_attributes = 1, .link_attributes = 1, .attribute_value_length = 3}});
  {
    Span span = tracer.Start("limited", {.attributes = {{"k0", "päper"}}});
    for (int round = 0; round < 2; ++round) {
      for (int i = 0; i < 25; ++i) span.SetAttribute("k" + std::to_string(i), i);
    }
    for (int i = 0; i < 5; ++i) span.AddEvent("event", {{"a", "long text"}, {"b", 2}});
    for (int i = 0; i < 3; ++i) span.AddLink(span.context(), {{"a", 1}, {"b", 2}});
  }
  const auto span = Recorded().Span("limited");
  EXPECT_EQ(span.attributes_size(), 20);
  EXPECT_EQ(span.dropped_attributes_count(), 10u);
  EXPECT_EQ(span.events_size(), 2);
  EXPECT_EQ(span.dropped_events_count(), 3u);
  EXPECT_EQ(span.links_size(), 1);
  EXPECT_EQ(span.dropped_links_count(), 2u);
  ASSERT_EQ(span.events(0).attributes_size(), 1);
  EXPECT_EQ(span.events(0).attributes(0).value().string_value(), "lon");
  EXPECT_EQ(span.events(0).dropped_attributes_count(), 1u);
  EXPECT_EQ(span.links(0).dropped_attributes_count(), 1u);
}

TEST_F(TracerTest, ValuesAreCutBetweenCharacters) {
  const Tracer tracer = Make({.span_limits = SpanLimits{.attribute_value_length = 2}});
  const ring::Value elements[] = {"äöü", 7};
  tracer.Start("cut", {.attributes = {{"text", "päper"}, {"array", ring::Value(std::span<const ring::Value>(elements))}}});
  const auto span = Recorded().Span("cut");
  EXPECT_EQ(Texts(span.attributes())["text"], "pä");
  for (const auto& attribute : span.attributes()) {
    if (attribute.key() == "array") {
      EXPECT_EQ(attribute.value().array_value().values(0).string_value(), "äö");
      EXPECT_EQ(attribute.value().array_value().values(1).int_value(), 7);
    }
  }
}

TEST_F(TracerTest, OddTextIsMadeValid) {
  const Tracer tracer = Make();
  {
    Span span = tracer.Start("na\xffme", {.attributes = {{"k\xff", 1}, {"bytes", "a\xff"}, {"", "no key"}}});
    span.AddEvent("");
    span.AddEvent("ev\xff");
    span.SetStatus(SpanStatusCode::kError, "\xff");
  }
  const auto span = Recorded().Span("na\xEF\xBF\xBDme");
  EXPECT_THAT(Texts(span.attributes()), UnorderedElementsAre(Pair("k\xEF\xBF\xBD", "int_value: 1"), Pair("bytes", HasSubstr("bytes_value"))));
  ASSERT_EQ(span.events_size(), 2);
  EXPECT_EQ(span.events(0).name(), "(no name)");
  EXPECT_EQ(span.status().message(), "\xEF\xBF\xBD");
}

TEST_F(TracerTest, ExceptionsBecomeEvents) {
  const Tracer tracer = Make();
  {
    Span span = tracer.Start("failing");
    span.RecordException(std::runtime_error("no such order"), {{"order.id", 4711}});
    span.RecordException("shop.OutOfStock", "no more apples", "at shop.cc:12");
  }
  const auto span = Recorded().Span("failing");
  ASSERT_EQ(span.events_size(), 2);
  EXPECT_EQ(span.events(0).name(), "exception");
  EXPECT_THAT(Texts(span.events(0).attributes()),
              UnorderedElementsAre(Pair("exception.type", "std::runtime_error"), Pair("exception.message", "no such order"), Pair("order.id", "int_value: 4711")));
  EXPECT_EQ(Texts(span.events(1).attributes())["exception.stacktrace"], "at shop.cc:12");
  EXPECT_EQ(span.status().code(), 0);
}

TEST_F(TracerTest, ASpanMovesWithAllThatItKnows) {
  const Tracer tracer = Make({.span_limits = SpanLimits{.attributes = 18}});
  std::vector<Span> spans;
  {
    Span span = tracer.Start("moved");
    for (int i = 0; i < 18; ++i) span.SetAttribute("k" + std::to_string(i), i);
    spans.push_back(std::move(span));
    EXPECT_FALSE(span.IsRecording());  // NOLINT: what a moved span is
  }
  spans[0].SetAttribute("k17", "again");
  spans[0].SetAttribute("one more", 1);
  spans.clear();
  const auto span = Recorded().Span("moved");
  EXPECT_EQ(span.attributes_size(), 18);
  EXPECT_EQ(span.dropped_attributes_count(), 1u);
  EXPECT_EQ(Texts(span.attributes())["k17"], "again");
}

// Keys are remembered by where their text lies.
TEST_F(TracerTest, KeysInOneBufferAndOfSeveralRingsStayApart) {
  const Tracer tracer = Make();
  FileRecorderOptions file;
  file.path = dir_ / "other.mmap";
  const auto other = *Provider::Create(*OpenFileRecorder(file));
  std::string key = "key-a", value;
  {
    (void)other->GetTracer({.name = "fills the dictionary"}).Start("x", {.attributes = {{"one", 1}, {"two", 2}}});
    Span first = tracer.Start("first"), second = other->GetTracer({.name = "tests"}).Start("second");
    for (const char letter : {'a', 'b', 'a', 'c'}) {
      key.back() = letter;
      value = std::string("of ") + letter;
      first.SetAttribute(key, value);
      second.SetAttribute(key, value + " too");
    }
    const std::string long_key(100, 'k');
    first.SetAttribute(long_key, 1);
    first.SetAttribute(long_key, 2);
  }
  const std::map<std::string, std::string> expected = {{"key-a", "of a"}, {"key-b", "of b"}, {"key-c", "of c"}, {std::string(100, 'k'), "int_value: 2"}};
  EXPECT_EQ(Texts(Recorded().Span("first").attributes()), expected);
  const auto second = otlp_arrow::testing::TakeRecorded(file.path).Span("second");
  EXPECT_THAT(Texts(second.attributes()), UnorderedElementsAre(Pair("key-a", "of a too"), Pair("key-b", "of b too"), Pair("key-c", "of c too")));
}

TEST_F(TracerTest, WhatIsNotSampledIsNotRecordedAndSaysSoToItsChildren) {
  const Tracer tracer = Make({.sampler = ParentBased(AlwaysOff())});
  {
    Span span = tracer.Start("not sampled");
    EXPECT_FALSE(span.IsRecording());
    EXPECT_TRUE(span.context().IsValid());
    EXPECT_FALSE(span.context().IsSampled());
    span.SetAttribute("a", 1);
    span.AddEvent("e");
    const Scope scope(span);
    EXPECT_FALSE(tracer.Start("child").IsRecording());
  }
  EXPECT_TRUE(Recorded().spans.empty());
}

TEST_F(TracerTest, AfterTheShutdownNothingIsRecorded) {
  const Tracer tracer = Make();
  Span open = tracer.Start("open");
  EXPECT_TRUE(provider_->ForceFlush().ok());
  EXPECT_TRUE(provider_->Shutdown().ok());
  EXPECT_FALSE(open.IsRecording());
  open.SetAttribute("late", 1);
  const SpanContext parent{.trace_id = RandomTraceId(), .span_id = RandomSpanId(), .flags = 1};
  const Span span = tracer.Start("late", {.parent = &parent});
  EXPECT_FALSE(span.IsRecording());
  EXPECT_EQ(span.context().span_id, parent.span_id) << "what comes from elsewhere goes on its way";
  provider_.reset();
  EXPECT_FALSE(tracer.Start("without a provider").IsRecording());
  EXPECT_FALSE(Tracer().Start("of no tracer").IsRecording());
  EXPECT_EQ(Recorded().spans.size(), 1u);
}

TEST_F(TracerTest, ManyThreads) {
  constexpr int kThreads = 8, kEach = 300;
  const Tracer tracer = Make();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        Span span = tracer.Start(std::to_string(t) + "-" + std::to_string(i), {.attributes = {{"thread", t}}});
        const Scope scope(span);
        span.SetAttribute("i", i);
        (void)provider_->GetTracer({.name = "another"}).Start("child").context();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Recorded().spans.size(), 2u * kThreads * kEach);
}

}  // namespace
}  // namespace otlp_arrow::sdk
