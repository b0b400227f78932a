#include "otlp/telemetry/encode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "otlp/scan.h"
#include "otlp/telemetry/decode.h"
#include "reference_otlp.h"
#include "telemetry_as_protobuf.h"

namespace otlp_arrow {
namespace {

using testing::AsPlainTelemetryHasIt;
using testing::AsProtobuf;
using testing::Canonicalize;
using testing::Difference;
using testing::LogsRequest;
using testing::MetricsRequest;
using testing::ParseDeep;
using testing::RandomOtlp;
using testing::TraceRequest;

template <class T>
std::string Encoded(const std::vector<T>& all, void (*encode)(const T&, wire::Writer*)) {
  wire::Writer writer;
  for (const T& one : all) encode(one, &writer);
  return writer.Take();
}

// A random request becomes plain telemetry, and that a request again. Each step is compared with what libprotobuf's getters
// and setters say: the plain telemetry with the first request, the last one with the plain telemetry.
template <class Request, class T>
void CompareBothWays(Request request, const Result<std::vector<T>>& plain, void (*encode)(const T&, wire::Writer*)) {
  ASSERT_TRUE(plain.ok()) << plain.status().ToString();
  Request wanted = AsProtobuf(*plain), got;
  ASSERT_TRUE(ParseDeep(Encoded(*plain, encode), &got));
  Canonicalize(&wanted);
  Canonicalize(&got);
  ASSERT_EQ(Difference(wanted, got), "");

  AsPlainTelemetryHasIt(&request);
  AsPlainTelemetryHasIt(&wanted);
  Canonicalize(&request);
  Canonicalize(&wanted);
  ASSERT_EQ(Difference(request, wanted), "");
}

TEST(EncodeTelemetryTest, EqualsWhatLibprotobufWrites) {
  const auto seeds = testing::TestSeeds(300);
  for (uint64_t seed = seeds.first; seed < seeds.end; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomOtlp random(seed);
    const TraceRequest traces = random.Traces();
    CompareBothWays<TraceRequest, ResourceSpans>(traces, DecodeTraces(traces.SerializeAsString()), EncodeTraces);
    const MetricsRequest metrics = random.Metrics();
    CompareBothWays<MetricsRequest, ResourceMetrics>(metrics, DecodeMetrics(metrics.SerializeAsString()), EncodeMetrics);
    const LogsRequest logs = random.Logs();
    CompareBothWays<LogsRequest, ResourceLogs>(logs, DecodeLogs(logs.SerializeAsString()), EncodeLogs);
    if (HasFatalFailure()) return;
  }
}

// The form with resource and scope beside the items says the same as the one with everything in it.
TEST(EncodeTelemetryTest, BothFormsAreTheSame) {
  const Resource resource{.attributes = {{"service.name", "shop"}}, .schema_url = "https://example.org/r"};
  const InstrumentationScope scope{.name = "checkout", .version = "1", .schema_url = "https://example.org/s"};
  const std::vector<Span> spans = {{.name = "a"}, {.name = "b"}};
  const std::vector<LogRecord> records = {{.body = 1}, {.body = "two"}};
  wire::Writer apart, whole;
  EncodeTraces(spans, resource, scope, &apart);
  EncodeTraces({.resource = resource, .scope_spans = {{scope, spans}}}, &whole);
  EXPECT_EQ(apart.Take(), whole.Take());
  EncodeLogs(records, resource, scope, &apart);
  EncodeLogs({.resource = resource, .scope_logs = {{scope, records}}}, &whole);
  EXPECT_EQ(apart.Take(), whole.Take());
}

TEST(EncodeTelemetryTest, ContainersWithoutItemsAreLeftOut) {
  wire::Writer out;
  EncodeTraces(std::span<const Span>(), {.attributes = {{"k", "v"}}}, {.name = "scope"}, &out);
  EncodeTraces({.resource = {.attributes = {{"k", "v"}}}, .scope_spans = {{}, {}}}, &out);
  EncodeMetrics({.scope_metrics = {{}}}, &out);
  EncodeLogs(ResourceLogs{}, &out);
  EXPECT_EQ(out.size(), 0u);

  EncodeTraces({.scope_spans = {{}, {.scope = {.name = "kept"}, .spans = {{.name = "a"}}}}}, &out);
  const auto plain = DecodeTraces(out.view());
  ASSERT_TRUE(plain.ok());
  ASSERT_EQ((*plain)[0].scope_spans.size(), 1u);
  EXPECT_EQ((*plain)[0].scope_spans[0].scope.name, "kept");
}

Value Nested(int depth) {
  Value value = "innermost";
  for (int i = 0; i < depth; ++i) value = i % 2 ? Value(Array{value}) : Value(Attributes{{"k", value}});
  return value;
}

std::string EncodedBody(Value body) {
  wire::Writer out;
  const LogRecord record{.body = std::move(body)};
  EncodeLogs({&record, 1}, {}, {}, &out);
  return out.Take();
}

TEST(EncodeTelemetryTest, NestingHasALimitWithinWhatTheScanTakes) {
  EXPECT_THAT(EncodedBody(Nested(kMaxValueNesting)), ::testing::HasSubstr("innermost"));
  const std::string deeper = EncodedBody(Nested(kMaxValueNesting + 1));
  EXPECT_THAT(deeper, ::testing::HasSubstr("<nested too deep>"));
  EXPECT_THAT(deeper, ::testing::Not(::testing::HasSubstr("innermost")));
  const ScanResult scan = ScanOtlp(Signal::kLogs, EncodedBody(Nested(300)));
  EXPECT_TRUE(scan.ok) << scan.error;
  EXPECT_EQ(scan.items, 1);
}

TEST(DecodeTelemetryTest, LeavesOutWhatTheScanRejects) {
  wire::Writer out;
  const std::vector<Span> spans = {{.name = "good"}, {.name = "\xff"}, {.name = "good too"}};
  EncodeTraces(spans, {}, {}, &out);
  const auto plain = DecodeTraces(out.view());
  ASSERT_TRUE(plain.ok());
  const auto& kept = (*plain)[0].scope_spans[0].spans;
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[1].name, "good too");

  out.Clear();
  EncodeTraces({&spans[0], 1}, {.schema_url = "\xff"}, {}, &out);
  EXPECT_TRUE(DecodeTraces(out.view())->empty());

  out.Clear();
  const NumberDataPoint good{.value = 1}, bad{.attributes = {{"\xff", 1}}, .value = 2};
  EncodeMetrics({.scope_metrics = {{.metrics = {{.name = "m", .data = Gauge{{good, bad}}}, {.name = "\xff", .data = Gauge{{good}}}}}}}, &out);
  const auto metrics = DecodeMetrics(out.view());
  ASSERT_TRUE(metrics.ok());
  ASSERT_EQ((*metrics)[0].scope_metrics[0].metrics.size(), 1u);
  EXPECT_EQ((*metrics)[0].scope_metrics[0].metrics[0].data, Metric{.data = Gauge{{good}}}.data);
}

TEST(DecodeTelemetryTest, RefusesWhatIsNoRequest) {
  for (const Status& status : {DecodeTraces("no protobuf").status(), DecodeMetrics("no protobuf").status(), DecodeLogs("no protobuf").status()}) {
    EXPECT_EQ(status.code(), StatusCode::kExport);
    EXPECT_THAT(status.message(), ::testing::HasSubstr("malformed"));
  }
}

}  // namespace
}  // namespace otlp_arrow
