#include "otlp_arrow/sdk/provider.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "otlp_arrow/sdk/ids.h"
#include "sdk/provider_testing.h"
#include "sdk/text.h"

namespace otlp_arrow::sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using otlp_arrow::testing::Texts;

// Set while it lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

class LoggerTest : public ProviderTest {};
class SdkProviderTest : public ProviderTest {};

TEST_F(LoggerTest, LogRecords) {
  const Logger logger = Open({.log_limits = LogLimits{.attributes = 2, .attribute_value_length = 4}}).GetLogger({.name = "tests"});
  Span span = provider_->GetTracer({.name = "tests"}).Start("span");
  const ring::Value elements[] = {1, "two"};
  {
    const Scope scope(span);
    logger.Emit(SeverityNumber::kInfo, "in a span", {{"order.id", 4711}});
    logger.Emit({.severity = SeverityNumber::kWarn2, .severity_text = "warning", .body = ring::Value(std::span<const ring::Value>(elements)),
                 .attributes = {{"a", "long text"}, {"b", 2}, {"c", 3}}, .event_name = "order.late", .time_unix_nano = 100, .observed_time_unix_nano = 200});
  }
  logger.Emit({.body = "without a time", .observed_time_unix_nano = 7, .has_time = true});
  Logger().Emit(SeverityNumber::kInfo, "of no logger");
  const auto logs = Recorded().logs;
  ASSERT_EQ(logs.size(), 3u);
  EXPECT_EQ(logs[0].body().string_value(), "in a span");
  EXPECT_EQ(logs[0].severity_number(), 9);
  EXPECT_EQ(logs[0].severity_text(), "INFO");
  EXPECT_EQ(logs[0].span_id(), std::string(span.context().span_id.view()));
  EXPECT_EQ(logs[0].trace_id(), std::string(span.context().trace_id.view()));
  EXPECT_GT(logs[0].time_unix_nano(), 0u);
  EXPECT_EQ(logs[0].time_unix_nano(), logs[0].observed_time_unix_nano());
  EXPECT_EQ(logs[1].event_name(), "order.late");
  EXPECT_EQ(logs[1].severity_text(), "warning");
  EXPECT_EQ(logs[1].body().array_value().values(1).string_value(), "two");
  EXPECT_EQ(logs[1].time_unix_nano(), 100u);
  EXPECT_EQ(logs[1].observed_time_unix_nano(), 200u);
  EXPECT_THAT(Texts(logs[1].attributes()), ElementsAre(Pair("a", "long"), Pair("b", "int_value: 2")));
  EXPECT_EQ(logs[1].dropped_attributes_count(), 1u);
  EXPECT_EQ(logs[2].time_unix_nano(), 0u);
  EXPECT_EQ(logs[2].trace_id(), "");
}

TEST_F(SdkProviderTest, TheEnvironmentIsTheDefault) {
  const Variable service("OTEL_SERVICE_NAME", "shop");
  const Variable attributes("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment=te%20st, broken,=x,team=a%");
  const Variable sampler("OTEL_TRACES_SAMPLER", "always_off");
  EXPECT_FALSE(Open({.resource = {.attributes = {{"team", "b"}}}}).GetTracer({.name = "t"}).Start("x").IsRecording());
  const auto& found = provider_->resource().attributes;
  EXPECT_EQ(*FindAttribute(found, "service.name"), Value("shop"));
  EXPECT_EQ(*FindAttribute(found, "deployment.environment"), Value("te st"));
  EXPECT_EQ(*FindAttribute(found, "team"), Value("b"));
  EXPECT_EQ(*FindAttribute(found, "telemetry.sdk.name"), Value("otlp-arrow"));
}

TEST_F(SdkProviderTest, WhatTheEnvironmentSaysWrongIsToldWithItsName) {
  FileRecorderOptions file;
  file.path = path_;
  const auto recorder = *OpenFileRecorder(file);
  const std::pair<const char*, const char*> wrong[] = {{"OTEL_TRACES_SAMPLER", "sometimes"},
                                                       {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1"},
                                                       {"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "1.5"},
                                                       {"OTEL_METRIC_EXPORT_INTERVAL", "soon"},
                                                       {"OTEL_METRICS_EXEMPLAR_FILTER", "all"},
                                                       {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "gamma"}};
  for (const auto& [name, value] : wrong) {
    const Variable variable(name, value);
    const auto provider = Provider::Create(recorder, {.shut_down_recorder = false});
    ASSERT_FALSE(provider.ok()) << name;
    EXPECT_EQ(provider.status().code(), StatusCode::kConfig);
    EXPECT_THAT(provider.status().message(), HasSubstr(name));
    EXPECT_THAT(provider.status().message(), HasSubstr(value));
  }
  const Variable sampler("OTEL_TRACES_SAMPLER", "traceidratio"), argument("OTEL_TRACES_SAMPLER_ARG", "2");
  EXPECT_THAT(Provider::Create(recorder).status().message(), HasSubstr("OTEL_TRACES_SAMPLER_ARG"));
  EXPECT_EQ(Provider::Create(nullptr).status().code(), StatusCode::kConfig);
}

TEST_F(SdkProviderTest, SamplersDecide) {
  const SpanContext none, sampled{.trace_id = RandomTraceId(), .span_id = RandomSpanId(), .flags = 1}, dropped{.trace_id = RandomTraceId(), .span_id = RandomSpanId()};
  const auto decide = [](const Sampler& sampler, const SpanContext& parent, const TraceId& trace) { return sampler.ShouldSample({parent, trace, "x"}).sampled; };
  int kept = 0;
  for (int i = 0; i < 4000; ++i) {
    const TraceId trace = RandomTraceId();
    const bool quarter = decide(*TraceIdRatio(0.25), none, trace);
    kept += quarter;
    EXPECT_TRUE(!quarter || decide(*TraceIdRatio(0.5), none, trace)) << "who keeps less keeps part of what others keep";
    EXPECT_TRUE(decide(*TraceIdRatio(1), none, trace));
    EXPECT_FALSE(decide(*TraceIdRatio(0), none, trace));
  }
  EXPECT_GT(kept, 800);
  EXPECT_LT(kept, 1200);
  const auto parent_based = ParentBased(AlwaysOff());
  EXPECT_TRUE(decide(*parent_based, sampled, sampled.trace_id));
  EXPECT_FALSE(decide(*parent_based, dropped, dropped.trace_id));
  EXPECT_FALSE(decide(*parent_based, none, sampled.trace_id));
  EXPECT_EQ(parent_based->Description(), "ParentBased{AlwaysOffSampler}");
}

TEST_F(SdkProviderTest, ProvidersMayShareARecorder) {
  FileRecorderOptions file;
  file.path = path_;
  const auto recorder = *OpenFileRecorder(file);
  const auto first = *Provider::Create(recorder, {.shut_down_recorder = false});
  const auto second = *Provider::Create(recorder, {.shut_down_recorder = false});
  EXPECT_TRUE(first->Shutdown().ok());
  EXPECT_FALSE(first->GetTracer({.name = "t"}).Start("first").IsRecording());
  EXPECT_TRUE(second->GetTracer({.name = "t"}).Start("second").IsRecording());
}

TEST_F(SdkProviderTest, AForkedChildHasItsOwnRing) {
  FileRecorderOptions file;
  file.path = dir_ / "{pid}.mmap";
  const auto provider = *Provider::Create(*OpenFileRecorder(file));
  const Tracer tracer = provider->GetTracer({.name = "tests"});
  const Meter meter = provider->GetMeter({.name = "tests"});
  const auto counter = meter.CreateCounter<int64_t>("counter");
  const auto observable = meter.CreateObservableCounter("observable", [](Observer& observer) { observer.Observe(int64_t{5}); });
  EXPECT_TRUE(provider->ForceFlush().ok());
  counter.Add(1);
  Span of_parent = tracer.Start("of the parent");
  const Scope scope(of_parent);
  const pid_t child = ::fork();
  if (child == 0) {
    of_parent.SetAttribute("from", "child");
    of_parent.End();
    tracer.Start("of the child");
    counter.Add(2);
    ::_exit(provider->ForceFlush().ok() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  of_parent.End();
  const auto parent = otlp_arrow::testing::TakeRecorded(dir_ / (std::to_string(::getpid()) + ".mmap"));
  const auto forked = otlp_arrow::testing::TakeRecorded(dir_ / (std::to_string(child) + ".mmap"));
  ASSERT_EQ(parent.spans.size(), 1u);
  EXPECT_TRUE(Texts(parent.spans[0].attributes()).empty());
  ASSERT_EQ(forked.spans.size(), 1u);
  EXPECT_EQ(forked.spans[0].parent_span_id(), parent.spans[0].span_id());
  EXPECT_EQ(parent.Metric("counter").sum().data_points(0).as_int(), 1);
  EXPECT_EQ(forked.Metric("counter").sum().data_points(0).as_int(), 2);
  EXPECT_EQ(forked.Metric("observable").sum().data_points(0).as_int(), 5);
}

// --- propagation ---

TEST(Propagation, TraceParents) {
  const char* good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto context = ParseTraceParent(good, " a=1, b@c=2 ");
  ASSERT_TRUE(context);
  EXPECT_TRUE(context->is_remote);
  EXPECT_TRUE(context->IsSampled());
  EXPECT_EQ(FormatTraceParent(*context), good);
  EXPECT_EQ(context->trace_state_text(), "a=1, b@c=2");
  EXPECT_TRUE(ParseTraceParent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later"));
  EXPECT_EQ(FormatTraceParent({}), "");
  for (const char* bad : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                          "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(ParseTraceParent(bad)) << bad;
  }
  const std::string too_long = "a=" + std::string(600, 'x');
  for (const char* bad : {"novalue", "=x", "A=1", "a=1,b", "a=\x01", too_long.c_str()}) EXPECT_EQ(ParseTraceParent(good, bad)->trace_state, nullptr) << bad;
}

TEST(Propagation, BaggageTravels) {
  const Baggage baggage = {{"user", "Jörg, \"x\" 50%"}, {"empty", ""}};
  EXPECT_EQ(ParseBaggage(FormatBaggage(baggage)), baggage);
  EXPECT_THAT(ParseBaggage(" a = 1;property=x , b=%2, c=%41 ,a=2, no, =x, d d=1, bad=%ff"), ElementsAre(Pair("a", "2"), Pair("b", "%2"), Pair("c", "A")));
  std::string many;
  for (int i = 0; i < 500; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_EQ(ParseBaggage(many).size(), 180u);
  EXPECT_TRUE(CurrentBaggage().empty());
  {
    const BaggageScope outer(baggage);
    {
      const BaggageScope inner(Baggage{{"inner", "1"}});
      EXPECT_THAT(CurrentBaggage(), ElementsAre(Pair("inner", "1")));
    }
    EXPECT_EQ(CurrentBaggage(), baggage);
  }
  EXPECT_TRUE(CurrentBaggage().empty());
}

TEST(Text, Wildcards) {
  for (const auto& [pattern, text] : {std::pair("*", ""), {"*", "abc"}, {"a*c", "abbc"}, {"a*b*c", "aXbYbZc"}, {"a?c", "abc"}, {"ABC", "abc"}, {"*.time", "a.time.b.time"}}) {
    EXPECT_TRUE(MatchesWildcard(pattern, text)) << pattern << " " << text;
  }
  for (const auto& [pattern, text] : {std::pair("", "a"), {"a", ""}, {"a?", "a"}, {"a*c", "ab"}, {"abc", "abcd"}}) EXPECT_FALSE(MatchesWildcard(pattern, text)) << pattern << " " << text;
}

}  // namespace
}  // namespace otlp_arrow::sdk
